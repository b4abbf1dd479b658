"""Compare the committed results of a git revision with those of the working tree: only provenance may differ.

    python tests/same_tables.py 2d3cb0e

Of every table: each cell's published value, measurement, verdict, cause, signature and block; every sample (per image,
component or call); and the texts made of them. Says what differs, and exits with 1 if anything does. What a measurement
was made by (``provenance``: hashes of sources, versions) may differ, but not its notes and other readings, which the
texts show.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SHOWN = ("note", "other readings", "n", "interval", "outputs")  # parts of the provenance that stand in texts
CLAIMS = "tables/claims.md"
TEXTS = ("table.csv", "table.md", "table.tex")


def committed(revision: str, path: str) -> bytes | None:
    """A file of a revision; None where it is not there."""
    done = subprocess.run(["git", "show", f"{revision}:{path}"], cwd=ROOT, capture_output=True)
    return None if done.returncode else done.stdout


def folders(revision: str) -> list[str]:
    """The tables' folders of a revision and of the working tree."""
    done = subprocess.run(["git", "ls-tree", "-d", "--name-only", revision, "tables/"], cwd=ROOT, capture_output=True)
    now = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tables").iterdir() if path.is_dir()]
    return sorted({*done.stdout.decode().split(), *now})


def cells(data: bytes) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Lines of a ``cells.jsonl`` by place and slot, of their provenance only what is shown."""
    lines = {}
    for text in data.decode().splitlines():
        line = json.loads(text)
        provenance = line.get("provenance") or {}
        line["provenance"] = {name: provenance[name] for name in SHOWN if name in provenance}
        place = ("row", "test_set", "metric", "level", "scale", "device", "dtype")
        lines[tuple(line.get(name) for name in place)] = line
    return lines


def differences(folder: str, revision: str) -> Iterator[str]:
    """What differs in one table."""
    for name in ("cells.jsonl", "scores.csv.gz", *TEXTS):
        old, path = committed(revision, f"{folder}/{name}"), ROOT / folder / name
        new = path.read_bytes() if path.is_file() else None
        if old is None or new is None:
            if old != new:
                yield f"{folder}/{name}: only {'there now' if old is None else f'in {revision}'}"
        elif name == "cells.jsonl":
            was, now = cells(old), cells(new)
            for place in was.keys() | now.keys():
                one, other = was.get(place, {}), now.get(place, {})
                changed = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
                if changed:
                    yield f"{folder}: {place}: {', '.join(f'{k}: {one.get(k)!r} -> {other.get(k)!r}' for k in changed)}"
        elif name.endswith(".gz"):
            old, new = gzip.decompress(old), gzip.decompress(new)
            if old != new:
                yield f"{folder}/{name}: samples differ"
        elif old != new:
            yield f"{folder}/{name}: text differs"


def main(revision: str) -> int:
    """Print every difference."""
    where = folders(revision)
    assert where, f"no tables in {revision}"
    lines = [line for folder in where for line in differences(folder, revision)]
    if committed(revision, CLAIMS) != (ROOT / CLAIMS).read_bytes():
        lines.append(f"{CLAIMS}: text differs")
    print(*lines, f"{len(where)} tables, {len(lines)} differences to {revision}", sep="\n")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
