"""What training images are by their contents, so that a run goes on with the images it began with, or not at all.

Files are hashed once: what a file's hash is remembered by (``files.identity``) changes when it is written, replaced or
renamed over. Sources of more than ``WHOLE`` bytes are hashed by each file's size and
edges, because reading all of them would take longer than it is worth (docs/training_data.md has the figures).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import check_regular, identity, write_whole
from adcbench.core.keys import digest, file_hash
from adcbench.core.settings import cache_dir

WHOLE = 256 << 30  # bytes of a source up to which every byte is read
_EDGE = 64 << 10  # bytes at a file's beginning and end, of larger sources
_THREADS = 8


def check_usable(paths: Sequence[Path]) -> list[os.stat_result]:
    """What the system says of files, if all of them are regular and have bytes.

    Raises:
        AdcbenchError: lists those that can't be images: links that lead nowhere, pipes, devices, empty files.
    """
    states, wrong = [], []
    for path in paths:
        try:
            state = check_regular(path)
            if not state.st_size:
                raise AdcbenchError(f"{path}: empty")
            states.append(state)
        except AdcbenchError as error:
            wrong.append(str(error))
    _refuse(wrong)
    return states


def content_hashes(paths: Sequence[Path], name: str) -> list[str]:
    """A hash of each file's content, remembered for as long as the file is not touched.

    Args:
        name: of what they belong to; one list of hashes is kept for each name.

    Raises:
        AdcbenchError: lists files that can't be read.
    """
    states = check_usable(paths)
    whole = sum(state.st_size for state in states) <= WHOLE
    keys = [_key(state, whole) for state in states]
    memo = cache_dir() / "contents" / f"{digest(name)}.json"
    known = _remembered(memo)
    new = {key: path for key, path in zip(keys, paths, strict=True) if key not in known}
    if new:
        made, wrong = _hash_all(new, file_hash if whole else _edges_hash)
        _refuse(wrong)
        known = {key: known[key] for key in keys if key in known} | made
        write_whole(memo, json.dumps(known).encode())
    return [known[key] for key in keys]


def remembered(name: str, state: object, make: Callable[[], str]) -> str:
    """A hash that is slow to make, kept for as long as ``state`` is the same.

    Args:
        name: of what it is of.
        state: whatever JSON can hold.
    """
    memo, key = cache_dir() / "contents" / f"{digest(name)}.json", digest(state)
    known = _remembered(memo)
    if key not in known:
        known = {key: make()}
        write_whole(memo, json.dumps(known).encode())
    return known[key]


def file_state(path: Path) -> str:
    """What a file's hash is remembered by. Raises AdcbenchError: no regular file."""
    return _key(check_regular(path), whole=True)


def _key(state: os.stat_result, whole: bool) -> str:
    return ("" if whole else "edges ") + " ".join(map(str, identity(state)))


def _hash_all(files: dict[str, Path], make: Callable[[Path], str]) -> tuple[dict[str, str], list[str]]:
    """Hashes by key, and what is wrong with the files that have none."""
    wrong: list[str] = []

    def hashed(path: Path) -> str:
        try:
            return make(path)
        except OSError as error:
            wrong.append(f"{path}: can't be read ({error.strerror})")
            return ""

    with ThreadPoolExecutor(_THREADS) as pool:
        bar: Iterable[str] = tqdm(
            pool.map(hashed, files.values()), "looking at the training images", len(files), delay=2, leave=False
        )
        made = dict(zip(files, bar, strict=True))
    return made, sorted(wrong)


def _edges_hash(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        first = file.read(_EDGE)
        file.seek(max(0, size - _EDGE))
        return hashlib.sha256(b"%d " % size + first + file.read(_EDGE)).hexdigest()


def _remembered(memo: Path) -> dict[str, str]:
    """What is kept; nothing where that is damaged, because it can be made again."""
    try:
        hashes = read_json(memo, at_most=0)
    except AdcbenchError:
        return {}
    plain = isinstance(hashes, dict) and all(isinstance(value, str) for value in hashes.values())
    return hashes if plain else {}


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise AdcbenchError(
            f"{len(wrong)} training image{'s' * (len(wrong) > 1)} can't be used: {listed(wrong)}. Put them back or "
            "take them away"
        )
