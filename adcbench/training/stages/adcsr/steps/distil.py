"""Stage 2 of AdcSR: adversarial distillation (AdcSR, section 3.3; upstream train.py at d0b2871).

Student, teacher and discriminator meet in the features after the half decoder's middle block. Order as upstream: the
student's step on L1 to the teacher's features plus the adversarial loss, then the discriminator's on real features
(of the HR) and on the student's from before its step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from adcbench.systems.adcsr import DiscriminatorConfig
from adcbench.systems.adcsr import discriminator as discriminators
from adcbench.systems.adcsr import network as students
from adcbench.systems.adcsr.patch_discriminator import FEATURE_LAYERS, PatchDiscriminator
from adcbench.systems.adcsr.pruning import initial_student, prune_decoder
from adcbench.systems.layers.colour import match_statistics
from adcbench.systems.layers.unet import UNet
from adcbench.systems.osediff.teacher import Teacher
from adcbench.training.engine.stage import Batch, Loss
from adcbench.training.losses import Perceptual, discriminator_loss, generator_loss
from adcbench.training.stages.adcsr.distil import PRODUCT, DistilStage

_PATCH_WIDTH = 64


class DistilTraining:
    """See ``stage.Stage``.

    Args:
        teacher: with the half decoder of stage 1 in it.
        unet: Stable Diffusion's U-Net, which student and discriminator start from.
        perceptual: for ``config.pixel``.
    """

    def __init__(
        self, config: DistilStage, teacher: Teacher, unet: UNet, perceptual: Perceptual | None, seed: int
    ) -> None:
        self.config, self.perceptual = config, perceptual
        if config.teacher_step is not None:
            teacher.config = replace(teacher.config, step=config.teacher_step)
        if not config.pretrained:
            pruned = prune_decoder(teacher.base_vae.decoder.state_dict(), teacher.decoder)
            teacher.decoder.load_state_dict(pruned)
        self.teacher = teacher.requires_grad_(False)
        empty = teacher.text.empty(torch.zeros(1)) if config.student.text == "null" else None
        self.student = initial_student(
            config.student, unet.state_dict(), teacher.decoder.state_dict(), teacher.vae.state_dict(), empty
        )
        trained = students.trainable_parameters(self.student, whole_decoder=config.pixel > 0)
        self.networks: dict[str, nn.Module] = {"student": self.student}
        self.frozen: dict[str, nn.Module] = {"teacher": teacher}
        self.optimisers: dict[str, torch.optim.Optimizer] = {"student": torch.optim.Adam(trained.values())}
        if isinstance(perceptual, nn.Module):
            self.frozen["perceptual"] = perceptual
        self.discriminator: nn.Module | None = None
        if config.adversarial:
            self.discriminator, learned = _discriminator(config, unet, torch.Generator().manual_seed(seed))
            self.networks["discriminator"] = self.discriminator
            self.optimisers["discriminator"] = torch.optim.Adam(learned)

    def learning_rate(self, optimiser: str, step: int) -> float:
        rates = self.config.discriminator_rates if optimiser == "discriminator" else self.config.rates
        return rates.at(step)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        config = self.config
        text = self.teacher.text(batch.lr)
        target = self.teacher.target(batch.lr, text)
        features = self.student.features(batch.lr * 2 - 1, text=text if config.student.text == "given" else None)
        parts = {"distil": (features - target).abs().mean()}
        total = parts["distil"]
        if config.pixel:
            assert self.perceptual is not None
            image, hr = self.student.decoder.pixels(features), batch.hr * 2 - 1
            parts["pixel"] = (image - hr).abs().mean() + self.perceptual(image, hr).mean()
            total = total + config.pixel * parts["pixel"]
        adversarial = self.discriminator is not None and batch.step >= config.adversarial_start
        if adversarial:
            parts["adversarial"] = generator_loss(self.logits(features, text))
            total = total + config.adversarial * parts["adversarial"]
        yield Loss("student", total, parts)
        if adversarial:
            real = self.teacher.real(batch.hr)
            loss = discriminator_loss(self.logits(real, text), self.logits(features.detach(), text))
            yield Loss("discriminator", loss, {"discriminator": loss})

    def logits(self, features: Tensor, text: Tensor) -> Tensor:
        """The discriminator's logits of features (B, 256, h, w); only the U-Net reads the text."""
        assert self.discriminator is not None
        only_features = self.config.discriminator == "patch"
        logits: Tensor = self.discriminator(features) if only_features else self.discriminator(features, text)
        return logits

    @torch.no_grad()
    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        x, text = batch.lr * 2 - 1, self.teacher.text(batch.lr)
        features = self.student.features(x, text=text if self.config.student.text == "given" else None)
        distance = (features - self.teacher.target(batch.lr, text)).abs().mean()
        image = match_statistics(self.student.decoder.pixels(features), x).clamp(-1, 1) / 2 + 0.5
        psnr = -10 * torch.log10((image - batch.hr).square().mean())
        return image, {"distil": float(distance), "psnr": float(psnr)}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {PRODUCT: dict(self.student.state_dict())}


def _discriminator(config: DistilStage, unet: UNet, generator: torch.Generator) -> tuple[nn.Module, list[nn.Parameter]]:
    """The discriminator and what of it is trained."""
    width = config.student.decoder_widths[-1]
    if config.discriminator == "patch":
        patch = PatchDiscriminator(width, _PATCH_WIDTH, generator, FEATURE_LAYERS)
        return patch, list(patch.parameters())
    sizes = DiscriminatorConfig(
        config.osediff.base.unet, width, weights="all" if config.discriminator == "unet-full" else "lora",
        rank=config.rank, alpha=config.alpha,
    )  # fmt: skip
    discriminator = discriminators.make_discriminator(sizes, unet.state_dict(), generator)
    return discriminator, list(discriminators.trainable_parameters(discriminator).values())
