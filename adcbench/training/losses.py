"""Losses that several stages share. Images are RGB in [-1, 1], (B, 3, H, W)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.training.config import Clip, PatchLoss
from adcbench.training.engine.stage import Batch, Loss

Perceptual = Callable[[Tensor, Tensor], Tensor]
_LARGEST = 1e4  # of the adaptive weight (latent-diffusion), against losses summed over an image


def clipped(image: Tensor, kind: Clip) -> Tensor:
    """An image in [-1, 1].

    Args:
        kind: ``hard``: pixels outside get no gradient; ``ste``: straight-through, they get the gradient of the
            clipped value (Bengio et al. 2013); ``none``: not clipped.
    """
    if kind == "none":
        return image
    inside = image.clamp(-1, 1)
    return inside if kind == "hard" else image + (inside - image).detach()


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating: mean softplus(-D(fake)) (Goodfellow et al. 2014; AdcSR's train.py)."""
    return F.softplus(-fake).mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mean softplus(D(fake)) + mean softplus(-D(real)) (AdcSR's train.py)."""
    return F.softplus(fake).mean() + F.softplus(-real).mean()


def hinge_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Half of mean relu(1 - D(real)) + mean relu(1 + D(fake)) (latent-diffusion's contperceptual.py)."""
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor, largest: float) -> Tensor:
    """How much larger the reconstruction's gradient is than the adversarial one, at most ``largest``.

    Both norms are those at ``last``, the weight of the decoder's last layer (Esser et al. 2021, equation 7).
    """
    (a,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (b,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    ratio: Tensor = a.norm() / (b.norm() + 1e-4)
    return ratio.clamp(0, largest).detach()


def reconstruction_losses(
    batch: Batch,
    image: Tensor,
    target: Tensor,
    last: Tensor,
    perceptual: tuple[Perceptual, float],
    patch: tuple[nn.Module, PatchLoss] | None,
    names: tuple[str, str],
    extra: dict[str, Tensor] | None = None,
) -> Iterator[Loss]:
    """L1, perceptual and, once it has started, hinge adversarial loss: latent-diffusion's for autoencoders.

    All are means over an image's values, where latent-diffusion sums them (its common scale, ``logvar``, is in no
    optimiser and stays 1): Adam sees no common scale. The adaptive weight is relative; its limit is theirs, divided
    by the number of values.

    Args:
        last: weight of the decoder's last layer.
        perceptual: the loss and its weight.
        patch: the discriminator of patches and its settings.
        names: of the optimisers: the decoder's and the discriminator's.
        extra: further losses, already weighted, by name.
    """
    measure, weight = perceptual
    parts = {"l1": (image - target).abs().mean(), "perceptual": measure(image, target).mean()}
    reconstruction = parts["l1"] + weight * parts["perceptual"]
    total = reconstruction + sum((extra or {}).values(), torch.zeros((), device=image.device))
    parts |= extra or {}
    if patch is None or batch.step < patch[1].start:
        yield Loss(names[0], total, parts)
        return
    discriminator, settings = patch
    adversarial = -discriminator(image).mean()
    scale = settings.weight * adaptive_weight(reconstruction, adversarial, last, _LARGEST / target[0].numel())
    yield Loss(names[0], total + scale * adversarial, parts | {"adversarial": adversarial, "adaptive": scale})
    loss = hinge_discriminator_loss(discriminator(target), discriminator(image.detach()))
    yield Loss(names[1], loss, {"discriminator": loss})
