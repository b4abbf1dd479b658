"""Files of ours are read strictly: what is damaged is named with its line and its remedy."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from adcbench.core.datafiles import (
    check_depth,
    check_kinds,
    csv_rows,
    data_text,
    finite,
    json_lines,
    json_value,
    reading,
)
from adcbench.core.errors import AdcbenchError

KINDS = {"name": str, "value": float, "n": int}
RIGHT = {"name": "a", "value": 1.5, "n": 2}


def test_an_int_is_a_float_too_and_more_names_may_be_there() -> None:
    check_kinds({**RIGHT, "value": 1, "more": None}, KINDS)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "not an object"),
        ({"name": "a"}, "it has no value, n"),
        ({**RIGHT, "n": True}, "n is True, not of type int"),
        ({**RIGHT, "n": 2.0}, "n is 2.0, not of type int"),
        ({**RIGHT, "value": True}, "value is True"),
        ({**RIGHT, "value": float("nan")}, "value is nan"),
        ({**RIGHT, "value": 10**400}, "value is 1000"),
        ({**RIGHT, "name": None}, "name is None, not of type str"),
    ],
)
def test_what_is_of_another_kind_is_named(found: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_kinds(found, KINDS)


@pytest.mark.parametrize("text", ['{"a": NaN}', "[-Infinity]", '{"a": 1, "b": {"c": 1, "c": 2}}', "{"])
def test_json_has_finite_numbers_and_each_name_once(text: str) -> None:
    with pytest.raises(ValueError):
        json_value(text)


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": "1"}\n')
    lines = json_lines(path, {"a": int})
    assert next(lines) == (1, {"a": 1})
    with pytest.raises(ValueError, match="line 2: a is '1'"):
        next(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,c\n", "line 1: its columns are not a,b"),
        ("a,b\n1,2\n3\n", "line 3: 1 values for 2 columns"),
        ("# a note\n", "no columns"),
    ],
)
def test_other_columns_and_torn_rows_are_named(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match=says):
        list(csv_rows(tmp_path / "x.csv", ("a", "b")))


def test_rows_have_their_line_numbers_and_notes_stand_before_the_columns_alone(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b'# note\n\na,b\n"1\n2",x\n#,y\n'))
    assert list(csv_rows(tmp_path / "x.csv.gz", ("a", "b"))) == [
        (5, {"a": "1\n2", "b": "x"}),
        (6, {"a": "#", "b": "y"}),
    ]


@pytest.mark.parametrize("text", ["nan", "-inf", "1e999", "one"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        finite(text)


def test_damage_names_the_file_and_how_to_restore_it(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"text")[:-5])
    says = r"x\.gz: damaged: .*\. Restore it from a copy, or make it again$"
    with pytest.raises(AdcbenchError, match=says), reading(path, "make it again"):
        data_text(path)


def test_settings_are_not_nested_deeper_than_any_are() -> None:
    nested: Any = []
    for _ in range(32):
        nested = [nested]
    check_depth(nested, "x")
    with pytest.raises(AdcbenchError, match="x: nested more than 32 levels deep"):
        check_depth({"a": nested}, "x")
