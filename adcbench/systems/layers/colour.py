"""Colour fixes: give a super-resolved image the colours of its input.

AdcSR matches whole images in [-1, 1]; OSEDiff offers ``adain``, ``wavelet`` and ``nofix`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_ADAIN_EPS = 1e-5  # added to the variance
_WAVELET_LEVELS = 5


def match_statistics(sr: Tensor, lr: Tensor) -> Tensor:
    """Give each channel of each image the mean and unbiased deviation of the input's (AdcSR test.py).

    Call it once on the whole image: matching tile by tile blows up flat tiles.

    Args:
        sr: (B, C, H, W) float, any range.
        lr: (B, C, h, w) float, same range; any size.

    Returns:
        (B, C, H, W) float32. A flat SR channel has no deviation to scale by (upstream returns NaN): it
        becomes the LR channel's mean. Flat means that it varies by no more than its own float rounding.
    """
    sr, lr = sr.float(), lr.float()
    sr_mean, sr_std = _mean(sr), _std(sr)
    lr_mean, lr_std = _mean(lr), _std(lr)
    flat = _is_flat(sr)
    scale = torch.where(flat, 0.0, lr_std / torch.where(flat, 1.0, sr_std))
    return (sr - sr_mean) * scale + lr_mean


def adain(sr: Tensor, lr: Tensor) -> Tensor:
    """OSEDiff's ``adain`` fix: as ``match_statistics``, with 1e-5 added to both variances.

    Upstream rounds both images to 8 bits first; the caller does that where it matters.

    Args:
        sr: (B, C, H, W) float in [0, 1].
        lr: (B, C, h, w) float in [0, 1]; any size.
    """
    sr_std, lr_std = ((_std(x).square() + _ADAIN_EPS).sqrt() for x in (sr, lr))
    return (sr - _mean(sr)) / sr_std * lr_std + _mean(lr)


def wavelet(sr: Tensor, lr: Tensor) -> Tensor:
    """OSEDiff's ``wavelet`` fix: the fine detail of ``sr`` on the low frequencies of ``lr``.

    Args:
        sr: (B, C, H, W) float in [0, 1].
        lr: (B, C, H, W) float in [0, 1]: the input already enlarged to the size of ``sr``.
    """
    return sr - low_frequencies(sr) + low_frequencies(lr)


def nofix(sr: Tensor, lr: Tensor) -> Tensor:
    """OSEDiff's ``nofix``: ``sr`` as it is."""
    return sr


def low_frequencies(x: Tensor) -> Tensor:
    """Five blurs with [1 2 1] x [1 2 1] / 16, dilated by 1, 2, 4, 8, 16, edges repeated; (B, C, H, W)."""
    taps = x.new_tensor([1.0, 2.0, 1.0])
    kernel = (taps[:, None] * taps / 16).expand(x.shape[1], 1, 3, 3)
    for dilation in (2**level for level in range(_WAVELET_LEVELS)):
        edges = F.pad(x, (dilation,) * 4, mode="replicate")
        x = F.conv2d(edges, kernel, dilation=dilation, groups=x.shape[1])
    return x


COLOUR_FIXES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "adain": adain,
    "wavelet": wavelet,
    "nofix": nofix,
}


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True)


def _std(x: Tensor) -> Tensor:
    one_pixel = x.shape[2] * x.shape[3] == 1  # unbiased deviation of a single pixel would be 0/0
    return x.std((2, 3), correction=0 if one_pixel else 1, keepdim=True)


def _is_flat(x: Tensor) -> Tensor:
    rounding = 4 * torch.finfo(x.dtype).eps * x.abs().amax((2, 3), keepdim=True)
    return x.amax((2, 3), keepdim=True) - x.amin((2, 3), keepdim=True) <= rounding
