"""The stages' steps at mini size, and what upstream's changed."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

from mini_stages import GOLDEN, OSEDIFF, STUDENT, load_recipe, mini_teacher, mini_unet, mini_vae, squared
from torch import Tensor, nn

from adcbench.systems.osediff.prompts import load_prompter
from adcbench.training.config import PatchLoss, Rates
from adcbench.training.stages.adcsr.decoder import DecoderStage
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.steps.decoder import DecoderTraining
from adcbench.training.stages.adcsr.steps.distil import DistilTraining
from adcbench.training.stages.adcsr.steps.teacher import TeacherTraining
from adcbench.training.stages.adcsr.teacher import TeacherStage

RATES = Rates(1e-3)


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))
    return content


def assert_changes(
    network: nn.Module, before: dict[str, Tensor], expected: dict[str, list[float]], tolerance: float
) -> None:
    """Every trained parameter has changed as upstream's."""
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    found = load_recipe().summary(before, trained)
    assert found.keys() == expected.keys()
    worst = max(abs(a - b) for name in expected for a, b in zip(found[name], expected[name], strict=True))
    assert worst < tolerance


class Texts(nn.Module):
    """The embeddings that upstream's run was told."""

    null = False

    def forward(self, images: Tensor) -> Tensor:
        text: Tensor = load_recipe().text("tags")
        return text

    def empty(self, like: Tensor) -> Tensor:
        text: Tensor = load_recipe().text("empty")
        return text


def distil_stage(**changes: Any) -> DistilTraining:
    config = replace(DistilStage(OSEDIFF, STUDENT, RATES, RATES), **changes)
    return DistilTraining(config, mini_teacher(), mini_unet(), squared, 0)


def teacher_stage(**changes: Any) -> TeacherTraining:
    config, text = TeacherStage(OSEDIFF, RATES, **changes), load_prompter(OSEDIFF, {})
    return TeacherTraining(config, mini_vae(), mini_unet(), text, squared, 0)


def decoder_stage(**changes: Any) -> DecoderTraining:
    settings = {"patch": PatchLoss(width=8, rates=RATES)} | changes
    return DecoderTraining(DecoderStage(OSEDIFF.base.vae, STUDENT, RATES, **settings), mini_vae(), squared, 0)
