"""A CSV is written whole, whatever its names hold."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from adcbench.report.csv_file import write_csv


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = [("a,b", 1.5), ('say "x"', 2), ("two\nlines", None)]
    write_csv(tmp_path / "x.csv", ("name", "score"), rows)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["name", "score"], ["a,b", "1.5"], ['say "x"', "2"], ["two\nlines", ""]]


def test_bytes_that_are_not_utf_8_are_shown(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", ("name",), [("\udcb2é",)])
    assert (tmp_path / "x.csv").read_bytes() == "name\r\n\\udcb2é\r\n".encode()


def test_rows_that_fail_leave_the_old_file(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[str]]:
        yield ("new",)
        raise ValueError("on purpose")

    (tmp_path / "x.csv").write_text("old")
    with pytest.raises(ValueError, match="on purpose"):
        write_csv(tmp_path / "x.csv", ("name",), rows())
    assert (tmp_path / "x.csv").read_text() == "old" and len(list(tmp_path.iterdir())) == 1
