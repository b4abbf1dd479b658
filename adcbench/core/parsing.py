"""Settings and records that may be damaged, or somebody else's: bounded in size and depth, one kind of error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_whole

LARGEST = 200_000  # bytes of a file of settings; the largest that we write has 4,000
_DEEPEST = 32  # levels of nested mappings and lists


def read_text(path: Path, at_most: int = LARGEST) -> str:
    """A text file.

    Args:
        at_most: the largest size in bytes that is read; 0: any.

    Raises:
        AdcbenchError: see ``files.read_whole``; it is not UTF-8.
    """
    try:
        return read_whole(path, at_most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise AdcbenchError(f"{path}: not a text in UTF-8 ({error.reason} at byte {error.start})") from error


def read_json(path: Path, at_most: int = LARGEST) -> Any:
    """The content of a JSON file.

    Args:
        at_most: the largest size in bytes that is read; 0: any.

    Raises:
        AdcbenchError: see ``read_text``; it is not JSON, is too deep, or has a number of thousands of digits.
    """
    text = read_text(path, at_most)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else one_line(error)
        raise AdcbenchError(f"{path}: can't be read as JSON ({reason})") from error
    check_depth(found, str(path))
    return found


def check_depth(found: Any, name: str) -> None:
    """Refuse what is nested deeper than any settings are: code that walks it may then call itself.

    Raises:
        AdcbenchError: it is; names it.
    """
    level = [found]
    for _ in range(_DEEPEST + 1):
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise AdcbenchError(f"{name}: nested more than {_DEEPEST} levels deep; no settings are")


def one_line(error: Exception) -> str:
    """An error's text without its line breaks, for another error's text."""
    return " ".join(str(error).split()) or type(error).__name__


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
