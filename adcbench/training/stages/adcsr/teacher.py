"""OSEDiff: the U-Net and the VAE's encoder tuned to one step (OSEDiff, section 3.3; train_osediff.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from adcbench.systems import osediff
from adcbench.training.config import Clip, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Weight
from adcbench.training.stages.adcsr.common import LSDIR, MINI_LOOP, PHOTOGRAPHS, check_teacher
from adcbench.training.stages.adcsr.denoise import SPEC as DENOISE
from adcbench.training.stages.adcsr.official import CHAIN, OFFICIAL, shipped
from adcbench.training.stages.adcsr.vae import SPEC as VAE
from adcbench.training.stages.spec import StageSpec, products_of

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

PRODUCTS = ("teacher_vae.safetensors", "teacher_unet.safetensors")


@dataclass(frozen=True)
class TeacherStage:
    """Settings of the teacher's training.

    Args:
        lora: train LoRA adapters (and the U-Net's conv_in), as published; false: every weight of the U-Net and of
            the encoder, for networks so small that adapters have no room.
        l2, perceptual, vsd: weights of the losses.
        guidance: of the frozen U-Net in the VSD loss; without text it changes nothing.
        clip: how the image is clipped to [-1, 1] before the losses; upstream: hard.
    """

    osediff: osediff.OSEDiffConfig
    rates: Rates
    lora: bool = True
    l2: Weight = 1.0
    perceptual: Weight = 2.0
    vsd: Weight = 1.0
    guidance: Weight = 7.5
    weight_decay: Weight = 1e-2
    clip: Clip = "hard"
    side: ClassVar[int] = 64

    def check(self, crop: int) -> None:
        """See ``config.StageConfig``."""
        check_teacher(self.osediff, crop)


# At full size (OSEDiff, section 4.1; train_osediff.py): its own degradation is the hard one.
FULL = RunConfig(
    TeacherStage(osediff.FULL, Rates(5e-5)),  # upstream's 500 steps of warm-up: its schedule, "constant", has none
    replace(LSDIR, degradation="hard"),
    LoopConfig(steps=100_000, batch=16, micro_batch=4, precision="fp16", clip_norm=1.0, save_every=500),
)
# OSEDiff's losses, the squared error counting a hundred times as much: its weights cost PSNR here (docs/training.md).
MINI = RunConfig(
    TeacherStage(
        osediff.TRAINED_MINI, Rates(2e-4, (1_600, 2_200), warmup=100), lora=False, perceptual=0.02, vsd=0.01
    ),
    PHOTOGRAPHS,
    replace(MINI_LOOP, steps=2_500, clip_norm=1.0, ema=0.999),
)  # fmt: skip


def _build(config: TeacherStage, pretrained: Pretrained, seed: int) -> Stage:
    from adcbench.training.perceptual import load_perceptual
    from adcbench.training.stages.adcsr.steps.pretrained import load_texts, pretrained_unet, pretrained_vae
    from adcbench.training.stages.adcsr.steps.teacher import TeacherTraining

    base, perceptual = config.osediff.base, load_perceptual()
    vae, unet = pretrained_vae(base.vae, pretrained), pretrained_unet(base.unet, pretrained)
    return TeacherTraining(config, vae, unet, load_texts(config.osediff), perceptual, seed)


SPEC = StageSpec(
    "teacher",
    TeacherStage,
    _build,
    products=PRODUCTS,
    presets={"full": FULL, "mini": MINI},
    needs=lambda config: products_of(VAE, DENOISE),
    shipped=lambda config: shipped(config.osediff.base.vae),
    official=OFFICIAL,
    chain=CHAIN,
)
