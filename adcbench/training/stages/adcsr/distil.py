"""Stage 2 of AdcSR: adversarial distillation of features (AdcSR, section 3.3; upstream train.py at d0b2871)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from adcbench.systems import adcsr, osediff
from adcbench.systems.layers.sd21 import LAST_STEP
from adcbench.systems.sizes import check_cut, check_half, check_osediff, check_pixels, check_student
from adcbench.training.config import Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Positive, Weight, Whole
from adcbench.training.stages.adcsr.ablations import WITHOUT_STAGE_1, of_distil
from adcbench.training.stages.adcsr.common import CLAIMS_LOOP, LSDIR, MINI_LOOP, PHOTOGRAPHS
from adcbench.training.stages.adcsr.decoder import SPEC as DECODER
from adcbench.training.stages.adcsr.denoise import SPEC as DENOISE
from adcbench.training.stages.adcsr.official import CHAIN, OFFICIAL, shipped
from adcbench.training.stages.adcsr.teacher import SPEC as TEACHER
from adcbench.training.stages.adcsr.vae import SPEC as VAE
from adcbench.training.stages.spec import StageSpec, products_of

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

PRODUCT = "student.safetensors"
Rank = Annotated[int, Field(ge=1, le=1024)]


@dataclass(frozen=True)
class DistilStage:
    """Settings of stage 2.

    Args:
        osediff: the teacher's sizes.
        student: the student's.
        rates, discriminator_rates: of the two Adams.
        adversarial: weight of the adversarial loss; 0: no discriminator at all.
        adversarial_start: step from which it counts (upstream: 0); before, the discriminator is not trained.
        discriminator: ``unet-lora`` (upstream), ``unet-full``, or ``patch``.
        rank, alpha: of the discriminator's LoRA.
        teacher_step: the time step at which the teacher runs, 0 to 999; None: its own.
        pretrained: the half decoder comes from stage 1; false: it is pruned from the VAE's own, and trained whole.
        pixel: weight of L1 plus the perceptual loss on the decoded image, which trains the decoder's tail too; 0
            (upstream): the tail is frozen and takes no part.
    """

    osediff: osediff.OSEDiffConfig
    student: adcsr.AdcSRConfig
    rates: Rates
    discriminator_rates: Rates = field(default_factory=lambda: Rates(1e-6))
    adversarial: Weight = 1.0
    adversarial_start: Whole = 0
    discriminator: Literal["unet-lora", "unet-full", "patch"] = "unet-lora"
    rank: Rank = 4
    alpha: Positive = 8.0
    teacher_step: Annotated[int, Field(ge=0, le=LAST_STEP)] | None = None
    pretrained: bool = True
    pixel: Weight = 0.0
    side: ClassVar[int] = 64

    def check(self, crop: int) -> None:
        """See ``config.StageConfig``."""
        check_osediff(self.osediff, "stage.osediff")
        check_student(self.student, "stage.student")
        check_cut(self.student, self.osediff, "stage.student", "stage.osediff")
        if not self.pretrained:
            check_half(self.student, self.osediff.base.vae, "stage.student", "stage.osediff.base.vae", pruned=True)
        check_pixels("stage.osediff.base.unet.widths", self.osediff.base.unet.widths, crop // 8)
        check_pixels("stage.student.unet_widths", self.student.unet_widths, crop // 8)


# At full size (upstream train.py, config.yml): 200 epochs of 1000 steps, the rate halved after 100.
FULL = RunConfig(
    DistilStage(osediff.FULL, adcsr.FULL, Rates(1e-4, (100_000,))),
    LSDIR,
    LoopConfig(steps=200_000, batch=96, micro_batch=12, precision="bf16", save_every=10_000),
)
FULL_UPSTREAM = replace(
    FULL,
    data=replace(LSDIR, one_draw=True),
    loop=replace(FULL.loop, precision="fp16", shared_scaler=True, tf32=True),
)
# The discriminator's rate: times the steps about as large as upstream's 1e-6 times 200,000.
MINI = RunConfig(
    DistilStage(
        osediff.TRAINED_MINI,
        adcsr.TRAINED_MINI,
        Rates(5e-4, (2_000, 3_000, 3_600), warmup=100),
        Rates(6e-5, warmup=100),
    ),
    PHOTOGRAPHS,
    replace(MINI_LOOP, steps=4_000, ema=0.999),
)
CLAIMS = RunConfig(
    replace(MINI.stage, rates=Rates(5e-4, (600, 800), warmup=20), adversarial_start=600), PHOTOGRAPHS, CLAIMS_LOOP
)


def _needs(config: DistilStage) -> dict[str, str]:
    return products_of(VAE, DENOISE, TEACHER) | (products_of(DECODER) if config.pretrained else {})


def _build(config: DistilStage, pretrained: Pretrained, seed: int) -> Stage:
    from adcbench.training.perceptual import load_perceptual
    from adcbench.training.stages.adcsr.steps.distil import DistilTraining
    from adcbench.training.stages.adcsr.steps.pretrained import pretrained_teacher, pretrained_unet

    perceptual = load_perceptual() if config.pixel else None
    teacher = pretrained_teacher(config.osediff, config.student, pretrained, config.pretrained)
    unet = pretrained_unet(config.osediff.base.unet, pretrained)
    return DistilTraining(config, teacher, unet, perceptual, seed)


def _one_stage(config: RunConfig[DistilStage], preset: str) -> RunConfig[DistilStage]:
    """Without a stage 1, over the steps of both; what is due at a step is stretched with them."""
    decoder = DECODER.presets.get(preset, DECODER.presets["full"])  # full-upstream has one stage of its own
    steps = config.loop.steps + decoder.loop.steps

    def stretched(step: int) -> int:
        return round(step * steps / config.loop.steps)

    def rates(rates: Rates) -> Rates:
        return replace(rates, milestones=tuple(map(stretched, rates.milestones)))

    stage = replace(
        config.stage,
        **WITHOUT_STAGE_1,
        rates=rates(config.stage.rates),
        discriminator_rates=rates(config.stage.discriminator_rates),
        adversarial_start=stretched(config.stage.adversarial_start),
    )
    return replace(config, stage=stage, loop=replace(config.loop, steps=steps))


SPEC = StageSpec(
    "distil",
    DistilStage,
    _build,
    products=(PRODUCT,),
    presets={"full": FULL, "full-upstream": FULL_UPSTREAM, "mini": MINI, "claims": CLAIMS},
    needs=_needs,
    ablations=of_distil(_one_stage),
    shipped=lambda config: shipped(config.osediff.base.vae),
    official=OFFICIAL,
    chain=CHAIN,
)
