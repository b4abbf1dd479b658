"""Upscale a user's image or folder of images to PNGs: past bad images, resumable, never overwriting unasked.

An output that is there is skipped only if its own stamp (``stamps``) proves it to be what would be made: by this
system with these weights and settings, from an input of these pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import FolderNotWritable, check_regular, check_writable
from adcbench.core.keys import digest, pixel_hash, source_hash
from adcbench.core.out_of_memory import is_out_of_memory
from adcbench.core.precision import check_dtype
from adcbench.core.rounding import Rounding
from adcbench.data.media.images import IMAGE_SUFFIXES
from adcbench.data.media.pictures import Picture, check_readable, list_pictures, open_picture
from adcbench.inference.forward import upscale_pixels
from adcbench.inference.stamps import Stamped, read_stamped, write_stamped
from adcbench.inference.tiles import (
    OVERLAP,
    Difference,
    automatic_tile,
    check_room,
    difference,
    in_tiles,
    is_tiled,
    pixels_in_tiles,
)
from adcbench.inference.upscale import check_takes, image_seed, load_on, output_key
from adcbench.inference.weights import weights_hashes
from adcbench.systems.system import System, Upscaler

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Settings:
    """How a run upscales.

    Args:
        rounding: None: as the system's authors.
        seed: of the run; an image's own is made of it and the image's name, as in ``upscale_images``.
        tile: LR pixels; 0: whole; None: ``automatic_tile`` decides by the image's size.
        overlap: of tiles, in LR pixels.
        compare: also run each image whole and measure how the tiled output differs.
        overwrite: make outputs again that are there, whoever made them.
    """

    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    rounding: Rounding | None = None
    tile: int | None = None
    overlap: int = OVERLAP
    compare: bool = False
    overwrite: bool = False
    progress: bool = True


@dataclass
class Outcome:
    """What became of each image: written, there before, left alone (output -> who made it), or bad (name -> reason)."""

    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    foreign: dict[Path, str] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    tiled: list[str] = field(default_factory=list)
    profiled: list[str] = field(default_factory=list)
    differences: dict[str, Difference] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """2 where an output's place was taken: nobody made what was asked for; 1 for bad images; else 0."""
        return 2 if self.foreign else 1 if self.bad else 0

    def __str__(self) -> str:
        lines = [f"{len(self.written)} written"]
        if self.skipped:
            lines.append(f"{len(self.skipped)} skipped, the same was made before (--overwrite makes them again)")
        if self.tiled:
            lines.append(f"{len(self.tiled)} in tiles, which is not quite the same as whole: {listed(self.tiled)}")
        if self.profiled:
            lines.append(f"{len(self.profiled)} with the colour profile (ICC) of their input, colours not converted")
        lines += [f"{name}: {measured}" for name, measured in self.differences.items()]
        if self.bad:
            lines.append(f"{len(self.bad)} bad:")
            lines += [f"  {reason}" for reason in self.bad.values()]
        if self.foreign:
            lines.append(f"{len(self.foreign)} not made, something else is there: --overwrite, or name another folder:")
            lines += [f"  {output}: {maker}" for output, maker in self.foreign.items()]
        return "\n".join(lines)


def upscale_files(system: System, source: Path, target: Path, settings: Settings) -> Outcome:
    """Upscale an image, or every image of a folder, to PNGs of the same names.

    An image that can't be read, upscaled or written is noted and the next one begun. Outputs are written whole or
    not at all, so a run that was stopped goes on where it was; empty and damaged ones are made again.

    Args:
        source: a file, or a folder (folders in it are not searched).
        target: a folder; for a single image also a path that ends in ``.png``.

    Raises:
        Blocked: a weight file or the GPU is missing.
        AdcbenchError: nothing to do there, an output would overwrite an input, or the folder can't be written.
    """
    check_dtype(system.name, settings.dtype)
    check_takes(system, "image")
    if settings.compare and not settings.tile:
        raise AdcbenchError("--compare measures tiles against the whole image: give --tile too")
    in_tiles(lambda lr: lr, settings.tile or 0, settings.overlap if settings.tile is not None else 0)  # checks
    outputs, others = _outputs(source, target)
    outcome = Outcome(bad={path.name: f"{path}: only PNG, JPEG, WebP and BMP are read" for path in others})
    outcome.bad |= _unreadable(outputs)  # before anything is loaded
    outputs = {path: output for path, output in outputs.items() if path.name not in outcome.bad}
    if not outputs:
        return outcome
    paths = system.find_weights()
    rounding = settings.rounding or system.rounding
    made_by = output_key(system, weights_hashes(system, paths), settings.device, settings.dtype, rounding)

    @cache
    def load() -> Upscaler:  # once, when first needed
        check_writable(next(iter(outputs.values())))
        return load_on(system, paths or None, settings.device, settings.dtype)

    for path, output in tqdm(outputs.items(), desc=system.name, unit="image", disable=not settings.progress):
        try:
            todo = _plan(system, made_by, path, settings)
            there = None if settings.overwrite else read_stamped(output)
        except AdcbenchError as error:
            outcome.bad[path.name] = _reason(path, error)
            continue
        if there:
            if there.key == todo.key:
                outcome.skipped.append(output)
            else:
                outcome.foreign[output] = _maker(there, system)
            continue
        upscaler = load()
        try:
            pixels = _upscale(upscaler, todo, settings, rounding, system.factor, outcome)
            write_stamped(output, pixels, system.name, todo.key, todo.picture.profile)
        except FolderNotWritable:
            raise
        except (AdcbenchError, RuntimeError, MemoryError) as error:  # torch's out of memory is a RuntimeError
            outcome.bad[path.name] = _reason(path, error)
            continue
        outcome.written.append(output)
        if todo.picture.profile:
            outcome.profiled.append(path.name)
    return outcome


