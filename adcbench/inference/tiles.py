"""Images in overlapping tiles, for those that do not fit in memory whole.

A convolutional network's tiled result equals the whole one wherever its receptive field ends inside a tile:
the outer three eighths of an overlap are thrown away, the two tiles are blended in the quarter between. What
looks at the whole image differs: attention, normalisation over the image, colour matching (see ``difference``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.memory import physical_memory
from adcbench.core.outputs import checked_finite, checked_range, checked_shape
from adcbench.core.rounding import Rounding
from adcbench.core.windows import window_starts
from adcbench.inference.forward import input_of, seeded, to_pixels
from adcbench.systems.system import FACTOR, Upscaler

if TYPE_CHECKING:
    from torch import Tensor

WHOLE_PIXELS = 512 * 512  # LR pixels up to which an image runs whole unless the user says otherwise
AUTO_TILE, OVERLAP = 256, 32
_PER_PIXEL = 3 + 4 + 3  # bytes of an output: ours, Pillow's while it is encoded, and the PNG's at most


def automatic_tile(height: int, width: int) -> int:
    """The tile for an LR image where the user names none: 0 (whole) up to 512x512 pixels, above that 256."""
    return 0 if height * width <= WHOLE_PIXELS else AUTO_TILE


def in_tiles(upscaler: Upscaler, tile: int, overlap: int = OVERLAP, factor: int = FACTOR) -> Upscaler:
    """An upscaler that runs another one tile by tile and joins the results, on the CPU in float32.

    The tiles are run one after another, so noise is drawn anew for each, in order, from the seeded generator.
    All tiles of an image have one size: the last ones are moved back to the edge.

    Args:
        tile: side of a tile in LR pixels; an image that is not larger runs whole. 0: every image runs whole.
        overlap: of neighbouring tiles, in LR pixels. More overlap, fewer seams, more work.
        factor: sides of the output over those of the input.

    Raises:
        AdcbenchError: a tile or an overlap that can't be.
    """
    if tile < 0 or overlap < 0 or (tile and overlap >= tile):
        raise AdcbenchError(f"tile {tile} with overlap {overlap}: the overlap must be smaller than the tile, both >= 0")

    def upscale(lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        if not is_tiled(height, width, tile):
            return upscaler(lr)
        import torch

        whole = torch.empty((*lr.shape[:2], factor * height, factor * width))
        shape = (*lr.shape[:2], height, width)
        for top, band in _bands(lambda rows, columns: upscaler(lr[..., rows, columns]), shape, tile, overlap, factor):
            whole[..., top : top + band.shape[-2], :] = band
        return whole

    return upscale


def is_tiled(height: int, width: int, tile: int) -> bool:
    """Whether an image of that size is more than one tile."""
    return bool(tile) and max(height, width) > tile


def pixels_in_tiles(
    upscaler: Upscaler,
    lr: np.ndarray,
    device: str,
    seed: int | None,
    rounding: Rounding,
    tile: int,
    overlap: int,
    factor: int = FACTOR,
) -> np.ndarray:
    """What ``upscale_pixels`` makes of ``in_tiles(upscaler, tile, overlap)``, with the output in 8 bits band by band.

    Args:
        lr: (h, w, 3) uint8 RGB, larger than a tile.

    Returns:
        (factor * h, factor * w, 3) uint8 RGB.

    Raises:
        AdcbenchError: see ``upscale_pixels``; or the output does not fit into this machine's memory.
    """
    height, width = lr.shape[:2]
    check_room(height, width, factor)
    pixels = np.empty((factor * height, factor * width, 3), np.uint8)

    def run(rows: slice, columns: slice) -> Tensor:
        return upscaler(input_of(lr[rows, columns], device))

    with seeded(seed, device):
        for top, band in _bands(run, (1, 3, height, width), tile, overlap, factor):
            pixels[top : top + band.shape[-2]] = to_pixels(checked_range(checked_finite(band)), rounding)
    return pixels


def check_room(height: int, width: int, factor: int = FACTOR) -> None:
    """Raise ``AdcbenchError`` where the output of an LR image would not fit into memory in 8 bits, to be encoded."""
    need, memory = factor * factor * height * width * _PER_PIXEL, physical_memory()
    if memory and need > memory:
        raise AdcbenchError(
            f"its output of {factor * width}x{factor * height} pixels takes {need / 1e9:.1f} GB in any tiles, and this "
            f"machine has {memory / 1e9:.1f} GB; cut the image into parts"
        )


def _bands(
    run: Callable[[slice, slice], Tensor], shape: tuple[int, int, int, int], tile: int, overlap: int, factor: int
) -> Iterator[tuple[int, Tensor]]:
    """Finished rows of the joined output, from the top: (first row, (N, 3, rows, factor * w) float32 on the CPU).

    Args:
        run: rows and columns of LR -> the output of that tile.
        shape: of LR, (N, 3, h, w).
    """
    import torch

    lead, sides = shape[:2], shape[2:]
    size = [min(tile, side) for side in sides]
    starts = [window_starts(side, one, overlap) for side, one in zip(sides, size, strict=True)]
    total, weight = torch.zeros(*lead, 0, factor * sides[1]), torch.zeros(0, factor * sides[1])
    for top, below in zip(starts[0], [*starts[0][1:], sides[0]], strict=True):
        new = factor * size[0] - len(weight)
        total = torch.cat([total, torch.zeros(*lead, new, factor * sides[1])], dim=-2)
        weight = torch.cat([weight, torch.zeros(new, factor * sides[1])])
        rows = _ramps(top, size[0], starts[0], overlap, factor)
        for left in starts[1]:
            part = run(slice(top, top + size[0]), slice(left, left + size[1]))
            part = checked_shape(part, (*lead, factor * size[0], factor * size[1])).float().cpu()
            here = rows[:, None] * _ramps(left, size[1], starts[1], overlap, factor)
            place = (..., slice(factor * left, factor * (left + size[1])))
            # where a tile counts for nothing its values are dropped, NaN too: its neighbour answers for those pixels
            total[place] += torch.where(here > 0, part, 0) * here
            weight[place] += here
        done = factor * (below - top)
        yield factor * top, total[..., :done, :] / weight[:done]
        total, weight = total[..., done:, :], weight[done:]


def _ramps(start: int, tile: int, starts: list[int], overlap: int, factor: int) -> Tensor:
    """Weights (factor * tile,) of a tile's rows or columns: 1 inside, falling to 0 over overlaps with neighbours."""
    import torch

    margin = factor * overlap * 3 // 8
    blend = factor * overlap - 2 * margin
    place = torch.arange(factor * tile) + 0.5
    weight = torch.ones(factor * tile)
    if start > starts[0]:
        weight *= ((place - margin) / max(blend, 1)).clamp(0, 1)
    if start < starts[-1]:
        weight *= ((factor * tile - place - margin) / max(blend, 1)).clamp(0, 1)
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
