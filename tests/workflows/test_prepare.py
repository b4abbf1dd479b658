"""What tables need that is not here. Downloads and questions are in tests/cli/test_tables_fetch.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adcbench.workflows import catalogue, prepare


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("ADCBENCH_OFFLINE", "1")  # no size is asked for


def test_two_tables_share_what_both_need() -> None:
    alone, both = prepare.plan(["adcsr/table1"]), prepare.plan(["adcsr/table1", "adcsr/table2", "adcsr/table1"])
    assert [one.label for one in alone.todo] == [one.label for one in both.todo]
    assert {one.test_set.name for one in both.sets} == {"DRealSR"}
    (drealsr,) = both.sets
    assert len(drealsr.files) == 280 and drealsr.size == sum(file.size for file in drealsr.files) > 60e6
    assert both.size == drealsr.size + catalogue.download_size(both.todo)
    assert len({path for path, _ in both.wanted_space()}) == 280 + len(both.todo)


def test_a_file_that_is_here_is_not_wanted_again(tmp_path: Path) -> None:
    file = prepare.plan(["adcsr/table1"]).sets[0].files[0]
    path = tmp_path / "data" / "drealsr" / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(file.size))  # of another content: the fetch finds out
    assert file not in prepare.plan(["adcsr/table1"]).sets[0].files


def test_what_no_download_brings_is_said_with_its_remedy() -> None:
    text = prepare.plan_text(prepare.plan(["adcsr/table_c1", "adcvsr/table3"]))
    assert "DIV2K-Val" in text and "adcbench fetch div2k_val" in text
    assert "YouHQ40" in text and "Google Drive" in text
    assert re.search(r"In all .*: .* a second, and \d+ files of unknown size, often of gigabytes, on top", text)
    assert "Not downloaded" in text and "metrics/raft_large_C_T_V1-22a6c225.pth" in text


def test_a_table_that_needs_nothing_wants_nothing() -> None:
    plan = prepare.plan(["adcsr/table_c3"])
    assert not plan.sets and not plan.todo and not plan.downloads and prepare.plan_text(plan) == ""
    assert prepare.bring(plan) == [] and prepare.not_brought([]) is None
