"""The store: a cache whose altered rows count for nothing, and whose failures stop no work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adcbench.core import store


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(store.store_path())
    with db:
        yield db
    db.close()


def test_results_come_back_by_key_and_by_kind() -> None:
    assert store.get(["a"]) == {} and store.every("score") == {}
    assert not store.store_path().exists()  # looking makes nothing
    store.put("score", {"a": 1.5, "b": {"x": [1, 2]}})
    store.put("other", {"c": 2})
    assert store.get(["a", "b", "none"]) == {"a": 1.5, "b": {"x": [1, 2]}}
    assert store.get([*map(str, range(1200)), "c"]) == {"c": 2}
    assert list(store.every("score")) == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE results SET payload = '70.4' WHERE key = 'a'",
        "UPDATE results SET key = 'c', checksum = checksum WHERE key = 'a'",
        "UPDATE results SET kind = 'other' WHERE key = 'a'",
        "UPDATE results SET checksum = '' WHERE key = 'a'",
        "UPDATE results SET payload = x'ff' WHERE key = 'a'",
        "INSERT OR REPLACE INTO results (key, kind, payload) VALUES ('a', 'score', '70.4')",
    ],
)
def test_an_altered_row_counts_as_unknown_and_is_replaced(change: str) -> None:
    store.put("score", {"a": 50.4, "b": 1.0})
    with opened() as db:
        db.execute(change)
    with pytest.warns(UserWarning, match=r"1 result in .*store\.sqlite changed since they were kept"):
        assert store.get(["a", "b", "c"]) == {"b": 1.0}
    store.put("score", {"a": 50.4, "c": 2.0})
    assert store.get(["a", "c"]) == {"a": 50.4, "c": 2.0}


def test_a_store_without_checksums_is_not_trusted_and_goes_on() -> None:
    store.store_path().parent.mkdir(parents=True, exist_ok=True)
    with opened() as db:
        db.execute("CREATE TABLE results (key TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL)")
        db.execute("INSERT INTO results VALUES ('a', 'score', '70.4')")
    with pytest.warns(UserWarning, match="an older adcbench, which kept no checksums"):
        assert store.get(["a"]) == {}
    store.put("score", {"b": 1.0})
    assert store.get(["b"]) == {"b": 1.0}
    with pytest.warns(UserWarning, match="no checksums"):
        assert store.every("score") == {"b": 1.0}
    store.put("score", {"a": 50.4})
    assert store.get(["a"]) == {"a": 50.4}


def test_a_locked_store_is_named_once_and_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    store.put("score", {"key": 1.0})
    monkeypatch.setattr(store, "_WAIT_S", 0.1)
    with opened() as other:
        other.execute("BEGIN EXCLUSIVE")
        store.put("score", {"key": 2.0})
        store.put("score", {"key": 3.0})
        other.rollback()
    (one,) = recwarn.list
    assert "store.sqlite can't be written: database is locked. Another adcbench is writing" in str(one.message)
    assert store.get(["key"]) == {"key": 1.0}


def test_a_damaged_store_is_named_and_work_goes_on() -> None:
    store.store_path().parent.mkdir(parents=True, exist_ok=True)
    store.store_path().write_bytes(b"not a database" * 100)
    with pytest.warns(UserWarning, match=r"store\.sqlite can't be read: .* It is damaged: move it away"):
        assert store.get(["key"]) == {}
    with pytest.warns(UserWarning, match="can't be written"):
        store.put("score", {"key": 1.0})
    assert store.store_path().read_bytes().startswith(b"not a database")


def test_a_cache_that_nobody_can_write_is_named_and_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="can't be written: .* Set ADCBENCH_CACHE to a folder that you can write"):
        store.put("score", {"key": 1.0})
    assert store.get(["key"]) == {}


def test_turned_off_it_is_neither_read_nor_written(recwarn: pytest.WarningsRecorder) -> None:
    store.put("score", {"key": 1.0})
    with store.turned_off():
        assert store.get(["key"]) == {}
        store.put("score", {"key": 2.0})
    assert store.get(["key"]) == {"key": 1.0}
    assert not recwarn.list
