"""Ablations of AdcSR's training as settings of the same code: name -> what differs from the reference, ``adcsr``.

The names are those of the systems (``systems.adcsr``: ``variants``, ``ablations``), the tables' rows and the claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adcbench.systems.adcsr import variants
from adcbench.systems.adcsr_ablations import OWN_DECODER
from adcbench.training.config import RunConfig
from adcbench.training.stages.spec import Change

REFERENCE = "adcsr"
WITHOUT_STAGE_1: dict[str, Any] = {"pretrained": False, "pixel": 1.0}
# What differs in stage 2, besides the network.
_DISTIL: dict[str, dict[str, Any]] = {
    REFERENCE: {},
    "no-pretraining": WITHOUT_STAGE_1,
    "no-adversarial": {"adversarial": 0.0},
    "adversarial-0.1": {"adversarial": 0.1},
    "patch-discriminator": {"discriminator": "patch"},
    "full-discriminator": {"discriminator": "unet-full"},
    "teacher-step-1": {"teacher_step": 1},
}
# What differs in stage 1, besides the network; stage 2 is that of the reference.
_DECODER: dict[str, dict[str, Any]] = {
    "clip-ste": {"clip": "ste"},
    "clip-hard": {"clip": "hard"},
    "clip-none": {"clip": "none"},
}


def of_decoder() -> dict[str, Change[Any]]:
    """The variants that have a stage 1 of their own."""
    return {name: _changed(name, _DECODER.get(name, {})) for name in OWN_DECODER}


def of_distil(one_stage: Change[Any]) -> dict[str, Change[Any]]:
    """All variants, the reference first. ``one_stage``: the variant of that name, which changes the steps too."""
    changes = {name: _changed(name, _DISTIL.get(name, {})) for name in (*_DISTIL, *_DECODER, *variants())}
    return changes | {"one-stage": one_stage}


def _changed(name: str, settings: Mapping[str, Any]) -> Change[Any]:
    """A change of a stage's settings, and of its student where the network of that name is another one."""

    def change(config: RunConfig[Any], preset: str) -> RunConfig[Any]:
        student = variants(config.stage.student).get(name, config.stage.student)
        return replace(config, stage=replace(config.stage, **settings, student=student))

    return change
