"""Samples: SR and HR joined by name, never by position.

Joining two sorted lists by position shifts every later pair when one file is missing, as the
papers' own evaluation scripts do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from adcbench.core.errors import AdcbenchError, listed
from adcbench.data.media.clips import clip_name, list_clips
from adcbench.data.media.images import IMAGE_SUFFIXES, list_pngs
from adcbench.data.media.videos import VIDEO_SUFFIXES


class Sample(NamedTuple):
    """An image or clip and its reference: files, or folders of frames; ``hr`` is None where there is none."""

    name: str
    sr: Path
    hr: Path | None

    @property
    def is_clip(self) -> bool:
        """Its SR is a folder of frames or a video file, not an image."""
        return self.sr.is_dir() or self.sr.suffix.lower() in VIDEO_SUFFIXES


def pair(sr_dir: Path, hr_dir: Path | None, *, frames: bool = False, suffix: str = "") -> list[Sample]:
    """Join the images or clips of two folders by name, sorted by name; HR None without ``hr_dir``.

    A folder with image files is one of images, another of clips: folders of PNG frames, and video files. A single
    image or video file is one sample and goes with whatever the other one is.

    Args:
        frames: a folder with image files is one clip, and they are its frames.
        suffix: what the names in the SR folder end with beyond those of their partners, such as ``_BSRGAN``.

    Raises:
        AdcbenchError: a sample of one folder has no partner in the other, a name lacks the suffix, or see
            ``list_pngs`` and ``list_clips``.
    """
    if _is_sample(sr_dir, frames) and (hr_dir is None or _is_sample(hr_dir, frames)):
        return [Sample(clip_name(sr_dir), sr_dir, hr_dir)]
    what, sr = _listed(sr_dir, frames)
    if suffix:
        sr = _without(suffix, sr_dir, sr)
    if hr_dir is None:
        return [Sample(name, path, None) for name, path in sr.items()]
    _, hr = _listed(hr_dir, frames)
    _check_partners(what, (sr_dir, sr), (hr_dir, hr))
    return [Sample(name, path, hr[name]) for name, path in sr.items()]


def _listed(folder: Path, frames: bool) -> tuple[str, dict[str, Path]]:
    """What a folder holds, images or clips, by name."""
    if not frames and _has_images(folder):
        return "images", list_pngs(folder)
    return "clips", list_clips(folder)


def _without(suffix: str, folder: Path, files: Mapping[str, Path]) -> dict[str, Path]:
    """Files by their names without a suffix, which all must have, sorted by name."""
    if others := [name for name in files if not name.removesuffix(suffix) or not name.endswith(suffix)]:
        raise AdcbenchError(f"{folder}: names that do not end with {suffix}: {listed(others)}; move them away")
    return {name: files[f"{name}{suffix}"] for name in sorted(name.removesuffix(suffix) for name in files)}


def _has_images(folder: Path) -> bool:
    """Whether a folder holds image files, of any format."""
    return folder.is_dir() and any(
        path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and not path.is_dir()
        for path in folder.iterdir()
    )


def _is_sample(path: Path, frames: bool) -> bool:
    return path.is_file() or (frames and _has_images(path))


def _check_partners(what: str, left: tuple[Path, Mapping[str, Path]], right: tuple[Path, Mapping[str, Path]]) -> None:
    """Whether two folders, each given with its files by name, hold the same names.

    Raises:
        AdcbenchError: they do not; how many there are only in one, and the first ten.
    """
    (sr_dir, sr), (hr_dir, hr) = left, right
    alone = ((sr_dir, sorted(sr.keys() - hr.keys())), (hr_dir, sorted(hr.keys() - sr.keys())))
    without = [f"{len(names)} only in {folder}: {listed(names)}" for folder, names in alone if names]
    if without:
        remedy = "make those that are missing, or copy the partners of a part to a folder of their own"
        raise AdcbenchError(f"{what} without a partner: {'; '.join(without)}; {remedy}")
