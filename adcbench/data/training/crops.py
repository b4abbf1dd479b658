"""Crops to train on: sample n of a run is a function of the seed and n, whatever the workers and processes.

Images are drawn with replacement, as upstream draws them (dataset.py of AdcSR: a random index for each sample):
so sample n needs no memory of those before it, and a run resumes anywhere. Over 200K steps of 96 on LSDIR's 85K
images an image comes 226 times, give or take 15, so epochs would change nothing that shows.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from adcbench.core.errors import AdcbenchError, listed
from adcbench.data.training.decode import Undecodable
from adcbench.data.training.sources import Images

TRIES = 10  # images drawn for one sample
MOST_BROKEN = 0.1  # of a source
_READ, _BROKEN = 1, 2


class Crop(NamedTuple):
    """One sample; ``default_collate`` makes a batch of it.

    Args:
        pixels: (3, size, size) uint8 RGB.
        image: number of the image.
        top, left: of the crop, in the image as it is after mirroring.
        flipped: whether the image was mirrored left to right.
    """

    pixels: Tensor
    image: int
    top: int
    left: int
    flipped: bool


class Crops(Dataset[Crop]):
    """Square crops by sample number.

    A uniformly drawn image, mirrored or not, reflected at the bottom and right (without repeating the edge) where
    it is smaller than the crop, then a uniformly drawn place: upstream's order. An image that is there but can't be
    decoded is left out, and the sample draws again.

    ``best_of`` is not upstream's: of so many places in the drawn image the one with most detail (see ``_detail``),
    for photographs that are half sky and blur, where LSDIR's were chosen to be sharp.

    Args:
        images: any source.
        size: side of a crop in pixels.
        seed: the run's.
        flip: mirror half of the samples.
        best_of: places to choose from; 1: no choice.
        samples: how many samples there are; any number may be asked for.
    """

    def __init__(
        self, images: Images, size: int, seed: int, flip: bool = True, best_of: int = 1, samples: int = 1 << 31
    ) -> None:
        self.images, self.size, self.seed = images, size, seed
        self.flip, self.best_of, self.samples = flip, best_of, samples
        self._states = torch.zeros(len(images), dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]  # workers write, all see

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, sample: int) -> Crop:
        """Sample n.

        Raises:
            AdcbenchError: an image is no longer there; or ten drawn ones in a row, or more than a tenth of all
                (and more than one), can't be decoded.
        """
        for attempt in range(TRIES):
            image, flip, down, right = _draws(self.seed, sample, attempt)
            image %= len(self.images)
            pixels = self._pixels(image)
            if pixels is not None:
                break
        else:
            raise AdcbenchError(f"{TRIES} images in a row can't be decoded; {self.report()}")
        flipped = self.flip and flip % 2 == 1
        crops = [self._crop(pixels, image, down, right, flipped)]
        for place in range(1, self.best_of):
            _, _, down, right = _draws(self.seed, sample, TRIES + place)
            crops.append(self._crop(pixels, image, down, right, flipped))
        return max(crops, key=_detail) if self.best_of > 1 else crops[0]

    def broken(self) -> list[str]:
        """Names of the images that could not be decoded so far, by any worker of this process."""
        return [self.images.name(int(index)) for index in torch.nonzero(self._states == _BROKEN)[:, 0]]

    def report(self) -> str:
        """One line: how many images were drawn so far, and which of them were left out."""
        names, seen = self.broken(), int((self._states > 0).sum())
        skipped = f", {len(names)} left out because they can't be decoded: {listed(names)}" if names else ""
        return f"{seen} of {len(self.images)} training images drawn{skipped}"

    def _crop(self, pixels: np.ndarray, image: int, down: int, right: int, flipped: bool) -> Crop:
        height, width = (max(side, self.size) for side in pixels.shape[:2])
        top, left = down % (height - self.size + 1), right % (width - self.size + 1)
        return Crop(_cut(pixels, top, left, self.size, flipped), image, top, left, flipped)

    def _pixels(self, image: int) -> np.ndarray | None:
        """(h, w, 3) uint8 RGB; None if it can't be decoded."""
        if self._states[image] == _BROKEN:
            return None
        try:
            pixels = self.images.read(image)
        except Undecodable:
            self._states[image] = _BROKEN
            if (self._states == _BROKEN).sum() > max(1, MOST_BROKEN * len(self.images)):
                raise AdcbenchError(
                    f"more than {MOST_BROKEN:.0%} of the images are broken: {self.report()}; mend or remove them, or "
                    "name another source"
                ) from None
            return None
        self._states[image] = _READ
        return pixels


def _draws(seed: int, sample: int, attempt: int) -> tuple[int, int, int, int]:
    """Four uniform 64-bit numbers. A hash: the same in every version of every library."""
    bits = hashlib.sha256(f"{seed} {sample} {attempt} crop".encode()).digest()
    one, two, three, four = (int.from_bytes(bits[at : at + 8], "little") for at in range(0, 32, 8))
    return one, two, three, four


def _detail(crop: Crop) -> int:
    """Sum of the differences between neighbours in green: whole numbers, so the same everywhere."""
    green = crop.pixels[1].short()
    return sum(int(green.diff(dim=dim).abs().sum()) for dim in (0, 1))


def centre_crop(pixels: np.ndarray, size: int) -> Tensor:
    """(h, w, 3) uint8 -> (3, size, size), its centre; reflected where it is smaller, as ``Crops`` does."""
    top, left = (max(0, side - size) // 2 for side in pixels.shape[:2])
    return _cut(pixels, top, left, size, flipped=False)


def _cut(pixels: np.ndarray, top: int, left: int, size: int, flipped: bool) -> Tensor:
    """(3, size, size) of (h, w, 3)."""
    if flipped:
        pixels = pixels[:, ::-1]
    pixels = pixels[top : top + size, left : left + size]
    below, beside = size - pixels.shape[0], size - pixels.shape[1]
    if below or beside:
        pixels = np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="reflect")
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
