"""Upscale clips, frame by frame or window by window: each becomes a folder of PNG frames in the cache.

A folder takes its place when all of its frames are there. Frames of one that was begun lie beside it, each with its
stamp, so that a run resumes at the frame where it was.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, pixel_hash
from adcbench.data.media.clips import Clip, open_clip
from adcbench.inference.stamps import read_stamped
from adcbench.inference.upscale import Run, output_dir, write_output
from adcbench.systems.adapters import Window, windows


class UpscaledClip(NamedTuple):
    """One output: the clip's name, and its folder of PNG frames in the cache, called like the input's."""

    name: str
    path: Path


class _Job(NamedTuple):
    name: str
    clip: Clip
    key: str
    path: Path
    windows: list[Window]


def upscale_clips(
    run: Run, clips: Mapping[str, Path], window: int = 0, progress: bool = True
) -> Iterator[UpscaledClip]:
    """Upscale clips, one at a time, in their order; those that are in the cache are only checked.

    Cache keys are made at once, which reads each clip once; the outputs as they are asked for. No more frames than
    two windows' lie in memory.

    Args:
        clips: name -> folder of PNG frames, video file or PNG.
        window: frames that a system of clips is given at a time; 0: the whole clip. See ``adapters.in_windows``.
        progress: show a bar on stderr while something is computed.

    Raises:
        Blocked: the GPU is missing, or what reads a video.
        AdcbenchError: a window too small for the system's reach, a clip can't be read, an output is not finite, or
            can't be written (disk full).
    """
    jobs = [_job(run, name, open_clip(path), window) for name, path in clips.items()]
    return _outputs(run, jobs, progress)


def _job(run: Run, name: str, clip: Clip, window: int) -> _Job:
    size, reach = (window, run.system.reach) if run.system.takes == "clip" else (1, 0)
    cut = list(windows(len(clip), size, reach))
    key = digest(run.made_by, [pixel_hash(frame) for frame in clip], run.own_seed(name), cut)
    return _Job(name, clip, key, output_dir() / key, cut)


def _outputs(run: Run, jobs: Sequence[_Job], progress: bool) -> Iterator[UpscaledClip]:
    missing = sum(len(job.clip) for job in jobs if not job.path.is_dir())
    text = f"{run.system.name} ({sum(job.path.is_dir() for job in jobs)} of {len(jobs)} clips cached)"
    delay = 0 if run.system.files else 2
    with tqdm(total=missing, desc=text, unit="frame", delay=delay, disable=not (progress and missing)) as bar:
        for job in jobs:
            if not all(_is_made(job, job.path, i) for i in range(len(job.clip))):
                for made in _make(run, job):
                    bar.update(made)
            yield UpscaledClip(job.name, job.path)


def _make(run: Run, job: _Job) -> Iterator[int]:
    """Make what is missing of a clip, and put its folder in place; gives how many frames were made at a time."""
    part = job.path.with_name(f"{job.key}.part")
    if job.path.is_dir():  # damaged: its whole frames stay
        shutil.rmtree(part, ignore_errors=True)
        job.path.rename(part)
    for one, frames in _windowed(iter(job.clip), job.windows):
        kept = range(one.keep_first, one.keep_last)
        if not all(_is_made(job, part, i) for i in kept):
            pixels = _compute(run, job, one, frames)
            for i in kept:
                write_output(_frame(job, part, i), pixels[i - one.first], run.system.name, _frame_key(job, i))
        yield len(kept)
    try:
        part.rename(job.path)
    except OSError:  # another process was faster
        if not job.path.is_dir():
            raise
        shutil.rmtree(part, ignore_errors=True)


def _compute(run: Run, job: _Job, one: Window, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    run.load()  # what it raises is not the clip's fault
    whole = len(job.windows) == 1
    seed = run.own_seed(job.name if whole else f"{job.name}/{one.first}")
    try:
        return run.frames(frames, seed)
    except AdcbenchError as error:
        where = run.where(f"clip {job.name}, frames {one.first + 1} to {one.last}")
        raise AdcbenchError(f"{where}: {error}. The outputs before it are kept") from error


def _windowed(frames: Iterator[np.ndarray], cut: Sequence[Window]) -> Iterator[tuple[Window, list[np.ndarray]]]:
    """Each window with its frames, which are asked for one after another and kept no longer than needed."""
    held: deque[np.ndarray] = deque()
    start = 0
    for one in cut:
        while start < one.first:
            held.popleft()
            start += 1
        held.extend(next(frames) for _ in range(one.last - start - len(held)))
        yield one, list(held)


def _is_made(job: _Job, folder: Path, i: int) -> bool:
    there = read_stamped(_frame(job, folder, i))
    return there is not None and there.key == _frame_key(job, i)


def _frame(job: _Job, folder: Path, i: int) -> Path:
    return folder / f"{job.clip.frame_names[i]}.png"


def _frame_key(job: _Job, i: int) -> str:
    return f"{job.key}-{i}"
