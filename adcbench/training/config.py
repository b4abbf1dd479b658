"""Settings of training runs: plain data, no torch. Named ones are in ``named`` and ``ablations``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from adcbench.core.errors import AdcbenchError
from adcbench.systems import adcsr, osediff
from adcbench.systems.layers.sd21 import LAST_STEP, VaeConfig
from adcbench.systems.sizes import check_cut, check_half, check_osediff, check_pixels, check_student, check_vae
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Count, Factor, Positive, Weight, Whole, check_ranges

Width = Annotated[int, Field(ge=1, le=8192)]
Rank = Annotated[int, Field(ge=1, le=1024)]
Source = Annotated[str, Field(min_length=1, max_length=100_000)]
SMALLEST_CROP = {"mild": 64, "hard": 76}  # 76: the blurs of the hard degradation reflect that much
Clip: TypeAlias = Literal["ste", "hard", "none"]


@dataclass(frozen=True)
class DataConfig:
    """Where HR images come from and what is done to them.

    Args:
        sources: (source, steps it lasts) one after the other; the last one lasts to the end. Sources are written
            as ``data.training.sources.open_images`` takes them.
        crop: side of the square HR crops, in pixels.
        degradation: ``mild`` (AdcSR) or ``hard`` (OSEDiff), see ``adcbench.degradation.realesrgan``.
        one_draw: all samples of a micro-batch (upstream: of a GPU's batch) share what upstream draws once for them:
            the factors and modes of resizing, the kind of noise, whether to blur again, the order of the last steps.
        flip: half of the crops are mirrored.
        best_of: places in an image of which the one with most detail is taken, see ``adcbench.data.training.crops``.
        cache: keep decoded images in memory.
        validation: where the images for validation come from, as ``sources``; empty: none. ``bsds500/val`` and other
            relative paths are below ``ADCBENCH_DATA`` too.
        validation_images: how many; their centre crops are degraded once and for all.
    """

    sources: tuple[tuple[Source, Whole], ...]
    crop: Annotated[int, Field(ge=64, le=8192)] = 512
    degradation: Literal["mild", "hard"] = "mild"
    one_draw: bool = False
    flip: bool = True
    best_of: Annotated[int, Field(ge=1, le=1000)] = 1
    cache: bool = False
    validation: str = ""
    validation_images: Count = 8

    def check(self, side: int) -> None:
        """Refuse settings that don't fit together.

        Args:
            side: that a crop's must be a multiple of.

        Raises:
            AdcbenchError: names the setting, its value, and what it may be.
        """
        least = SMALLEST_CROP[self.degradation]
        if self.crop < least or self.crop % side:
            raise AdcbenchError(f"data.crop is {self.crop}; it must be a multiple of {side}, and at least {least}")
        if not self.sources:
            raise AdcbenchError("data.sources is empty; it must name a source of training images")
        for number, (source, steps) in enumerate(self.sources[:-1]):
            if not steps:
                raise AdcbenchError(
                    f"data.sources.{number}.1 is 0; it must be the steps that {source} lasts: only the last source's "
                    "number means to the end"
                )


@dataclass(frozen=True)
class Rates:
    """Learning rate of an optimiser: ``rate``, times ``factor`` from each of ``milestones`` (steps) on.

    ``warmup``: steps in which it rises linearly from 0.
    """

    rate: Weight
    milestones: Annotated[tuple[Whole, ...], Field(max_length=100)] = ()
    factor: Factor = 0.5
    warmup: Whole = 0

    def at(self, step: int) -> float:
        """The learning rate of a step; 0 is the first."""
        passed = sum(step >= milestone for milestone in self.milestones)
        risen = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate * self.factor**passed * risen


@dataclass(frozen=True)
class PatchLoss:
    """The adversarial part of a reconstruction loss, as in latent-diffusion: hinge, adaptive weight.

    Args:
        weight: factor on the adaptive weight.
        start: step from which it counts; before, neither side is trained.
        rates: of the discriminator.
        width: channels of its first layer.
    """

    weight: Weight = 0.5
    start: Whole = 0
    rates: Rates = field(default_factory=lambda: Rates(1e-4))
    width: Width = 64


@dataclass(frozen=True)
class VaeStage:
    """Mini scale only: the autoencoder, from scratch (Rombach et al. 2022, section 3.1 and appendix G).

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
    side: ClassVar[int] = 8  # that a crop's must be a multiple of

    def unets(self) -> dict[str, tuple[int, ...]]:
        """Widths of the U-Nets that run, by setting."""
        return {}

    def check(self) -> None:
        """Refuse sizes that can't be built or don't fit each other. Raises AdcbenchError."""
        check_vae(self.vae, "stage.vae")


@dataclass(frozen=True)
class DenoiseStage:
    """Mini scale only: the U-Net, from scratch, by predicting noise (Ho et al. 2020, equation 14).

    Args:
        osediff: sizes of all networks, of which the U-Net is trained in the VAE's latents.
    """

    osediff: osediff.OSEDiffConfig
    rates: Rates
    side: ClassVar[int] = 64  # that a crop's must be a multiple of

    def unets(self) -> dict[str, tuple[int, ...]]:
        """Widths of the U-Nets that run, by setting."""
        return {"osediff.base.unet.widths": self.osediff.base.unet.widths}

    def check(self) -> None:
        """Refuse sizes that can't be built or don't fit each other. Raises AdcbenchError."""
        check_osediff(self.osediff, "stage.osediff")


@dataclass(frozen=True)
class TeacherStage:
    """OSEDiff: the U-Net and the VAE's encoder tuned to one step (OSEDiff, section 3.3; train_osediff.py).

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
    side: ClassVar[int] = 64  # that a crop's must be a multiple of

    def unets(self) -> dict[str, tuple[int, ...]]:
        """Widths of the U-Nets that run, by setting."""
        return {"osediff.base.unet.widths": self.osediff.base.unet.widths}

    def check(self) -> None:
        """Refuse sizes that can't be built or don't fit each other. Raises AdcbenchError."""
        check_osediff(self.osediff, "stage.osediff")


@dataclass(frozen=True)
class DecoderStage:
    """Stage 1 of AdcSR: the half decoder learns to decode the latents of the frozen encoder.

    The code was never released. Known (second-hand): L1, LPIPS and a patch discriminator; batch 96; 250K steps on
    OpenImages, then 250K on faces and LAION-Aesthetic; latent-diffusion's code. Chosen by us: all numbers here.

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
    side: ClassVar[int] = 8  # that a crop's must be a multiple of

    def unets(self) -> dict[str, tuple[int, ...]]:
        """Widths of the U-Nets that run, by setting."""
        return {}

    def check(self) -> None:
        """Refuse sizes that can't be built or don't fit each other. Raises AdcbenchError."""
        check_vae(self.vae, "stage.vae")
        check_student(self.student, "stage.student")
        check_half(self.student, self.vae, "stage.student", "stage.vae", self.start == "pruned")


@dataclass(frozen=True)
class DistilStage:
    """Stage 2 of AdcSR: adversarial distillation of features (AdcSR, section 3.3; upstream train.py at d0b2871).

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
    side: ClassVar[int] = 64  # that a crop's must be a multiple of

    def unets(self) -> dict[str, tuple[int, ...]]:
        """Widths of the U-Nets that run, by setting."""
        return {
            "osediff.base.unet.widths": self.osediff.base.unet.widths,
            "student.unet_widths": self.student.unet_widths,
        }

    def check(self) -> None:
        """Refuse sizes that can't be built or don't fit each other. Raises AdcbenchError."""
        check_osediff(self.osediff, "stage.osediff")
        check_student(self.student, "stage.student")
        check_cut(self.student, self.osediff, "stage.student", "stage.osediff")
        if not self.pretrained:
            check_half(self.student, self.osediff.base.vae, "stage.student", "stage.osediff.base.vae", pruned=True)


StageConfig: TypeAlias = VaeStage | DenoiseStage | TeacherStage | DecoderStage | DistilStage


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run."""

    stage: StageConfig
    data: DataConfig
    loop: LoopConfig

    def check(self) -> None:
        """Refuse settings that are out of their ranges or don't fit together.

        Raises:
            AdcbenchError: names the setting, its value, and what it may be.
        """
        check_ranges(self.stage, "stage")
        check_ranges(self.data, "data")
        self.loop.check()
        self.data.check(self.stage.side)
        self.stage.check()
        for name, widths in self.stage.unets().items():
            check_pixels(f"stage.{name}", widths, self.data.crop // 8)
