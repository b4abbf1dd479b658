"""Checkpoint files: where they lie, and each compared with all that is known of it.

There is one check, ``check_file``: of what is loaded, of what was downloaded, and of ``adcbench weights check``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import read_text
from adcbench.core.hashes import remembered_hash
from adcbench.core.keys import short
from adcbench.core.settings import weights_dir

SUMS = "SHA256SUMS"
SIZE_ALONE = "size alone"  # by which a file may be known
_LARGEST_SUMS = 1 << 20  # bytes


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


def file_path(owner: NeedsFiles, file: WeightFile) -> Path:
    """Where a file lies, or would lie: inside an installed package that brings it, else below ``weights_dir()``."""
    return (owner.locate and owner.locate(file.name)) or file.path(owner.home)


def find_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric.

    Raises:
        Blocked: a file is not here; the message names it and the command that gets it.
    """
    found = {file.name: file_path(owner, file) for file in owner.files}
    for name, path in found.items():
        if not path.is_file():
            raise Blocked(f"the checkpoint {name} of {owner.name}", owner.get)
    return found


def hash_shown(owner: NeedsFiles, file: WeightFile) -> str:
    """A checkpoint's sha256 for a signature, shortened: the published one, else that of the file here, else unknown."""
    path = file_path(owner, file)
    return short(file.sha256 or (remembered_hash(path) if path.is_file() else "") or "unknown")


def checked_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric, each the file it should be, as far as that is known.

    Raises:
        Blocked: a file is not here; names it and the command that gets it.
        AdcbenchError: a file is not the one it should be.
    """
    found = find_files(owner)
    for file in owner.files:
        if problem := check_file(file, found[file.name]).problem:
            raise AdcbenchError(
                f"{found[file.name]}: not the file {file.name} of {owner.name}: {problem}. {again(owner.get)}"
            )
    return found


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
    found = re.search(r"-([0-9a-f]{8,})\.\w+$", name)
    return found[1] if found else ""


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
