"""Mini scale only: the autoencoder, from scratch (Rombach et al. 2022, section 3.1 and appendix G)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from adcbench.systems import osediff
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.systems.sizes import check_vae
from adcbench.training.config import PatchLoss, Rates, RunConfig
from adcbench.training.engine.ranges import Weight
from adcbench.training.stages.adcsr.common import MINI_LOOP, PHOTOGRAPHS
from adcbench.training.stages.adcsr.official import CHAIN, shipped
from adcbench.training.stages.spec import StageSpec

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

PRODUCT = "vae.safetensors"


@dataclass(frozen=True)
class VaeStage:
    """Settings of the autoencoder's training.

    Args:
        kl: weight of the Kullback-Leibler term, against the mean error of a pixel.
        perceptual: weight of LPIPS, or of what stands in for it.
        patch: None: not adversarial.
    """

    vae: VaeConfig
    rates: Rates
    kl: Weight = 1e-6
    perceptual: Weight = 1.0
    patch: PatchLoss | None = None
    side: ClassVar[int] = 8

    def check(self, crop: int) -> None:
        """See ``config.StageConfig``."""
        check_vae(self.vae, "stage.vae")


MINI = RunConfig(
    VaeStage(
        osediff.TRAINED_MINI.base.vae, Rates(8e-4, (6_000, 12_000, 18_000, 22_000), warmup=100), kl=1e-5, perceptual=0.1
    ),
    replace(PHOTOGRAPHS, crop=64, validation_images=32),
    replace(MINI_LOOP, steps=24_000, batch=4, micro_batch=2, clip_norm=1.0, save_every=1_000, validate_every=4_000),
)


def _build(config: VaeStage, pretrained: Pretrained, seed: int) -> Stage:
    from adcbench.training.perceptual import load_perceptual
    from adcbench.training.stages.adcsr.steps.vae import VaeTraining

    return VaeTraining(config, load_perceptual(), seed)


SPEC = StageSpec(
    "vae",
    VaeStage,
    _build,
    products=(PRODUCT,),
    presets={"mini": MINI},
    shipped=lambda config: shipped(config.vae),
    chain=CHAIN,
)
