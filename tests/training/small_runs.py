"""Runs of every stage on four small images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mini_stages import OSEDIFF, STUDENT, squared
from torch import Tensor, nn

from adcbench.training.config import DataConfig, PatchLoss, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.stages.adcsr.decoder import DecoderStage
from adcbench.training.stages.adcsr.denoise import DenoiseStage
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.teacher import TeacherStage
from adcbench.training.stages.adcsr.vae import VaeStage

RATES = Rates(1e-3)
PATCH = PatchLoss(width=8, start=1)
STAGES: dict[str, Any] = {
    "vae": VaeStage(OSEDIFF.base.vae, RATES, patch=PATCH),
    "denoise": DenoiseStage(OSEDIFF, RATES),
    "teacher": TeacherStage(OSEDIFF, RATES),
    "decoder": DecoderStage(OSEDIFF.base.vae, STUDENT, RATES, patch=PATCH),
    "distil": DistilStage(OSEDIFF, STUDENT, RATES),
}


class Squared(nn.Module):
    """In place of LPIPS."""

    provenance = "squared error"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return squared(x, y)


def settings(stage: str, images: Path, steps: int = 3) -> RunConfig[Any]:
    loop = LoopConfig(steps, batch=2, micro_batch=1, save_every=1, log_every=1, tensorboard=False, device="cpu")
    return RunConfig(STAGES[stage], DataConfig(((str(images), 0),), crop=64), loop)
