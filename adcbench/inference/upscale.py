"""Upscale many images with one system: each output is kept under its cache key, so a run resumes.

An output's key (design rule 4) holds everything it depends on: input pixels, hashes of the weights,
config, source closure, torch version, device, dtype, rounding and, where it is used, the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from adcbench.core.device import check_device
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import FolderNotWritable
from adcbench.core.keys import code_hash, digest, has_source, pixel_hash, source_hash, versions
from adcbench.core.own_code import home, place_in_home
from adcbench.core.precision import check_dtype
from adcbench.core.rounding import Rounding
from adcbench.core.settings import cache_dir
from adcbench.inference.forward import upscale_frames, upscale_pixels
from adcbench.inference.stamps import read_stamped, write_stamped
from adcbench.inference.weights import weights_hashes
from adcbench.systems.system import Medium, System, Upscaler

_NUMERICS = "adcbench.inference.forward"


class Upscaled(NamedTuple):
    """One output: the image's name, its PNG in the cache, and its (4h, 4w, 3) uint8 RGB pixels."""

    name: str
    path: Path
    pixels: np.ndarray


class _Job(NamedTuple):
    name: str
    seed: int | None
    path: Path


@dataclass(frozen=True)
class Run:
    """A system on a device, ready to make outputs. Its network is loaded when the first output is missing.

    Args:
        made_by: what all outputs depend on, as one hash.
        load: gives the network; loads it once.
    """

    system: System
    device: str
    dtype: str
    seed: int
    rounding: Rounding
    made_by: str
    load: Callable[[], Upscaler]

    def own_seed(self, name: str) -> int | None:
        """The seed of an image or clip, where the system uses one."""
        return image_seed(self.seed, name) if self.system.seed_use else None

    def image(self, lr: np.ndarray, seed: int | None) -> np.ndarray:
        """One image (h, w, 3) uint8 RGB, enlarged; for a system that takes clips a clip of one frame.

        Raises:
            AdcbenchError: see ``forward.upscale_pixels``.
        """
        if self.system.takes == "clip":
            return self.frames([lr], seed)[0]
        return upscale_pixels(self.load(), lr, self.device, seed, self.rounding, self.system.factor)

    def frames(self, frames: Sequence[np.ndarray], seed: int | None) -> list[np.ndarray]:
        """Frames that belong together, enlarged; a system that takes images gets them one by one."""
        if self.system.takes == "image":
            return [self.image(frame, seed) for frame in frames]
        return upscale_frames(self.load(), frames, self.device, seed, self.rounding, self.system.factor)

    def where(self, what: str) -> str:
        """What an error's text begins with; ``what`` is an image, a clip."""
        return f"{self.system.name} ({self.dtype} on {self.device}), {what}"


def prepared(
    system: System, *, device: str = "cpu", dtype: str = "float32", seed: int = 0, rounding: Rounding | None = None
) -> Run:
    """A run of a system; nothing is loaded yet.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ...
        dtype: of the network, one of ``core.precision.DTYPES``.
        seed: of the run; an image's own seed is made of it and the image's name. Deterministic systems
            ignore it.
        rounding: from floats to 8 bits, see ``inference.forward.to_pixels``; None: as the system's authors.

    Raises:
        Blocked: a weight file is missing.
        AdcbenchError: an unknown dtype, or a weight file is not the published one.
    """
    check_dtype(system.name, dtype)
    how = rounding or system.rounding
    paths = system.find_weights()
    made_by = output_key(system, weights_hashes(system, paths), device, dtype, how)
    load = cache(partial(load_on, system, paths or None, device, dtype))  # once, when first needed
    return Run(system, device, dtype, seed, how, made_by, load)


