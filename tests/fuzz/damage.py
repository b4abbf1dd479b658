"""Damage of every kind to a small file: cut, flipped, doubled, emptied, of another encoding; JSON of other types.

Seeded: the same number gives the same damage. ADCBENCH_FUZZ=full (`nox -s fuzz`): many more.
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

from adcbench.core.errors import AdcbenchError

FULL = os.environ.get("ADCBENCH_FUZZ") == "full"
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, 1e300, float("nan"), float("inf"), "", "x", "NaN", "\ud800", [], [[]], {}, {"a": []},
)  # fmt: skip
DEEP = "[" * 100_000
TEXTS = (
    "", "\n", "{", "null", "[]", "{}", "1", '"x"', "[1]", "[null]", '{"a": 1}', DEEP, '{"a":' * 100_000, "9" * 5000,
    "NaN", "<html>", "<!DOCTYPE html><html>", "version https://git-lfs.github.com/spec/v1\n",
)  # fmt: skip


def attack(
    path: Path, use: Callable[[], object], said: Callable[[str], object], few: int, many: int, *, longest: int = 1000
) -> int:
    """Damage a file in every way, then put it back: ``use`` reads it or refuses it in a line.

    Args:
        said: whether the line says what it must: which file, and the remedy.
        few, many: damages of each kind, in a sample and in a full run.
        longest: of the line, in characters.

    Returns:
        How many were refused.
    """
    whole, refused = path.read_bytes(), 0
    for kind, data in damaged(whole, path.name, many if FULL else few):
        path.write_bytes(data)
        try:
            use()
        except AdcbenchError as error:
            text = str(error)
            refused += 1
            assert "\n" not in text and len(text) < longest and said(text), (kind, text)
        except Exception as error:
            raise AssertionError(f"{path.name}, {kind}: {data!r:.3000}") from error
    path.write_bytes(whole)
    return refused


def damaged(data: bytes, name: str, count: int) -> Iterator[tuple[str, bytes]]:
    """Kinds of damage, and the bytes of the file of that name after it: ``count`` of each kind, and of several at once.

    What a ``.gz`` holds is damaged too, and packed whole.
    """
    draw = random.Random(name)
    kinds = _BYTES | {"several": _several} | (_JSON if Path(name).suffix in (".json", ".jsonl") else {})

    def each(data: bytes) -> Iterator[tuple[str, bytes]]:
        yield from (("another file", other) for other in _others(data, draw))
        for kind, damage in kinds.items():
            yield from ((kind, damage(data, draw)) for _ in range(count))

    yield from each(data)
    if name.endswith(".gz"):
        yield from ((f"{kind}, inside", gzip.compress(inner, mtime=0)) for kind, inner in each(gzip.decompress(data)))


def _others(data: bytes, draw: random.Random) -> Iterator[bytes]:
    """Something else altogether: empty, binary, another encoding, nested without end."""
    yield from (text.encode() for text in TEXTS)
    yield from (bytes(2000), b"\xff\xfe\x00" * 5, draw.randbytes(3000), data.decode("latin-1").encode("utf-16"))
    yield from (b"\xef\xbb\xbf" + data, b'"' + data, data.replace(b"\n", b"\r"), data.replace(b"\n", b"\0"))


def _several(data: bytes, draw: random.Random) -> bytes:
    """Two or three faults."""
    for damage in draw.choices(list(_BYTES.values()), k=draw.choice((2, 3))):
        data = damage(data, draw) if data else data
    return data


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
    return data[:start] + data[start + draw.choice((1, 2, 3, 8, 40, 64, 400)) :]


def _double(data: bytes, draw: random.Random) -> bytes:
    start, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[start:]


def _double_line(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([*lines, draw.choice(lines)])


def _lose_line(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.pop(draw.randrange(len(lines)))
    return b"".join(lines)


def _lose_column(data: bytes, draw: random.Random) -> bytes:
    mark = draw.choice((b",", b" ", b"; ", b"|"))
    return b"\n".join(mark.join(line.split(mark)[:-1]) for line in data.split(b"\n"))


def _no_number(data: bytes, draw: random.Random) -> bytes:
    """Something else in a number's place."""
    numbers = list(re.finditer(rb"\d+(\.\d+)?", data))
    if not numbers:
        return b"nan"
    found = draw.choice(numbers)
    new = draw.choice(
        (b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"", b"x", b"-1", b"0", b"9" * 20, b"9" * 5000, b"\xb2",
         b"null", b'"x"', b"[]")
    )  # fmt: skip
    return data[: found.start()] + new + data[found.end() :]


def _json_line(data: bytes, draw: random.Random, change: Callable[[dict[Any, Any], Any], object]) -> bytes:
    """Change an object within one line's value, at a random depth."""
    lines = data.decode().splitlines() if data.count(b"\n{") else [data.decode()]
    at = draw.randrange(len(lines))
    value = json.loads(lines[at])
    inside = [value]
    for one in inside:
        inside += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    chosen = draw.choice([one for one in inside if isinstance(one, dict) and one])
    change(chosen, draw.choice(list(chosen)))
    lines[at] = json.dumps(value)
    return ("\n".join(lines) + "\n").encode()


def _drop_key(data: bytes, draw: random.Random) -> bytes:
    return _json_line(data, draw, lambda found, key: found.pop(key))


def _other_type(data: bytes, draw: random.Random) -> bytes:
    return _json_line(data, draw, lambda found, key: found.update({key: draw.choice(VALUES)}))


_BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": _cut, "flipped": _flip, "inserted": _insert, "removed": _remove, "doubled": _double,
    "line doubled": _double_line, "line lost": _lose_line, "column lost": _lose_column, "no number": _no_number,
}  # fmt: skip
_JSON: dict[str, Callable[[bytes, random.Random], bytes]] = {"key dropped": _drop_key, "another type": _other_type}
