"""A whole test set through a system: what tables, ``evaluate`` and ``spread`` start from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from adcbench.core.rounding import Rounding
from adcbench.data.media import Sample
from adcbench.data.media.images import IMAGE_SUFFIXES, read_png
from adcbench.data.test_sets.test_set import OpenTestSet
from adcbench.inference.clips import upscale_clips
from adcbench.inference.upscale import prepared, upscale_images
from adcbench.systems.system import System


def upscale_test_set(
    system: System,
    opened: OpenTestSet,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seed: int = 0,
    rounding: Rounding | None = None,
    limit: int = 0,
    window: int = 0,
    progress: bool = True,
) -> list[Sample]:
    """Upscale a test set's LR images or clips; outputs that are in the cache are not made again.

    A system that takes images gets the frames of clips one by one, one that takes clips an image as a clip of one
    frame. Images and frames are read as they are needed.

    Args:
        opened: see ``data.test_sets.registry.open_test_set``.
        device, dtype, seed, rounding: see ``inference.upscale.prepared``.
        limit: only so many images or clips, spread evenly over the set; 0: all.
        window: frames of a clip that are run together; 0: all. See ``inference.clips.upscale_clips``.

    Returns:
        Name, output in the cache (a PNG, or a folder of PNG frames), and HR of each image or clip.

    Raises:
        Blocked: a weight file or the GPU is missing.
        AdcbenchError: a negative limit, or what ``upscale_images`` and ``upscale_clips`` raise.
    """
    samples = opened.inputs(limit)
    run = prepared(system, device=device, dtype=dtype, seed=seed, rounding=rounding)
    images = _Images({name: lr for name, lr, _ in samples if _is_image(lr)})
    clips = {name: lr for name, lr, _ in samples if not _is_image(lr)}
    outputs = {one.name: one.path for one in upscale_images(run, images, progress)}
    outputs |= {one.name: one.path for one in upscale_clips(run, clips, window, progress)}
    return [Sample(name, outputs[name], hr) for name, _, hr in samples]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()


class _Images(Mapping[str, np.ndarray]):
    """Pixels of PNGs by name, read whenever they are asked for."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    def __getitem__(self, name: str) -> np.ndarray:
        return read_png(self._paths[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)