class _Todo(NamedTuple):
    """One image, how it is run, and the key of its output. ``tile`` is 0 where it runs whole."""

    name: str
    picture: Picture
    seed: int
    tile: int
    key: str


def _plan(system: System, made_by: str, path: Path, settings: Settings) -> _Todo:
    picture = open_picture(path)
    height, width = picture.pixels.shape[:2]
    tile = automatic_tile(height, width) if settings.tile is None else settings.tile
    tile = tile if is_tiled(height, width, tile) else 0
    seed = image_seed(settings.seed, path.stem)
    tiles = (tile, settings.overlap, source_hash("adcbench.inference.tiles")) if tile else ()
    inputs = pixel_hash(picture.pixels), picture.profile.hex()
    key = digest(made_by, inputs, seed if system.seed_use else None, tiles)
    return _Todo(path.name, picture, seed, tile, key)


def _maker(there: Stamped, system: System) -> str:
    """Who made an output that is not what would be made."""
    if not there.key:
        return "not made by adcbench, or changed since"
    if there.system != system.name:
        return f"made by {there.system}"
    return f"made by {system.name} of another version, with other settings or weights, or from another input"


def _outputs(source: Path, target: Path) -> tuple[dict[Path, Path], list[Path]]:
    """Output by input, and the images of formats that are not read."""
    if source.is_dir() or not os.path.lexists(source):
        pictures, others = list_pictures(source)
    else:
        check_regular(source)
        pictures, others = [source], []
    single = source.is_file() and target.suffix.lower() == ".png" and not target.is_dir()
    if not single and target.suffix.lower() in IMAGE_SUFFIXES and not target.is_dir():
        kind = "outputs are PNGs" if source.is_file() else "a folder of images goes to a folder"
        raise AdcbenchError(f"{target}: {kind}; name a folder{' or a .png file' if source.is_file() else ''}")
    if target.is_file() and not single:
        raise AdcbenchError(f"{target} is a file; name a folder for the outputs")
    outputs = {path: target if single else target / f"{path.stem}.png" for path in pictures}
    clash = [path.name for path, output in outputs.items() if _same(path, output)]
    if clash:
        raise AdcbenchError(
            f"the output would overwrite its input ({listed(clash)}): name another folder than {target}"
        )
    return outputs, others


def _same(path: Path, output: Path) -> bool:
    with suppress(OSError):  # not there, or a name that can't be
        return output.samefile(path)
    return False


def _unreadable(paths: Iterable[Path]) -> dict[str, str]:
    """Those that are there in name only (dangling links, pipes) or of another format: why, by name."""
    reasons = {}
    for path in paths:
        try:
            check_readable(path)
        except AdcbenchError as error:
            reasons[path.name] = str(error)
    return reasons


def _upscale(
    upscaler: Upscaler, todo: _Todo, settings: Settings, rounding: Rounding, factor: int, outcome: Outcome
) -> np.ndarray:
    lr = todo.picture.pixels
    check_room(lr.shape[0], lr.shape[1], factor)
    run = (lr, settings.device, todo.seed, rounding)
    if not todo.tile:
        return upscale_pixels(upscaler, *run, factor)
    if settings.compare:
        kept: list[Tensor] = []
        pixels, _ = (
            upscale_pixels(_keeping(how, kept), *run, factor)
            for how in (in_tiles(upscaler, todo.tile, settings.overlap, factor), upscaler)
        )
        outcome.differences[todo.name] = difference(*kept)
    else:
        pixels = pixels_in_tiles(upscaler, *run, todo.tile, settings.overlap, factor)
    outcome.tiled.append(todo.name)
    return pixels


def _keeping(upscaler: Upscaler, kept: list[Tensor]) -> Upscaler:
    def upscale(lr: Tensor) -> Tensor:
        kept.append(upscaler(lr))
        return kept[-1]

    return upscale


def _reason(path: Path, error: Exception) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if is_out_of_memory(error):
        text = f"out of memory ({text[:120]}); try --tile with a smaller number, or cut the image into parts"
    return text if str(path) in text else f"{path}: {text}"


def with_weights(system: System, folder: Path) -> System:
    """The system with weight files of a folder of the user's, whatever they are; the rest from their usual place.

    Raises:
        AdcbenchError: none of the system's files is in the folder.
    """
    own = {file.name for file in system.files if (folder / file.name).is_file()}
    if not own:
        names = listed(file.name for file in system.files) or "none: it runs without files"
        raise AdcbenchError(f"{folder} has none of the weight files of {system.name} ({names})")
    files = tuple(replace(file, sha256="", size=0) if file.name in own else file for file in system.files)
    inner = system.locate

    def locate(name: str) -> Path | None:
        return folder / name if name in own else inner(name) if inner else None

    return replace(system, files=files, locate=locate)
