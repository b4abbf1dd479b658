"""Mini scale only: a KL autoencoder from scratch, which stands for Stable Diffusion's.

Rombach et al. 2022, section 3.1; latent-diffusion's losses (see ``losses``). ``normalised`` then scales the finished
latent to unit variance, so that SD's factor 0.18215 holds for it too.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from adcbench.systems.adcsr.patch_discriminator import PatchDiscriminator
from adcbench.systems.layers.vae import LOG_VARIANCE, Vae
from adcbench.training.engine.stage import Batch, Loss, noise, seeded
from adcbench.training.losses import Perceptual, reconstruction_losses
from adcbench.training.stages.adcsr.vae import PRODUCT, VaeStage


class VaeTraining:
    """See ``stage.Stage``."""

    def __init__(self, config: VaeStage, perceptual: Perceptual, seed: int) -> None:
        self.config, self.perceptual = config, perceptual
        with seeded(seed):
            self.vae = Vae(config.vae)
        self.networks: dict[str, nn.Module] = {"vae": self.vae}
        self.frozen: dict[str, nn.Module] = {"perceptual": perceptual} if isinstance(perceptual, nn.Module) else {}
        self.optimisers: dict[str, torch.optim.Optimizer] = {"vae": torch.optim.Adam(self.vae.parameters())}
        self.patch = None
        if config.patch:
            discriminator = PatchDiscriminator(3, config.patch.width, torch.Generator().manual_seed(seed))
            self.patch = (discriminator, config.patch)
            self.networks["discriminator"] = discriminator
            self.optimisers["discriminator"] = torch.optim.Adam(discriminator.parameters())

    def learning_rate(self, optimiser: str, step: int) -> float:
        patch = self.config.patch
        return patch.rates.at(step) if patch and optimiser == "discriminator" else self.config.rates.at(step)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        image = batch.hr * 2 - 1
        mean, log_variance = moments(self.vae, image)
        latent = mean + (log_variance / 2).exp() * noise(batch, "posterior", mean.shape[1:])
        restored = self.vae.decoder(self.vae.post_quant_conv(latent))
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum() / image.numel()
        yield from reconstruction_losses(
            batch, restored, image, self.vae.decoder.conv_out.weight, (self.perceptual, self.config.perceptual),
            self.patch, ("vae", "discriminator"), {"kl": self.config.kl * divergence},
        )  # fmt: skip

    @torch.no_grad()
    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        image = batch.hr * 2 - 1
        mean, _ = moments(self.vae, image)
        restored = self.vae.decoder(self.vae.post_quant_conv(mean)).clamp(-1, 1)
        error = (restored - image).square().mean()
        scores = {"l1": (restored - image).abs().mean(), "perceptual": self.perceptual(restored, image).mean()}
        scores |= {"psnr": 10 * torch.log10(4 / error), "latent_std": mean.std()}
        return restored / 2 + 0.5, {name: float(value) for name, value in scores.items()}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {PRODUCT: dict(self.vae.state_dict())}


def moments(vae: Vae, image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance of the posterior, (B, latent, h, w) each and not scaled, of images in [-1, 1]."""
    mean, log_variance = vae.quant_conv(vae.encoder(image)).chunk(2, 1)
    return mean, log_variance.clamp(*LOG_VARIANCE)


def normalised(tensors: dict[str, Tensor], deviation: float, scaling: float) -> dict[str, Tensor]:
    """The same autoencoder with a latent whose standard deviation, times ``scaling``, is 1 (before: ``deviation``)."""
    factor = 1 / (deviation * scaling)
    changed = dict(tensors)
    latent = len(tensors["quant_conv.bias"]) // 2
    for name in ("quant_conv.weight", "quant_conv.bias"):
        changed[name] = tensors[name].clone()
        changed[name][:latent] *= factor
    changed["quant_conv.bias"][latent:] += 2 * torch.log(torch.tensor(factor))
    changed["post_quant_conv.weight"] = tensors["post_quant_conv.weight"] / factor
    return changed
