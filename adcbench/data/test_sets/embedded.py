"""The embedded set: photographs inside scikit-image's wheel, x4-degraded by Pillow's bicubic.

It is what there is before anything is downloaded. Its LR images are far milder than those of the
papers' test sets, so its numbers never stand in a paper's table.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import file_hash, pixel_hash, versions
from adcbench.core.settings import cache_dir
from adcbench.data.media.images import read_png, resize, write_png
from adcbench.data.media.pictures import read_picture
from adcbench.data.test_sets.manifest import read_rows

SCALE = 4
LARGEST_SIDE = 512  # of an HR image, as in the papers' test sets
EMBEDDED_MANIFEST = Path(__file__).parent / "manifests" / "embedded.csv"


class Photograph(NamedTuple):
    """One line of the manifest: a file of scikit-image, its crop's size, pixel hashes and licence."""

    name: str
    file: str
    sha256: str
    height: str
    width: str
    hr_pixels: str
    lr_pixels: str
    licence: str
    source: str


@lru_cache
def photographs() -> tuple[Photograph, ...]:
    """The manifest of the embedded set, sorted by name."""
    return tuple(Photograph(*row) for _, row in read_rows(EMBEDDED_MANIFEST, Photograph._fields))


def licences() -> dict[str, str]:
    """Licence and source by image name."""
    return {photo.name: f"{photo.licence}; {photo.source}" for photo in photographs()}


def embedded_pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """LR and HR pixels by name: (h, w, 3) and (4h, 4w, 3) uint8 RGB, the same on every machine.

    Raises:
        AdcbenchError: scikit-image is not as it was, or this Pillow decodes or resizes differently.
    """
    return {photo.name: _pair(photo) for photo in photographs()}


def embedded_folder() -> Path:
    """Write the pairs as PNGs below the cache folder, in ``LR`` and ``HR``, where not yet there.

    Raises:
        AdcbenchError: see ``embedded_pairs``; or the cache folder can't be written.
    """
    folder = cache_dir() / "embedded"
    for photo in photographs():
        if not _is_written(folder, photo):
            lr, hr = _pair(photo)
            write_png(folder / "HR" / f"{photo.name}.png", hr)
            write_png(folder / "LR" / f"{photo.name}.png", lr)
    return folder


def _pair(photo: Photograph) -> tuple[np.ndarray, np.ndarray]:
    path = _path(photo.file)
    if file_hash(path) != photo.sha256:
        raise AdcbenchError(f"{path}: not the file of the embedded set; reinstall scikit-image 0.25 or 0.26")
    hr = _crop(read_picture(path))  # (4h, 4w, 3)
    lr = resize(hr, hr.shape[0] // SCALE, hr.shape[1] // SCALE)  # as degradation.bicubic.downscale
    for pixels, pinned, step in ((hr, photo.hr_pixels, "decodes"), (lr, photo.lr_pixels, "shrinks")):
        if pixel_hash(pixels) != pinned:
            raise AdcbenchError(
                f"{path}: Pillow {versions('pillow')['pillow']} {step} it differently from the embedded set; "
                "install Pillow from its own wheel, at the version in requirements.lock"
            )
    return lr, hr


def _path(file: str) -> Path:
    """A data file of the installed scikit-image, found without importing it."""
    spec = importlib.util.find_spec("skimage")
    path = Path(spec.origin).parent / "data" / file if spec and spec.origin else Path(file)
    if not path.is_file():
        raise AdcbenchError(f"{path}: not there; reinstall it: pip install --force-reinstall scikit-image")
    return path


def _crop(image: np.ndarray) -> np.ndarray:
    """The centre of (h, w, 3): sides at most 512 and multiples of 4."""
    height, width = (min(side, LARGEST_SIDE) // SCALE * SCALE for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _is_written(folder: Path, photo: Photograph) -> bool:
    wanted = (("LR", photo.lr_pixels), ("HR", photo.hr_pixels))
    paths = {folder / kind / f"{photo.name}.png": pinned for kind, pinned in wanted}
    try:
        return all(path.is_file() and pixel_hash(read_png(path)) == pinned for path, pinned in paths.items())
    except AdcbenchError:  # damaged: write it again
        return False
