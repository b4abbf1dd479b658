"""OSEDiff, the teacher: one step instead of many (Wu et al. 2024, section 3.3; upstream train_osediff.py at fcc4f09).

The generator is the VAE's encoder, the U-Net once at t = 999, and the VAE's decoder, frozen. Its losses: squared
error, LPIPS, and variational score distillation (VSD): the frozen U-Net and one that is tuned to the generator's own
latents say in which direction the latents should move. Order as upstream: generator, then the tuned U-Net, on the
latents made before the generator's step.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.lora import add_lora, lora_parameters, merged_state
from adcbench.systems.layers.sd21 import LAST_STEP, one_step
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff.network import unet_adapters, vae_adapters
from adcbench.systems.osediff.prompts import Prompter
from adcbench.training.engine.stage import Batch, Loss, integers, noise
from adcbench.training.losses import Perceptual, clipped
from adcbench.training.stages.adcsr.steps.diffusion import add_noise, clean_at
from adcbench.training.stages.adcsr.teacher import PRODUCTS, TeacherStage

_VSD_STEPS = (20, 980)


class TeacherTraining:
    """See ``stage.Stage``.

    Args:
        vae, unet: the pretrained networks.
        text: images (B, 3, H, W) in [0, 1] -> embeddings (B, tokens, width); upstream tags the HR.
    """

    def __init__(
        self, config: TeacherStage, vae: Vae, unet: UNet, text: Prompter, perceptual: Perceptual, seed: int
    ) -> None:
        self.config, self.text, self.perceptual = config, text, perceptual
        self.prior = copy.deepcopy(unet).requires_grad_(False)
        self.vae, self.unet, self.tuned = vae.requires_grad_(False), unet, copy.deepcopy(unet)
        if config.lora:
            trained, tuned = self._adapted(torch.Generator().manual_seed(seed))
        else:
            trained = [*self.unet.parameters(), *self.vae.encoder.parameters(), *self.vae.quant_conv.parameters()]
            tuned = list(self.tuned.parameters())
        for parameter in (*trained, *tuned):
            parameter.requires_grad_(True)
        self.networks: dict[str, nn.Module] = {"vae": self.vae, "unet": self.unet, "tuned": self.tuned}
        self.frozen: dict[str, nn.Module] = {"prior": self.prior, "text": text}
        if isinstance(perceptual, nn.Module):
            self.frozen["perceptual"] = perceptual
        decay = config.weight_decay
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.AdamW(trained, weight_decay=decay),
            "tuned": torch.optim.AdamW(tuned, weight_decay=decay),
        }

    def _adapted(self, generator: torch.Generator) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Put the adapters on; what the generator trains (conv_in whole, too), and what the tuned U-Net does."""
        ours = self.config.osediff
        adapters = ((self.unet, unet_adapters), (self.vae, vae_adapters), (self.tuned, unet_adapters))
        for network, named in adapters:
            network.requires_grad_(False)
            add_lora(network, named(network), ours.rank, ours.alpha / ours.rank, generator)
        conv_in = list(self.unet.get_submodule("conv_in.base_layer").parameters())
        trained = [*lora_parameters(self.unet), *conv_in, *lora_parameters(self.vae)]
        return trained, lora_parameters(self.tuned)

    def learning_rate(self, optimiser: str, step: int) -> float:
        return self.config.rates.at(step)

    def restore(self, lr: Tensor, text: Tensor, drawn: Tensor | None) -> tuple[Tensor, Tensor]:
        """LR (B, 3, h, w) in [0, 1] -> image (B, 3, 4h, 4w) in about [-1, 1] and its latent."""
        ours = self.config.osediff
        large = F.interpolate(lr * 2 - 1, scale_factor=float(ours.upscale), mode="bicubic")
        latent = self.vae.encode(large, drawn)
        clean = one_step(latent, self.unet(latent, ours.step, text), ours.step)
        return self.vae.decode(clean), clean

    def losses(self, batch: Batch) -> Iterator[Loss]:
        config, target = self.config, batch.hr * 2 - 1
        text = self.text(batch.hr)
        height, width = (side // self.vae.reduction for side in batch.hr.shape[2:])
        image, latent = self.restore(batch.lr, text, noise(batch, "posterior", (self.vae.latent, height, width)))
        image = clipped(image, config.clip)
        parts = {
            "l2": F.mse_loss(image, target),
            "perceptual": self.perceptual(image, target).mean(),
            "vsd": self.vsd(batch, latent, text),
        }
        weights = {"l2": config.l2, "perceptual": config.perceptual, "vsd": config.vsd}
        yield Loss("generator", sum((weights[k] * v for k, v in parts.items()), latent.new_zeros(())), parts)
        loss = self.denoising(batch, latent.detach(), text)
        yield Loss("tuned", loss, {"tuned": loss})

    def vsd(self, batch: Batch, latent: Tensor, text: Tensor) -> Tensor:
        """Squared error to the latents moved along the difference of both U-Nets' scores (OSEDiff, equation 6)."""
        steps, drawn = integers(batch, "vsd step", *_VSD_STEPS), noise(batch, "vsd noise", latent.shape[1:])
        with torch.no_grad():
            noisy = add_noise(latent, drawn, steps)
            tuned = clean_at(noisy, self.tuned(noisy, steps, text), steps)
            prior = clean_at(noisy, self.guided(noisy, steps, text), steps)
            weight = (latent - prior).abs().mean(dim=(1, 2, 3), keepdim=True)
            moved = latent - (tuned - prior) / weight
        return F.mse_loss(latent, moved)

    def guided(self, noisy: Tensor, steps: Tensor, text: Tensor) -> Tensor:
        """The frozen U-Net's prediction with classifier-free guidance against the empty prompt."""
        predicted: Tensor = self.prior(noisy, steps, text)
        if self.config.guidance == 1 or self.text.null:
            return predicted
        empty: Tensor = self.prior(noisy, steps, self.text.empty(noisy))
        return empty + self.config.guidance * (predicted - empty)

    def denoising(self, batch: Batch, latent: Tensor, text: Tensor) -> Tensor:
        """The tuned U-Net learns the generator's latents, by predicting noise at any step."""
        steps, drawn = integers(batch, "step", 0, LAST_STEP + 1), noise(batch, "noise", latent.shape[1:])
        return F.mse_loss(self.tuned(add_noise(latent, drawn, steps), steps, text), drawn)

    @torch.no_grad()
    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        image, _ = self.restore(batch.lr, self.text(batch.hr), None)
        image, target = image.clamp(-1, 1), batch.hr * 2 - 1
        error = F.mse_loss(image, target)
        measured = {"perceptual": self.perceptual(image, target).mean(), "psnr": 10 * torch.log10(4 / error)}
        weighted = self.config.l2 * error + self.config.perceptual * measured["perceptual"]
        scores = {"loss": weighted} | measured
        return image / 2 + 0.5, {name: float(value) for name, value in scores.items()}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return dict(zip(PRODUCTS, (merged_state(self.vae), merged_state(self.unet)), strict=True))
