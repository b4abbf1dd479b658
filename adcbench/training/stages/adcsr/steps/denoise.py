"""Mini scale only: the U-Net from scratch, which stands for Stable Diffusion's: it learns to predict noise.

Ho et al. 2020, equation 14, in the latent space of the frozen autoencoder (Rombach et al. 2022, equation 2). There
is no text at mini scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.sd21 import LAST_STEP
from adcbench.systems.layers.text_encoder import NullText
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.training.engine.stage import Batch, Loss, integers, noise, seeded
from adcbench.training.stages.adcsr.denoise import PRODUCT, DenoiseStage
from adcbench.training.stages.adcsr.steps.diffusion import add_noise


class DenoiseTraining:
    """See ``stage.Stage``.

    Args:
        vae: the trained autoencoder.
    """

    def __init__(self, config: DenoiseStage, vae: Vae, seed: int) -> None:
        self.vae, self.text = vae.requires_grad_(False), NullText(config.osediff.base.unet.context)
        self.config = config
        with seeded(seed):
            self.unet = UNet(config.osediff.base.unet)
        self.networks: dict[str, nn.Module] = {"unet": self.unet}
        self.frozen: dict[str, nn.Module] = {"vae": self.vae}
        self.optimisers: dict[str, torch.optim.Optimizer] = {"unet": torch.optim.Adam(self.unet.parameters())}

    def learning_rate(self, optimiser: str, step: int) -> float:
        return self.config.rates.at(step)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        loss = self._error(batch)
        yield Loss("unet", loss, {"noise": loss})

    def _error(self, batch: Batch) -> Tensor:
        with torch.no_grad():
            latent = self.vae.encode(batch.hr * 2 - 1, None)
        drawn, steps = noise(batch, "noise", latent.shape[1:]), integers(batch, "step", 0, LAST_STEP + 1)
        return F.mse_loss(self.unet(add_noise(latent, drawn, steps), steps, self.text(latent)), drawn)

    @torch.no_grad()
    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return batch.hr, {"noise": float(self._error(batch))}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {PRODUCT: dict(self.unet.state_dict())}