def upscale_images(run: Run, images: Mapping[str, np.ndarray], progress: bool = True) -> Iterator[Upscaled]:
    """Upscale images, one at a time, in their order; outputs that are in the cache are read from there.

    The checks and the cache keys are made at once, the outputs as they are asked for. Each output is written (whole,
    or not at all) before it is handed on, so what was done before an error or Ctrl-C is done.

    Args:
        images: name -> (h, w, 3) uint8 RGB; asked for one at a time, and again for those to be computed.
        progress: show a bar on stderr while something is computed.

    Raises:
        Blocked: the GPU is missing.
        AdcbenchError: an image is no 8-bit RGB, an output is not finite (the message names the image), or an output
            can't be written (disk full).
    """
    jobs = []
    for name, lr in images.items():
        _check_input(name, lr)
        own_seed = run.own_seed(name)
        path = output_dir() / f"{digest(run.made_by, pixel_hash(lr), own_seed)}.png"
        jobs.append(_Job(name, own_seed, path))

    def compute(job: _Job) -> np.ndarray:
        lr = images[job.name]
        run.load()  # what it raises is not the image's fault
        try:
            return run.image(lr, job.seed)
        except AdcbenchError as error:
            raise AdcbenchError(f"{run.where(f'image {job.name}')}: {error}. The outputs before it are kept") from error

    return _outputs(run.system, jobs, compute, progress)


def output_dir() -> Path:
    """Where outputs lie in the cache, each under its key."""
    return cache_dir() / "outputs"


def image_seed(seed: int, name: str) -> int:
    """The seed of one image, 60 bits: it depends on no other image and on no order."""
    return int(digest(seed, name)[:15], 16)


def output_key(system: System, weights: Mapping[str, str], device: str, dtype: str, rounding: Rounding) -> str:
    """What all outputs of a run depend on, as one hash.

    Args:
        weights: sha256 by file name.
    """
    source = source_hash(*system.modules, _NUMERICS)
    made_by = (system.name, system.scale, system.settings(), dict(weights), source, *_own(system))
    return digest(made_by, versions("torch"), device, dtype, rounding)


def _own(system: System) -> tuple[str, ...]:
    """Of a user's system: the code of the module that defines its ``load``, that one's name, and its version.

    Of ours nothing: ``modules`` names it all. Two factories of one module may give the same name and config, and
    ``modules`` may leave out their own.
    """
    module = home(system.load)
    if not module or module.partition(".")[0] == "adcbench" or not has_source(module):
        return ()
    return code_hash(module), place_in_home(system.load), system.version


def _outputs(
    system: System, jobs: Sequence[_Job], compute: Callable[[_Job], np.ndarray], progress: bool
) -> Iterator[Upscaled]:
    with _bar(system, jobs, progress) as bar:
        for job in jobs:
            pixels = _cached(job.path)
            if pixels is None:
                pixels = compute(job)
                write_output(job.path, pixels, system.name, job.path.stem)
                bar.update()
            yield Upscaled(job.name, job.path, pixels)


def write_output(path: Path, pixels: np.ndarray, system: str, key: str) -> None:
    """``stamps.write_stamped`` into the cache; its errors name the cache's folder."""
    try:
        write_stamped(path, pixels, system, key)
    except FolderNotWritable as error:
        raise FolderNotWritable(f"{error} with ADCBENCH_CACHE") from error


def _cached(path: Path) -> np.ndarray | None:
    """The output at ``path``; None if there is none, or one that is damaged or not this one: then it is made again."""
    there = read_stamped(path)
    return there.pixels if there and there.key == path.stem else None


def load_on(system: System, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """Load a system on a device.

    Raises:
        Blocked: a GPU is asked for that torch can't use.
        AdcbenchError: no device; see the system's own ``load``.
    """
    check_device(device)
    return system.load(weights, device, dtype)


def check_takes(system: System, medium: Medium) -> None:
    """Raise ``AdcbenchError`` where a system takes clips and gets images, or the other way round."""
    if system.takes != medium:
        raise AdcbenchError(
            f"{system.name} takes {system.takes}s, and is given {medium}s. On a test set any system runs on both: "
            f"adcbench evaluate --system {system.name} --testset ... (docs/own_test_set.md)"
        )


def _check_input(name: str, lr: np.ndarray) -> None:
    if lr.dtype != np.uint8 or lr.ndim != 3 or lr.shape[2] != 3 or not lr.size:
        raise AdcbenchError(f"image {name} is {lr.dtype} {lr.shape}, not uint8 (h, w, 3): save it as 8-bit RGB")


def _bar(system: System, jobs: Sequence[_Job], progress: bool) -> tqdm[Any]:
    """A bar over the images to compute: at once for networks, after two seconds for the rest."""
    missing = sum(not job.path.is_file() for job in jobs)
    text = f"{system.name} ({len(jobs) - missing} of {len(jobs)} cached)"
    delay = 0 if system.files else 2
    return tqdm(total=missing, desc=text, unit="image", delay=delay, disable=not (progress and missing))
