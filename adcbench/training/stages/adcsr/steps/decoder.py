"""Stage 1 of AdcSR: pretraining of the half decoder (AdcSR, section 3.2). Upstream never released this code.

The frozen encoder's latent of an image goes through the VAE's own post_quant_conv, then through the decoder at half
its width, which learns to give the image back. What is known and what is chosen: ``stages.adcsr.decoder``.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.patch_discriminator import PatchDiscriminator
from adcbench.systems.adcsr.pruning import prune_decoder
from adcbench.systems.layers.vae import Vae
from adcbench.training.engine.stage import Batch, Loss, noise, seeded
from adcbench.training.losses import Perceptual, clipped, reconstruction_losses
from adcbench.training.stages.adcsr.decoder import PRODUCT, DecoderStage
from adcbench.training.stages.adcsr.steps.vae import moments


class DecoderTraining:
    """See ``stage.Stage``.

    Args:
        vae: the frozen autoencoder.
    """

    def __init__(self, config: DecoderStage, vae: Vae, perceptual: Perceptual, seed: int) -> None:
        self.config, self.perceptual, self.vae = config, perceptual, vae.requires_grad_(False)
        with seeded(seed):
            self.decoder = HalfDecoder(config.student, latent=True)
        if config.start == "pruned":
            self.decoder.load_state_dict(prune_decoder(vae.decoder.state_dict(), self.decoder))
        self.networks: dict[str, nn.Module] = {"decoder": self.decoder}
        self.frozen: dict[str, nn.Module] = {"vae": self.vae}
        if isinstance(perceptual, nn.Module):
            self.frozen["perceptual"] = perceptual
        betas = (0.5, 0.9)  # latent-diffusion's
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "decoder": torch.optim.Adam(self.decoder.parameters(), betas=betas)
        }
        self.patch = None
        if config.patch:
            discriminator = PatchDiscriminator(3, config.patch.width, torch.Generator().manual_seed(seed))
            self.patch = (discriminator, config.patch)
            self.networks["discriminator"] = discriminator
            self.optimisers["discriminator"] = torch.optim.Adam(discriminator.parameters(), betas=betas)

    def learning_rate(self, optimiser: str, step: int) -> float:
        patch = self.config.patch
        return patch.rates.at(step) if patch and optimiser == "discriminator" else self.config.rates.at(step)

    def decoded(self, image: Tensor, drawn: Tensor | None) -> Tensor:
        """Image (B, 3, H, W) in [-1, 1] -> encoded, and decoded by the half decoder; not clipped.

        Args:
            drawn: standard normal, of the latent's shape: a sample of the posterior; None: its mean.
        """
        with torch.no_grad():
            mean, log_variance = moments(self.vae, image)
            latent = mean if drawn is None else mean + (log_variance / 2).exp() * drawn
            latent = self.vae.post_quant_conv(latent)
        restored: Tensor = self.decoder(latent)
        return restored

    def losses(self, batch: Batch) -> Iterator[Loss]:
        image = batch.hr * 2 - 1
        size = (self.vae.latent, *(side // self.vae.reduction for side in image.shape[2:]))
        drawn = noise(batch, "posterior", size) if self.config.posterior == "sample" else None
        restored = clipped(self.decoded(image, drawn), self.config.clip)
        yield from reconstruction_losses(
            batch, restored, image, self.decoder.conv_out.weight, (self.perceptual, self.config.perceptual),
            self.patch, ("decoder", "discriminator"),
        )  # fmt: skip

    @torch.no_grad()
    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        image = batch.hr * 2 - 1
        restored = self.decoded(image, None).clamp(-1, 1)
        measured = {"l1": (restored - image).abs().mean(), "perceptual": self.perceptual(restored, image).mean()}
        scores = {"loss": measured["l1"] + self.config.perceptual * measured["perceptual"]} | measured
        scores["psnr"] = 10 * torch.log10(4 / (restored - image).square().mean())
        return restored / 2 + 0.5, {name: float(value) for name, value in scores.items()}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {PRODUCT: dict(self.decoder.state_dict())}
