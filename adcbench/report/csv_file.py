"""CSV files of scores: written whole, whatever the names in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from adcbench.core.files import write_whole


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    r"""Write a CSV in UTF-8, whole or not at all.

    Bytes of a name that are not UTF-8 are written as Python shows them: ``\udcb2`` for 0xb2.

    Raises:
        AdcbenchError: it can't be written; an older file of that name is as it was.
    """
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    write_whole(path, text.getvalue().encode("utf-8", "backslashreplace"))
