"""Settings of training runs: plain data, no torch. Named ones are in ``named`` and ``ablations``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from adcbench.core.errors import AdcbenchError
from adcbench.models import adcsr, osediff
from adcbench.models.parts.sd21 import LAST_STEP, VaeConfig
from adcbench.training.loop_config import LoopConfig

Clip: TypeAlias = Literal["ste", "hard", "none"]


@dataclass(frozen=True)
class DataConfig:
    """Where HR images come from and what is done to them.

    Args:
        sources: (source, steps it lasts) one after the other; the last one lasts to the end. Sources are written
            as ``adcbench.data.training.open_images`` takes them.
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

    sources: tuple[tuple[str, int], ...]
    crop: int = 512
    degradation: Literal["mild", "hard"] = "mild"
    one_draw: bool = False
    flip: bool = True
    best_of: int = 1
    cache: bool = False
    validation: str = ""
    validation_images: int = 8


@dataclass(frozen=True)
class Rates:
    """Learning rate of an optimiser: ``rate``, times ``factor`` from each of ``milestones`` (steps) on.

    ``warmup``: steps in which it rises linearly from 0.
    """

    rate: float
    milestones: tuple[int, ...] = ()
    factor: float = 0.5
    warmup: int = 0

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

    weight: float = 0.5
    start: int = 0
    rates: Rates = field(default_factory=lambda: Rates(1e-4))
    width: int = 64


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
    kl: float = 1e-6
    perceptual: float = 1.0
    patch: PatchLoss | None = None


@dataclass(frozen=True)
class DenoiseStage:
    """Mini scale only: the U-Net, from scratch, by predicting noise (Ho et al. 2020, equation 14).

    Args:
        osediff: sizes of all networks, of which the U-Net is trained in the VAE's latents.
    """

    osediff: osediff.OSEDiffConfig
    rates: Rates


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
    l2: float = 1.0
    perceptual: float = 2.0
    vsd: float = 1.0
    guidance: float = 7.5
    weight_decay: float = 1e-2
    clip: Clip = "hard"


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
    perceptual: float = 1.0
    patch: PatchLoss | None = field(default_factory=PatchLoss)
    clip: Clip = "none"


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
    adversarial: float = 1.0
    adversarial_start: int = 0
    discriminator: Literal["unet-lora", "unet-full", "patch"] = "unet-lora"
    rank: int = 4
    alpha: float = 8.0
    teacher_step: int | None = None
    pretrained: bool = True
    pixel: float = 0.0


StageConfig: TypeAlias = VaeStage | DenoiseStage | TeacherStage | DecoderStage | DistilStage


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run."""

    stage: StageConfig
    data: DataConfig
    loop: LoopConfig

    def check(self) -> None:
        """Refuse settings that don't fit together.

        Raises:
            AdcbenchError: names the setting and what it may be.
        """
        self.loop.check()
        stage, unit = self.stage, 8 if isinstance(self.stage, VaeStage | DecoderStage) else 64
        if self.data.crop < 64 or self.data.crop % unit:
            raise AdcbenchError(f"data.crop is {self.data.crop}; it must be a multiple of {unit}, and at least 64")
        if isinstance(stage, DistilStage):
            if stage.rank < 1:
                raise AdcbenchError(f"stage.rank is {stage.rank}; it must be at least 1")
            if stage.teacher_step is not None and not 0 <= stage.teacher_step <= LAST_STEP:
                raise AdcbenchError(f"stage.teacher_step is {stage.teacher_step}; it must be 0 to {LAST_STEP}")
            if len(stage.student.heads) != len(stage.student.unet_widths):
                raise AdcbenchError("stage.student.heads and stage.student.unet_widths must be of one length")
