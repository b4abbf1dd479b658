"""Tar shards in webdataset's layout (plain ``.tar``), read at any place without unpacking.

A shard's index (member, offset, size of its images) is made once by walking its headers and kept in
``cache_dir()/shards`` for as long as the shard's size and time stay the same.
"""

from __future__ import annotations

import glob
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import check_regular, write_whole
from adcbench.core.keys import digest
from adcbench.core.settings import cache_dir
from adcbench.data.training.contents import content_hashes, file_state
from adcbench.data.training.decode import SUFFIXES, decode

_BROKEN = (tarfile.TarError, OSError, ValueError, OverflowError, EOFError, MemoryError)


class Member(NamedTuple):
    """An image in a shard: its path there, where its bytes begin, and how many."""

    path: str
    offset: int
    size: int


class ShardImages:
    """The images of shards, shard by shard in the order given, in the order they have inside.

    An image is a member whose name after its first dot is an image suffix, as webdataset splits names: of
    ``0001.jpg``, ``0001.json`` and ``0001.mask.png`` the first.

    Raises:
        AdcbenchError: a shard is missing, is no plain tar file, or none has an image.
    """

    def __init__(self, shards: Sequence[Path]) -> None:
        missing = [str(shard) for shard in shards if not shard.is_file()]
        if missing or not shards:
            raise AdcbenchError(f"{len(missing)} of {len(shards)} tar shards are missing: {listed(missing)}")
        self.shards = list(shards)
        self.members: list[tuple[int, Member]] = []
        for number, shard in enumerate(tqdm(self.shards, desc="indexing", unit="shard", delay=2, leave=False)):
            self.members += [(number, member) for member in _index(shard)]
        if not self.members:
            raise AdcbenchError(f"{listed(map(str, shards))}: no image inside ({', '.join(sorted(SUFFIXES))})")

    def __len__(self) -> int:
        return len(self.members)

    def name(self, index: int) -> str:
        number, member = self.members[index]
        return f"{self.shards[number]}/{member.path}"

    def read(self, index: int) -> np.ndarray:
        number, member = self.members[index]
        shard = self.shards[number]
        try:
            with shard.open("rb") as file:
                file.seek(member.offset)
                data = file.read(member.size)
        except OSError as error:
            raise AdcbenchError(f"{shard}: was there and can't be read now ({error.strerror}); put it back") from error
        return decode(data, self.name(index))

    def contents(self) -> str:
        return digest(content_hashes(self.shards, "\n".join(str(shard.resolve()) for shard in self.shards)))


def expand(pattern: str) -> list[Path]:
    """The shards of a pattern: ``{0000..0041}`` and ``{a,b}`` as shells expand them, then ``*`` and ``?``, sorted.

    Raises:
        AdcbenchError: ``*`` or ``?`` matches nothing, or the braces are of another kind.
    """
    head, opened, rest = pattern.partition("{")
    inside, closed, tail = rest.partition("}")
    if opened and closed:
        first, dots, last = inside.partition("..")
        if dots and not (first.isdecimal() and last.isdecimal()):
            raise AdcbenchError(f"{pattern}: write {{0000..0041}} or {{train,val}}")
        numbers = range(int(first), int(last) + 1) if dots else ()
        choices = [f"{number:0{len(first)}d}" for number in numbers] or inside.split(",")
        return [path for choice in choices for path in expand(head + choice + tail)]
    if not glob.has_magic(pattern):
        return [Path(pattern).expanduser()]
    paths = sorted(glob.glob(str(Path(pattern).expanduser())))  # noqa: PTH207 (absolute patterns)
    if not paths:
        raise AdcbenchError(f"{pattern}: matches no file")
    return [Path(path) for path in paths]


def _index(shard: Path) -> list[Member]:
    size = check_regular(shard).st_size
    kept = cache_dir() / "shards" / f"{digest(str(shard.resolve()), file_state(shard))}.json"
    try:
        if indexed := _members(read_json(kept, at_most=0), size):
            return indexed
    except (AdcbenchError, TypeError, ValueError):
        pass  # not there yet, or damaged
    members = _walk(shard, size)
    write_whole(kept, json.dumps(members).encode())
    return members


def _walk(shard: Path, size: int) -> list[Member]:
    try:
        with tarfile.open(shard, "r:") as tar:  # "r:": not compressed, so that offsets are places in the file
            images = [(m.name, m.offset_data, m.size) for m in tar if m.isfile() and _is_image(m.name)]
        return _members(images, size)
    except _BROKEN as error:
        raise AdcbenchError(
            f"{shard}: not a plain tar file, or not a whole one ({error}); unpack it, or make it again"
        ) from error


def _members(rows: Any, size: int) -> list[Member]:
    """The members that rows tell of. Raises ValueError, TypeError: they are none, or not inside ``size`` bytes."""
    if not isinstance(rows, list):
        raise TypeError("no list of members")
    members = [Member(*row) for row in rows]
    for path, offset, length in members:
        if not isinstance(path, str) or not (isinstance(offset, int) and isinstance(length, int)):
            raise TypeError("no list of members")
        if min(offset, length) < 0 or offset + length > size:
            raise ValueError(f"{path} has {length} bytes from {offset} on, the file {size}")
    return members


def _is_image(path: str) -> bool:
    stem, dot, suffix = os.path.basename(path).partition(".")  # noqa: PTH119
    return bool(stem) and dot + suffix.lower() in SUFFIXES
