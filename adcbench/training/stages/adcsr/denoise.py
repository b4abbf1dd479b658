"""Mini scale only: the U-Net, from scratch, by predicting noise (Ho et al. 2020, equation 14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from adcbench.systems import osediff
from adcbench.training.config import Rates, RunConfig
from adcbench.training.stages.adcsr.common import MINI_LOOP, PHOTOGRAPHS, check_teacher
from adcbench.training.stages.adcsr.official import CHAIN, shipped
from adcbench.training.stages.adcsr.vae import SPEC as VAE
from adcbench.training.stages.spec import StageSpec, products_of

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

PRODUCT = "unet.safetensors"


@dataclass(frozen=True)
class DenoiseStage:
    """Settings of the U-Net's training.

    Args:
        osediff: sizes of all networks, of which the U-Net is trained in the VAE's latents.
    """

    osediff: osediff.OSEDiffConfig
    rates: Rates
    side: ClassVar[int] = 64

    def check(self, crop: int) -> None:
        """See ``config.StageConfig``."""
        check_teacher(self.osediff, crop)


MINI = RunConfig(
    DenoiseStage(osediff.TRAINED_MINI, Rates(3e-4, (3_750,), warmup=100)),
    PHOTOGRAPHS,
    replace(MINI_LOOP, steps=5_000, ema=0.999),
)


def _build(config: DenoiseStage, pretrained: Pretrained, seed: int) -> Stage:
    from adcbench.training.stages.adcsr.steps.denoise import DenoiseTraining
    from adcbench.training.stages.adcsr.steps.pretrained import pretrained_vae

    return DenoiseTraining(config, pretrained_vae(config.osediff.base.vae, pretrained), seed)


SPEC = StageSpec(
    "denoise",
    DenoiseStage,
    _build,
    products=(PRODUCT,),
    presets={"mini": MINI},
    needs=lambda config: products_of(VAE),
    shipped=lambda config: shipped(config.osediff.base.vae),
    chain=CHAIN,
)
