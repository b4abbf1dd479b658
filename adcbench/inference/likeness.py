"""Whether an output is its input in large: the same channels, range and place.

An untrained network's output has nothing of its input, so nothing can be said of it: each finding needs an output
that is like the input in every respect but one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING

from adcbench.core.outputs import FAR_SHARE, far_outside
from adcbench.systems.system import FACTOR

if TYPE_CHECKING:
    from torch import Tensor

_ALIKE = 0.8  # correlation with the input: trained networks reach 0.9, untrained ones with colour matching 0.7
_EDGES_ALIKE = 0.4  # the same without the coarse structure: 0.65 and more, at most 0.15
_FLAT = 1e-4  # spread of values that stands for none
_TURNS = {(3,): "mirrored left to right", (2,): "upside down", (2, 3): "turned by 180 degrees"}  # dimensions flipped
_REACH, _BLUR = 4, 17  # of shifts, and of the mean that is taken off, in SR pixels


def leaves(height: int = 32, width: int = 40) -> Tensor:
    """A picture with natural statistics and independent channels: discs over discs, (1, 3, height, width) in [0, 1]."""
    import torch
    import torch.nn.functional as F

    draws = torch.rand((60, 6), generator=torch.Generator().manual_seed(0)).tolist()
    rows, columns = torch.arange(8 * height)[:, None] / 8, torch.arange(8 * width)[None] / 8
    picture = torch.full((1, 3, 8 * height, 8 * width), 0.5)
    for red, green, blue, y, x, size in draws:
        inside = (rows - y * height).square() + (columns - x * width).square() < (2 + 6 * size * size) ** 2
        picture = torch.where(inside, torch.tensor([red, green, blue])[:, None, None], picture)
    return F.avg_pool2d(picture, 8)


def unlike(sr: Tensor, lr: Tensor, trained: bool = True, factor: int = FACTOR) -> Iterator[str]:
    """How an output is not its input in large, a sentence each.

    Args:
        sr: (1, 3, factor * h, factor * w), finite.
        lr: (1, 3, h, w) in [0, 1], as ``leaves`` makes it.
        trained: False: of an output that is not like its input nothing is said, whatever its range.
    """
    import torch.nn.functional as F

    sr = sr.detach().float().cpu()
    lr = lr.cpu()
    small = F.avg_pool2d(sr, factor)
    matched = [[_correlation(small[0, i], lr[0, j]) for j in range(3)] for i in range(3)]
    order = max(permutations(range(3)), key=lambda places: sum(matched[i][places[i]] for i in range(3)))
    if order != (0, 1, 2) and min(matched[i][order[i]] for i in range(3)) > _ALIKE:
        yield f"its channels come out as {''.join('RGB'[i] for i in order)}, not RGB"
        lr = lr[:, list(order)]
    if trained and sr.std().item() < _FLAT:
        yield f"its output is {sr.mean().item():.3g} everywhere: it has nothing of its input"
    if sr.std(dim=1).max().item() < _FLAT < sr.std().item():
        yield "its output is grey: its three channels are equal"
    alike = _correlation(small, lr)
    if alike < -_ALIKE:
        yield "its output is the negative of its input"
    if turned := [words for sides, words in _TURNS.items() if _correlation(small, lr.flip(sides)) > _ALIKE]:
        yield f"its output is {turned[0]}"
    slope = alike * (small.std() / lr.std()).item()
    offset = small.mean().item() - slope * lr.mean().item()
    if alike > _ALIKE and not (0.4 < slope < 1.6 and abs(offset) < 0.3):
        yield f"its output is about {slope:.3g} * input {offset:+.2f}: it must be RGB in [0, 1], as the input"
    elif trained and (share := far_outside(sr)) > FAR_SHARE:
        yield f"{share:.0%} of its output lie far outside [0, 1], from {sr.min().item():.3g} to {sr.max().item():.3g}"
    alike_at = _shifts(sr, F.interpolate(lr, scale_factor=float(factor), mode="bicubic"))
    (down, right), best = max(alike_at.items(), key=lambda item: item[1])
    if best > _EDGES_ALIKE and alike_at[0, 0] < 0.985 * best:
        yield f"its output is shifted by {right} pixels to the right and {down} down, against the input in large"


def _shifts(sr: Tensor, large: Tensor) -> dict[tuple[int, int], float]:
    """Correlation of the fine structures of two images by the shift (down, right) of the first, in pixels."""
    edge = _BLUR // 2 + _REACH
    height, width = (side - 2 * edge for side in sr.shape[-2:])
    fine, reference = _fine(sr), _fine(large)[..., edge : edge + height, edge : edge + width]
    reach = range(-_REACH, _REACH + 1)
    return {
        (y, x): _correlation(fine[..., edge + y : edge + y + height, edge + x : edge + x + width], reference)
        for y in reach
        for x in reach
    }


def _fine(image: Tensor) -> Tensor:
    import torch.nn.functional as F

    return image - F.avg_pool2d(image, _BLUR, stride=1, padding=_BLUR // 2, count_include_pad=False)


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))
