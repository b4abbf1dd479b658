"""The file of human scores: read whole, or named with what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.test_sets.opinions import read_opinions

ROWS: list[dict[str, Any]] = [
    {"name": "a.source", "source": "a", "method": "source", "mos": 4.5, "dists": 0},
    {"name": "a.dove", "source": "a", "method": "dove", "mos": 3.5, "dists": 0.1},
    {"name": "b.dove", "source": "b", "method": "dove", "mos": 2.5, "dists": None, "lossless": True},
]


def write(path: Path, rows: Any) -> Path:
    path.write_text(json.dumps(rows))
    return path


def test_every_number_is_there_by_its_name(tmp_path: Path) -> None:
    found = read_opinions(write(tmp_path / "d.json", ROWS))
    assert found.names == ("a.source", "a.dove", "b.dove") and found.scenes == ("a", "a", "b")
    assert found.processed.tolist() == [False, True, True]
    np.testing.assert_array_equal(found.scores, [4.5, 3.5, 2.5])
    np.testing.assert_array_equal(found.of("dists"), [0, 0.1, np.nan])
    with pytest.raises(AdcbenchError, match=r"no human scores stand beside 'lossless'\. There are: dists, mos"):
        found.of("lossless")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no list of clips"),
        ({}, "no list of clips"),
        ([{"name": "a"}], "it has no source, method, mos"),
        ([ROWS[0] | {"mos": "good"}], "mos is 'good'"),
        ([ROWS[0], ROWS[0]], "a clip is there twice: a.source"),
    ],
)
def test_a_damaged_file_is_named(rows: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=rf"d\.json.*{why}"):
        read_opinions(write(tmp_path / "d.json", rows))
