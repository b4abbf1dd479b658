"""Data files: JSON and CSV, read whole, and whatever is wrong with one is one line.

Files of ours (tables, published values, spreads): each format has one reader. It reads inside ``reading``, so that any
error of what a file holds names the file and says how to restore it. Settings and records, which may be somebody
else's: ``read_json``, bounded in size and depth.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from adcbench.core.errors import AdcbenchError, one_line
from adcbench.core.files import read_text, read_whole
from adcbench.core.settings import CHECKOUT, PACKAGE

Kinds: TypeAlias = Mapping[str, type | tuple[type, ...]]  # name -> of which type its value is
LARGEST_SETTINGS = 200_000  # bytes of a file of settings; the largest that we write has 4,000
_LARGEST_UNPACKED = 1 << 28  # bytes of text in a .gz: far more than any of ours has
_DEEPEST = 32  # levels of nested mappings and lists


@contextmanager
def reading(path: Path, otherwise: str = "") -> Iterator[None]:
    """What is read from ``path`` in here is right, or there is an error that names the file, what is wrong, the remedy.

    Args:
        otherwise: what else makes the file again: ``delete it and run: adcbench reproduce adcsr/table1``.

    Raises:
        AdcbenchError: the file is damaged.
    """
    try:
        yield
    except AdcbenchError:
        raise
    except Exception as error:  # whatever a damaged file raises
        said = f"no {error}" if isinstance(error, KeyError) else one_line(error)
        raise damaged(path, said, otherwise) from error


def damaged(path: Path, why: str, otherwise: str = "") -> AdcbenchError:
    """The error of a damaged file: its name, what is wrong with it, how to restore it."""
    return AdcbenchError(
        f"{path}: damaged: {brief(why, 200)}. {', or '.join(filter(None, (restore(path), otherwise)))}"
    )


def brief(text: str, at_most: int = 80) -> str:
    """A text from a file as a part of one line."""
    return " ".join(text.split())[:at_most]


def restore(path: Path) -> str:
    """How a file of ours comes back: from git in a checkout, from the wheel, or from wherever the user has a copy."""
    whole = path.resolve()
    if CHECKOUT and whole.is_relative_to(CHECKOUT):
        return f"Restore it: git checkout {path}"
    if whole.is_relative_to(PACKAGE):
        return "Install adcbench again"
    return "Restore it from a copy"


def data_text(path: Path) -> str:
    """Text of a file of ours in UTF-8; ``.gz`` is unpacked. Call it inside ``reading``.

    Raises:
        AdcbenchError: it is no regular file, or can't be read.
        ValueError, OSError, EOFError: it is no such text.
    """
    data = read_whole(path)
    if path.suffix == ".gz":
        with gzip.open(io.BytesIO(data)) as file:
            data = file.read(_LARGEST_UNPACKED + 1)
        if len(data) > _LARGEST_UNPACKED:
            raise ValueError(f"unpacks to more than {_LARGEST_UNPACKED:,} bytes")
    return data.decode()


def json_value(text: str) -> Any:
    """A JSON value: its numbers are finite, and no name is twice in an object.

    Raises:
        ValueError: it is something else.
    """
    return json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return content


def json_lines(path: Path, kinds: Kinds) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a ``.jsonl`` file with the numbers of their lines, from 1.

    Args:
        kinds: what each object has at least, and of which type. An int is a float too; a bool is neither.

    Raises:
        ValueError: a line is something else; names it.
    """
    for number, text in enumerate(data_text(path).splitlines(), start=1):
        try:
            line = json_value(text)
            check_kinds(line, kinds)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
        yield number, line


def check_kinds(content: Any, kinds: Kinds) -> None:
    """Whether something is an object with these names, each of its type; floats are finite.

    Raises:
        ValueError: it is not; says what is wrong.
    """
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    if missing := [name for name in kinds if name not in content]:
        raise ValueError(f"it has no {', '.join(missing)}")
    for name, kind in kinds.items():
        value, wanted = content[name], kind if isinstance(kind, tuple) else (kind,)
        right = isinstance(value, (*wanted, int) if float in wanted else wanted)
        if float in wanted and isinstance(value, float | int):
            right = abs(value) <= sys.float_info.max  # no infinity, and no int beyond floats
        if not right or (isinstance(value, bool) and bool not in wanted):
            raise ValueError(f"{name} is {value!r:.40}, not of type {' or '.join(one.__name__ for one in wanted)}")


def csv_rows(path: Path, fields: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file that has these columns, with the numbers of their lines; lines that start with # are none.

    Raises:
        ValueError: other columns, or a row that has more or fewer; names the line.
    """
    rows = csv.reader(io.StringIO(data_text(path), newline=""), strict=True)
    head = None
    for row in rows:
        if not row or (head is None and row[0].startswith("#")):
            continue
        if head is None:
            head = row
            if head != list(fields):
                raise ValueError(f"line {rows.line_num}: its columns are not {','.join(fields)}")
        elif len(row) != len(fields):
            raise ValueError(f"line {rows.line_num}: {len(row)} values for {len(fields)} columns")
        else:
            yield rows.line_num, dict(zip(fields, row, strict=True))
    if head is None:
        raise ValueError(f"it has no columns; they must be {','.join(fields)}")


def finite(text: str) -> float:
    """A finite number.

    Raises:
        ValueError: it is none.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no finite number")
    return value


def read_json(path: Path, at_most: int = LARGEST_SETTINGS) -> Any:
    """The content of a JSON file that may be damaged, or somebody else's.

    Args:
        at_most: the largest size in bytes that is read; 0: any.

    Raises:
        AdcbenchError: see ``files.read_text``; it is not JSON, is too deep, or has a number of thousands of digits.
    """
    text = read_text(path, at_most)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else one_line(error)
        raise AdcbenchError(f"{path}: can't be read as JSON ({reason})") from error
    check_depth(content, str(path))
    return content


def check_depth(content: Any, name: str) -> None:
    """Refuse what is nested deeper than any settings are: code that walks it may then call itself.

    Raises:
        AdcbenchError: it is; names it.
    """
    level = [content]
    for _ in range(_DEEPEST + 1):
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise AdcbenchError(f"{name}: nested more than {_DEEPEST} levels deep; no settings are")


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
