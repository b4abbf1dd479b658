"""Upscale many images with one system: each output is kept under its cache key, so a run resumes.

An output's key (design rule 4) holds everything it depends on: input pixels, hashes of the weights,
config, source closure, torch version, device, dtype, rounding and, where it is used, the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from adcbench.inference.forward import upscale_pixels
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
    lr: np.ndarray
    seed: int | None
    path: Path


def upscale_images(
    system: System,
    images: Mapping[str, np.ndarray],
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seed: int = 0,
    rounding: Rounding | None = None,
    progress: bool = True,
) -> Iterator[Upscaled]:
    """Upscale images x4, one at a time, in their order; outputs that are in the cache are read from there.

    The checks and the cache keys are made at once, the outputs as they are asked for. The network is
    loaded only if an output is missing. Each output is written (whole, or not at all) before it is
    handed on, so what was done before an error or Ctrl-C is done.

    Args:
        images: name -> (h, w, 3) uint8 RGB.
        device: ``cpu``, ``cuda``, ``cuda:1``, ...
        dtype: of the network, one of ``core.precision.DTYPES``.
        seed: of the run; an image's own seed is made of it and the image's name. Deterministic systems
            ignore it.
        rounding: from floats to 8 bits, see ``inference.forward.to_pixels``; None: as the system's authors.
        progress: show a bar on stderr while something is computed.

    Raises:
        Blocked: a weight file or the GPU is missing.
        AdcbenchError: a weight file is not the published one, an image is no 8-bit RGB, an output is not
            finite (the message names the image), or an output can't be written (disk full).
    """
    check_dtype(system.name, dtype)
    how = rounding or system.rounding
    paths = system.find_weights()
    key = partial(digest, output_key(system, weights_hashes(system, paths), device, dtype, how))
    load = cache(partial(load_on, system, paths or None, device, dtype))  # once, when first needed
    jobs = []
    for name, lr in images.items():
        _check_input(name, lr)
        own_seed = image_seed(seed, name) if system.seed_use else None
        path = cache_dir() / "outputs" / f"{key(pixel_hash(lr), own_seed)}.png"
        jobs.append(_Job(name, lr, own_seed, path))

    def compute(job: _Job) -> np.ndarray:
        upscaler = load()
        try:
            return upscale_pixels(upscaler, job.lr, device, job.seed, how)
        except AdcbenchError as error:
            where = f"{system.name} ({dtype} on {device}), image {job.name}"
            raise AdcbenchError(f"{where}: {error}. The outputs before it are kept") from error

    return _outputs(system, jobs, compute, progress)


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
                try:
                    write_stamped(job.path, pixels, system.name, job.path.stem)
                except FolderNotWritable as error:
                    raise FolderNotWritable(f"{error} with ADCBENCH_CACHE") from error
                bar.update()
            yield Upscaled(job.name, job.path, pixels)


def _cached(path: Path) -> np.ndarray | None:
    """The output at ``path``; None if there is none, or one that is damaged or not this one: then it is made again."""
    found = read_stamped(path)
    return found.pixels if found and found.key == path.stem else None


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
        raise AdcbenchError(f"{system.name} takes {system.takes}s, and is given {medium}s")


def _check_input(name: str, lr: np.ndarray) -> None:
    if lr.dtype != np.uint8 or lr.ndim != 3 or lr.shape[2] != 3 or not lr.size:
        raise AdcbenchError(f"image {name} is {lr.dtype} {lr.shape}, not uint8 (h, w, 3): save it as 8-bit RGB")


def _bar(system: System, jobs: Sequence[_Job], progress: bool) -> tqdm[Any]:
    """A bar over the images to compute: at once for networks, after two seconds for the rest."""
    missing = sum(not job.path.is_file() for job in jobs)
    text = f"{system.name} ({len(jobs) - missing} of {len(jobs)} cached)"
    delay = 0 if system.files else 2
    return tqdm(total=missing, desc=text, unit="image", delay=delay, disable=not (progress and missing))
