"""Images in overlapping tiles, for those that do not fit in memory whole.

A convolutional network's tiled result equals the whole one wherever its receptive field ends inside a tile:
the outer three eighths of an overlap are thrown away, the two tiles are blended in the quarter between. What
looks at the whole image differs: attention, normalisation over the image, colour matching (see ``difference``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError
from adcbench.core.system import Upscaler
from adcbench.core.windows import window_starts
from adcbench.inference.forward import SCALE

if TYPE_CHECKING:
    from torch import Tensor

WHOLE_PIXELS = 512 * 512  # LR pixels up to which an image runs whole unless the user says otherwise
AUTO_TILE, OVERLAP = 256, 32


def automatic_tile(height: int, width: int) -> int:
    """The tile for an LR image where the user names none: 0 (whole) up to 512x512 pixels, above that 256."""
    return 0 if height * width <= WHOLE_PIXELS else AUTO_TILE


def in_tiles(upscaler: Upscaler, tile: int, overlap: int = OVERLAP) -> Upscaler:
    """An upscaler that runs another one tile by tile and joins the results, on the CPU in float32.

    The tiles are run one after another, so noise is drawn anew for each, in order, from the seeded generator.
    All tiles of an image have one size: the last ones are moved back to the edge.

    Args:
        tile: side of a tile in LR pixels; an image that is not larger runs whole. 0: every image runs whole.
        overlap: of neighbouring tiles, in LR pixels. More overlap, fewer seams, more work.

    Raises:
        AdcbenchError: a tile or an overlap that can't be.
    """
    if tile < 0 or overlap < 0 or (tile and overlap >= tile):
        raise AdcbenchError(f"tile {tile} with overlap {overlap}: the overlap must be smaller than the tile, both >= 0")

    def upscale(lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        if not tile or (height <= tile and width <= tile):
            return upscaler(lr)
        return _joined(upscaler, lr, (min(tile, height), min(tile, width)), overlap)

    return upscale


def _joined(upscaler: Upscaler, lr: Tensor, tile: tuple[int, int], overlap: int) -> Tensor:
    import torch

    sides = lr.shape[-2:]
    starts = [window_starts(side, size, overlap) for side, size in zip(sides, tile, strict=True)]
    total = torch.zeros((*lr.shape[:2], SCALE * sides[0], SCALE * sides[1]))
    weight = torch.zeros(SCALE * sides[0], SCALE * sides[1])
    for top, left in product(*starts):
        part = upscaler(lr[..., top : top + tile[0], left : left + tile[1]])
        rows = _ramps(top, tile[0], starts[0], overlap)
        columns = _ramps(left, tile[1], starts[1], overlap)
        here = rows[:, None] * columns
        place = (
            ...,
            slice(SCALE * top, SCALE * (top + tile[0])),
            slice(SCALE * left, SCALE * (left + tile[1])),
        )
        # where a tile counts for nothing its values are dropped, NaN too: its neighbour answers for those pixels
        total[place] += torch.where(here > 0, part.float().cpu(), 0) * here
        weight[place] += here
    return total / weight


def _ramps(start: int, tile: int, starts: list[int], overlap: int) -> Tensor:
    """Weights (4 tile,) of a tile's rows or columns: 1 inside, falling to 0 over each overlap with a neighbour."""
    import torch

    margin = SCALE * overlap * 3 // 8
    blend = SCALE * overlap - 2 * margin
    place = torch.arange(SCALE * tile) + 0.5
    weight = torch.ones(SCALE * tile)
    if start > starts[0]:
        weight *= ((place - margin) / max(blend, 1)).clamp(0, 1)
    if start < starts[-1]:
        weight *= ((SCALE * tile - place - margin) / max(blend, 1)).clamp(0, 1)
    return weight


@dataclass(frozen=True)
class Difference:
    """How an image upscaled in tiles differs from the whole one, in grey levels of 0 to 255.

    Args:
        rms, largest: of the difference over all pixels and channels.
        share: of values that differ by more than one grey level.
    """

    rms: float
    largest: float
    share: float

    def __str__(self) -> str:
        return (
            f"tiled against whole: rms {self.rms:.3f}, largest {self.largest:.1f} of 255, "
            f"{self.share:.2%} of values more than one grey level apart"
        )


def difference(tiled: Tensor, whole: Tensor) -> Difference:
    """Compare two outputs (1, 3, h, w) in [0, 1], clamped as they would be written."""
    levels = (tiled.cpu().float().clamp(0, 1) - whole.cpu().float().clamp(0, 1)).abs() * 255
    return Difference(levels.square().mean().sqrt().item(), levels.max().item(), (levels > 1).float().mean().item())
