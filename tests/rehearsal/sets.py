"""Test sets of the rehearsal: two pairs of images or one clip each, in the layout of the real ones.

All sets of a kind have the same pixels, so that what was scored once is known again; the bytes of their files differ,
so that one set's files are refused in another's place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from skimage import data

from adcbench.data.media.images import resize
from adcbench.data.test_sets.authors_log import LOG_METRICS
from adcbench.data.test_sets.manifest import scan_folder, write_manifest
from adcbench.data.test_sets.registry import TEST_SETS
from adcbench.data.test_sets.test_set import LOG, TestSet

SIDE, FACTOR = 192, 4  # of HR images, at most 224: MANIQA then sees one crop, not 20
CLIP_SIDE, FRAMES = 256, 4  # a RAFT at half size needs 128; DOVER's stand-in dies of two frames
NAMES = ("photo_1", "photo_2")
PUBLIC = ("DRealSR", "RealSR")  # fetched; the others are put there by hand
BY_HAND = ("DIV2K-Val", "UDM10", "SPMCS", "YouHQ40", "RealVSR", "MVSR4x", "VideoLQ")
SIZES = {**dict.fromkeys(("DRealSR", "RealSR", "DIV2K-Val"), 2), **dict.fromkeys(BY_HAND[1:], 1)}
_STAMP = "24-10-23 17:36:07.854 - INFO: "


def photograph(number: int, side: int) -> np.ndarray:
    """(side, side, 3) uint8: another part of a photograph for each number."""
    image = data.astronaut() if number % 2 else data.chelsea()
    top, left = (37 * number) % (image.shape[0] - side), (53 * number) % (image.shape[1] - side)
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def outputs_of(hr: np.ndarray) -> np.ndarray:
    """What somebody's system might make: HR with its finest detail lost."""
    h, w = hr.shape[:2]
    return resize(resize(hr, h // 2, w // 2), h, w)


def write_set(test_set: TestSet, root: Path, outputs: Path) -> None:
    """A test set below ``root``, and outputs for it in ``outputs``."""
    if test_set.holds == "clips":
        for frame in range(FRAMES):
            hr = photograph(0, CLIP_SIDE + 2 * FRAMES)[frame : frame + CLIP_SIDE, 2 * frame : 2 * frame + CLIP_SIDE]
            _write_pair(test_set, root, outputs, f"clip_1/{frame:04d}", np.ascontiguousarray(hr))
        return
    for i, name in enumerate(NAMES):
        _write_pair(test_set, root, outputs, name, photograph(i, SIDE))
    if test_set.repository:
        (root / LOG).write_text(_log())


def _write_pair(test_set: TestSet, root: Path, outputs: Path, name: str, hr: np.ndarray) -> None:
    note = PngInfo()
    note.add_text("set", test_set.name)

    def write(folder: Path, pixels: np.ndarray) -> None:
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, pnginfo=note)

    if test_set.has_truth:
        write(root / "HR", hr)
    write(root / "LR", resize(hr, hr.shape[0] // FACTOR, hr.shape[1] // FACTOR))
    for folder in (*(root / one for one in test_set.outputs), outputs):
        write(folder, outputs_of(hr))


def _log() -> str:
    """The authors' log of a set, as ``authors_log`` reads it; its values are no image's."""
    values = "; ".join(f"{metric}: {place + 0.5:.6f}" for place, metric in enumerate(LOG_METRICS))
    images = [f"{_STAMP}results/{name}.png | {values} | Runtime: 0.41 sec" for name in NAMES]
    count = f"{_STAMP}Directory [results]: {len(NAMES)} GT images vs {len(NAMES)} SR images."
    averages = f"{values} | FID: 135.296586 | FID Runtime: 8.10 sec"
    return "\n".join([count, *images, "===== Average Metrics for [results] =====", averages, ""])


def write_sets(folder: Path) -> None:
    """Sets go below ``sets``, outputs for them below ``outputs``, manifests of those that are fetched ``manifests``."""
    for name in SIZES:
        test_set = TEST_SETS[name]
        root = folder / "sets" / name
        write_set(test_set, root, folder / "outputs" / name)
        if name in PUBLIC:
            write_manifest(scan_folder(root), folder / "manifests" / f"{test_set.folder}.csv")
