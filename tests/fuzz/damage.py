"""Damage of every kind to a small file: cut, flipped, doubled, emptied, of another encoding; JSON of other types.

Seeded: the same number gives the same damage. ADCBENCH_FUZZ=full: ten times as many (`nox -s fuzz`).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TIMES = 10 if os.environ.get("ADCBENCH_FUZZ") == "full" else 1
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, 1e300, float("nan"), float("inf"), "", "x", "NaN", "\ud800", [], [[]], {}, {"a": []},
)  # fmt: skip


def damaged(path: Path, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names of kinds of damage, and a file's bytes after it; ``count`` of each kind, ten times that in a full run."""
    data, draw = path.read_bytes(), random.Random(f"{path.name} {seed}")
    kinds = dict(_BYTES)
    if path.suffix in (".json", ".jsonl"):
        kinds |= _JSON
    for name, damage in kinds.items():
        for _ in range(count * TIMES):
            yield name, damage(data, draw)
            if path.suffix == ".gz":  # what is inside is damaged, and packed whole
                yield f"{name}, inside", gzip.compress(damage(gzip.decompress(data), draw), mtime=0)


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def _flip(data: bytes, draw: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 20))):
        found[draw.randrange(len(found))] = draw.randrange(256)
    return bytes(found)


def _insert(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    new = draw.choice((b"\xff\xfe", b"\0", b"\n", b'"', b",", b"\r", b"{", b"\xef\xbb\xbf", b"[" * 5000, b"9" * 5000))
    return data[:at] + new + data[at:]


def _remove(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data))
    return data[:start] + data[start + draw.choice((1, 3, 40, 400)) :]


def _double_line(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([*lines, draw.choice(lines)])


def _lose_line(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.pop(draw.randrange(len(lines)))
    return b"".join(lines)


def _no_number(data: bytes, draw: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+(\.\d+)?", data))
    if not numbers:
        return b"nan"
    found = draw.choice(numbers)
    new = draw.choice((b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"", b"x", b"-1"))
    return data[: found.start()] + new + data[found.end() :]


def _other_file(data: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"", b"\n", b"{}", b"[]", b"null", b"<html>", b"version https://git-lfs.github.com/spec/v1\n"))


def _json_line(data: bytes, draw: random.Random, change: Callable[[dict[Any, Any], Any], object]) -> bytes:
    """Change an object within one line's value, at a random depth."""
    lines = data.decode().splitlines() if data.count(b"\n{") else [data.decode()]
    at = draw.randrange(len(lines))
    value = json.loads(lines[at])
    objects = [value]
    for one in objects:
        objects += [inner for inner in one.values() if isinstance(inner, dict)]
    chosen = draw.choice([one for one in objects if one])
    change(chosen, draw.choice(list(chosen)))
    lines[at] = json.dumps(value)
    return ("\n".join(lines) + "\n").encode()


def _drop_key(data: bytes, draw: random.Random) -> bytes:
    return _json_line(data, draw, lambda found, key: found.pop(key))


def _other_type(data: bytes, draw: random.Random) -> bytes:
    return _json_line(data, draw, lambda found, key: found.update({key: draw.choice(VALUES)}))


_BYTES = {
    "cut": _cut, "flipped": _flip, "inserted": _insert, "removed": _remove, "line doubled": _double_line,
    "line lost": _lose_line, "no number": _no_number, "another file": _other_file,
}  # fmt: skip
_JSON = {"key dropped": _drop_key, "another type": _other_type}
