"""Images as tensors, as 8-bit levels and as Pillow pictures: what inference paths have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from adcbench.core.errors import AdcbenchError

LATENT_PIXELS = 8  # sides of an image over those of Stable Diffusion's latent


def check_images(lr: Tensor, title: str) -> None:
    """Refuse what is not a batch of RGB images (B, 3, h, w); ``title`` is the system's."""
    if lr.ndim != 4 or lr.shape[1] != 3:
        raise AdcbenchError(f"{title} takes RGB images (B, 3, h, w); got a tensor of shape {tuple(lr.shape)}")


def to_picture(image: Tensor) -> Image.Image:
    """(3, h, w) float in [0, 1] as a picture, to the nearest of 8-bit levels."""
    return Image.fromarray((image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy())


def from_picture(picture: Image.Image) -> Tensor:
    """A picture as (3, h, w) float in [0, 1]."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def truncate(image: Tensor) -> Tensor:
    """Float in [0, 1] cut down to 8-bit levels, as torchvision's ToPILImage does, often before a colour fix."""
    return (image * 255).floor() / 255


def enlarge_in_levels(image: Tensor, upscale: int, smallest: int, last: Image.Resampling) -> Tensor:
    """The enlarged input of OSEDiff and SeeSR: (3, h, w) in [0, 1] -> (3, H, W), H and W multiples of 8.

    All in Pillow and 8 bits: first up to a short side of ``smallest``, then by ``upscale`` (both bicubic), then cut
    down to multiples of 8 by the filter ``last``.
    """
    picture = to_picture(image)
    if min(picture.size) < smallest:
        scale = smallest / min(picture.size)
        picture = picture.resize((int(scale * picture.width), int(scale * picture.height)))
    picture = picture.resize((picture.width * upscale, picture.height * upscale))
    width, height = (side - side % LATENT_PIXELS for side in picture.size)
    return from_picture(picture.resize((width, height), last))


def resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, H, W) to the height and width of ``size``, antialiased bicubic; itself if it has them."""
    if list(image.shape[2:]) == list(size):
        return image
    return F.interpolate(image, tuple(size), mode="bicubic", antialias=True)


def shared_noise(like: Tensor) -> Tensor:
    """Standard normal (B, C, h, w) float32 on the device of ``like``, every image's the same.

    Drawn from torch's default CPU generator, so that an image's noise depends on no neighbour and no device.
    """
    return torch.randn(like.shape[1:]).to(like.device).expand(like.shape)
