"""Stage 1 of AdcSR: the half decoder learns to decode the latents of the frozen encoder (AdcSR, section 3.2).

The code was never released. Known (second-hand): L1, LPIPS and a patch discriminator; batch 96; 250K steps on
OpenImages, then 250K on faces and LAION-Aesthetic; latent-diffusion's code. Chosen by us: all numbers here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from adcbench.systems import adcsr, osediff
from adcbench.systems.layers import sd21
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.systems.sizes import check_half, check_student, check_vae
from adcbench.training.config import Clip, DataConfig, PatchLoss, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Weight
from adcbench.training.stages.adcsr.ablations import of_decoder
from adcbench.training.stages.adcsr.common import CLAIMS_LOOP, MINI_LOOP, PHOTOGRAPHS
from adcbench.training.stages.adcsr.official import CHAIN, OFFICIAL, shipped
from adcbench.training.stages.adcsr.vae import SPEC as VAE
from adcbench.training.stages.spec import StageSpec, products_of

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

PRODUCT = "decoder.safetensors"


@dataclass(frozen=True)
class DecoderStage:
    """Settings of stage 1.

    Args:
        vae: sizes of the frozen autoencoder.
        student: sizes of the half decoder.
        start: ``scratch``, or ``pruned``: the first channels of the VAE's own decoder.
        posterior: decode a ``sample`` (as latent-diffusion) or the ``mean`` (what stage 2 feeds) of the latent.
        clip: how the image is clipped to [-1, 1] before the losses.
    """

    vae: VaeConfig
    student: adcsr.AdcSRConfig
    rates: Rates
    start: Literal["scratch", "pruned"] = "scratch"
    posterior: Literal["sample", "mean"] = "sample"
    perceptual: Weight = 1.0
    patch: PatchLoss | None = field(default_factory=PatchLoss)
    clip: Clip = "none"
    side: ClassVar[int] = 8

    def check(self, crop: int) -> None:
        """See ``config.StageConfig``."""
        check_vae(self.vae, "stage.vae")
        check_student(self.student, "stage.student")
        check_half(self.student, self.vae, "stage.student", "stage.vae", self.start == "pruned")


# At full size. Batch, data and the 500,000 steps are second-hand; weights are latent-diffusion's. Its rate is 4.5e-6
# times the batch: here a GPU's, not that of all eight (docs/training.md).
FULL = RunConfig(
    DecoderStage(
        sd21.VaeConfig(), adcsr.FULL, Rates(4.5e-6 * 12), patch=PatchLoss(start=50_001, rates=Rates(4.5e-6 * 12))
    ),
    DataConfig((("hub:OpenImages", 250_000), ("hub:LAION-Face", 125_000), ("hub:LAION-Aesthetic", 0)), crop=256),
    LoopConfig(steps=500_000, batch=96, micro_batch=12, precision="bf16", save_every=5_000),
)
MINI = RunConfig(
    DecoderStage(
        osediff.TRAINED_MINI.base.vae, adcsr.TRAINED_MINI, Rates(5e-4, (1_400, 1_800), warmup=100), start="pruned",
        perceptual=0.2, patch=PatchLoss(0.1, start=1_400, rates=Rates(2e-4), width=16),
    ),
    PHOTOGRAPHS,
    replace(MINI_LOOP, steps=2_000, ema=0.999),
)  # fmt: skip
CLAIMS = RunConfig(
    replace(
        MINI.stage,
        rates=Rates(5e-4, (280, 350), warmup=20),
        patch=PatchLoss(0.1, start=280, rates=Rates(2e-4), width=16),
    ),
    PHOTOGRAPHS,
    replace(CLAIMS_LOOP, steps=400),
)


def _build(config: DecoderStage, pretrained: Pretrained, seed: int) -> Stage:
    from adcbench.training.perceptual import load_perceptual
    from adcbench.training.stages.adcsr.steps.decoder import DecoderTraining
    from adcbench.training.stages.adcsr.steps.pretrained import pretrained_vae

    perceptual = load_perceptual()
    return DecoderTraining(config, pretrained_vae(config.vae, pretrained), perceptual, seed)


SPEC = StageSpec(
    "decoder",
    DecoderStage,
    _build,
    products=(PRODUCT,),
    presets={"full": FULL, "mini": MINI, "claims": CLAIMS},
    needs=lambda config: products_of(VAE),
    ablations=of_decoder(),
    shipped=lambda config: shipped(config.vae),
    official=OFFICIAL,
    chain=CHAIN,
)
