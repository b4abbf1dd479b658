"""Where training images come from: folders, tar shards, and datasets of the Hugging Face hub.

All give any image by its number, at any time and in any process, so that a run is a function of sample numbers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest
from adcbench.data.training.contents import check_usable, content_hashes
from adcbench.data.training.decode import SUFFIXES, decode
from adcbench.data.training.photographs import photographs_dir


class Images(Protocol):
    """Numbered images, in the same order on every machine that has the same files."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Where an image lies, for messages."""
        ...

    def read(self, index: int) -> np.ndarray:
        """Pixels: (h, w, 3) uint8 RGB; see ``decode.decode``.

        Raises:
            Undecodable: it is there but broken.
            AdcbenchError: it is no longer there, or can't be read.
        """
        ...

    def contents(self) -> str:
        """Hash of what the images are, in their order, wherever they lie: a resumed run must find the same.

        Raises:
            AdcbenchError: files that can't be read: lists them.
        """
        ...


def open_images(source: str | Path) -> Images:
    """Open a source of training images.

    Args:
        source: ``photographs`` (those of the mini scale), or ``photographs@2``, shrunk to half (or another whole
            part); a folder of images, at any depth; a folder of ``.tar``
            shards, one shard, or a pattern of shards (``/data/train-{0000..0041}.tar``, ``/data/*.tar``); a dataset
            of the hub, ``hub:NAME[:SPLIT[:COLUMN]]``, where NAME is on the hub, a local folder, or a known short
            name (``hub.KNOWN``); several of these, separated by ``,``: one after another.

    Raises:
        Blocked: a dataset, or the library that reads it, is not here.
        AdcbenchError: there is nothing of the kind, or no image in it.
    """
    from adcbench.data.training.hub import HubImages
    from adcbench.data.training.shards import ShardImages, expand

    text = str(source)
    if "," in _outside_braces(text) and not is_there(text):
        return Several([open_images(part.strip()) for part in text.split(",")])
    name, _, factor = text.partition("@")
    if name == "photographs":
        photographs = FolderImages(photographs_dir())
        if factor and not (factor.isdecimal() and int(factor)):
            raise AdcbenchError(f"{text}: shrink by a whole number, as in photographs@2")
        return Shrunk(photographs, int(factor)) if factor else photographs
    if text.startswith("hub:"):
        return HubImages(text.removeprefix("hub:"))
    path = Path(text).expanduser()
    if is_folder(path):
        shards = sorted(path.glob("*.tar"))
        if shards and _image_files(path):
            raise AdcbenchError(f"{path}: has both images and .tar shards; for the shards say {path}/*.tar")
        return ShardImages(shards) if shards else FolderImages(path)
    if path.suffix == ".tar":
        return ShardImages(expand(text))
    raise AdcbenchError(f"{text}: no such folder; name a folder of images, .tar shards, hub:NAME, or photographs")


def resolved(source: str) -> str:
    """A source with the folders in it written as they are, so that two spellings of one source are equal."""
    if "," in _outside_braces(source) and not is_there(source):
        return ",".join(resolved(part.strip()) for part in source.split(","))
    if source.startswith("hub:"):
        name, *rest = source.removeprefix("hub:").split(":")
        return ":".join(("hub", os.path.realpath(name) if is_folder(Path(name)) else name, *rest))
    if source.partition("@")[0] == "photographs":
        return source
    return os.path.realpath(os.path.expanduser(source))  # noqa: PTH111  (of patterns too)


class FolderImages:
    """The image files below a folder, sorted by path. Hidden and other files, and folders called like images, are
    not images; links to files and folders are followed.

    Raises:
        AdcbenchError: there is none; a folder inside can't be listed; a file can't be an image: a link that leads
            nowhere, a pipe, an empty file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = sorted(_image_files(folder))
        check_usable([folder / file for file in self.files])
        if not self.files:
            raise AdcbenchError(f"{folder}: has no image, in folders inside it neither ({', '.join(sorted(SUFFIXES))})")

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        return str(self.folder / self.files[index])

    def read(self, index: int) -> np.ndarray:
        path = self.folder / self.files[index]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise AdcbenchError(f"{path}: was there and can't be read now ({error.strerror}); put it back") from error
        return decode(data, str(path))

    def contents(self) -> str:
        hashes = content_hashes([self.folder / file for file in self.files], str(self.folder.resolve()))
        return digest([*zip(self.files, hashes, strict=True)])


class Shrunk:
    """Images shrunk to 1/factor of their sides (Lanczos, antialiased): large photographs are soft at full size."""

    def __init__(self, images: Images, factor: int) -> None:
        self.images, self.factor = images, factor

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        return f"{self.images.name(index)}@{self.factor}"

    def read(self, index: int) -> np.ndarray:
        pixels = self.images.read(index)
        size = (max(1, pixels.shape[1] // self.factor), max(1, pixels.shape[0] // self.factor))
        return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))

    def contents(self) -> str:
        return digest(self.images.contents(), self.factor)


class Several:
    """Sources one after another."""

    def __init__(self, sources: Sequence[Images]) -> None:
        self.sources = sources
        self.starts = np.cumsum([0, *map(len, sources)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def name(self, index: int) -> str:
        source, inside = self._find(index)
        return source.name(inside)

    def read(self, index: int) -> np.ndarray:
        source, inside = self._find(index)
        return source.read(inside)

    def contents(self) -> str:
        return digest([source.contents() for source in self.sources])

    def _find(self, index: int) -> tuple[Images, int]:
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.sources[number], index - int(self.starts[number])


class InMemory:
    """Keeps decoded images, up to a limit; those that come later are decoded each time.

    Worker processes keep their own.

    Args:
        images: any source.
        limit: bytes of pixels to keep. The 37 photographs have 631 MB.
    """

    def __init__(self, images: Images, limit: int = 1 << 30) -> None:
        self.images, self.limit, self.used = images, limit, 0
        self.kept: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        return self.images.name(index)

    def read(self, index: int) -> np.ndarray:
        """See ``Images.read``; don't change the pixels."""
        if index in self.kept:
            return self.kept[index]
        pixels = self.images.read(index)
        if self.used + pixels.nbytes <= self.limit:
            self.kept[index] = pixels
            self.used += pixels.nbytes
        return pixels

    def contents(self) -> str:
        return self.images.contents()


def _outside_braces(text: str) -> str:
    depth, kept = 0, []
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        kept.append(letter if depth == 0 else "")
    return "".join(kept)


def is_folder(path: str | Path) -> bool:
    """Whether a folder is there; any text may be asked for, as long as it is (``Path.is_dir`` fails on long ones)."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: str) -> bool:
    """Whether a file or folder is there; see ``is_folder``."""
    return os.path.exists(path)  # noqa: PTH110


def _image_files(folder: Path) -> list[str]:
    """Paths below a folder, with ``/``. Raises AdcbenchError: a folder that can't be listed."""

    def refuse(error: OSError) -> None:
        raise AdcbenchError(
            f"{error.filename}: can't be listed ({error.strerror}), so its images would be left out; make it readable, "
            "or take it away"
        ) from error

    images: list[str] = []
    seen: set[str] = set()  # links may lead back
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            images += [Path(parent, name).relative_to(folder).as_posix() for name in names if _is_image(name)]
        seen.add(real)
    return images


def _is_image(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
