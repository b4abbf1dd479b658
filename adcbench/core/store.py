"""The store: one SQLite file of results by cache key, so that nothing is computed twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir

_SCHEMA = "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL)"
_WAIT_S = 10.0  # how long to wait for another process that is writing


def store_path() -> Path:
    """The store's file, in the cache folder."""
    return cache_dir() / "store.sqlite"


def get(keys: Sequence[str]) -> dict[str, Any]:
    """Payloads of the keys that are known.

    Raises:
        AdcbenchError: the store is unreadable, damaged or locked.
    """
    found: dict[str, Any] = {}
    with _connection() as db:
        for start in range(0, len(keys), 500):  # SQLite's limit on variables
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            rows = db.execute(f"SELECT key, payload FROM results WHERE key IN ({marks})", part)
            found |= {key: json.loads(payload) for key, payload in rows}
    return found


def put(kind: str, results: Mapping[str, Any]) -> None:
    """Add JSON-able payloads by key, all or none.

    Raises:
        AdcbenchError: the store can't be written (locked, read-only, disk full).
    """
    rows = [(key, kind, json.dumps(payload)) for key, payload in results.items()]
    with _connection() as db:
        db.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)


def every(kind: str) -> dict[str, Any]:
    """All payloads of one kind, oldest first."""
    with _connection() as db:
        rows = db.execute("SELECT key, payload FROM results WHERE kind = ? ORDER BY rowid", (kind,))
        return {key: json.loads(payload) for key, payload in rows}


@contextmanager
def _connection() -> Iterator[sqlite3.Connection]:
    path = store_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=_WAIT_S)
    except (OSError, sqlite3.Error) as error:
        raise AdcbenchError(
            f"cannot open the store {path}: {error}. Set ADCBENCH_CACHE to a folder you can write"
        ) from error
    try:
        with db:  # commits, or rolls back on an error
            db.execute(_SCHEMA)
            yield db
    except sqlite3.OperationalError as error:
        raise AdcbenchError(f"the store {path} can't be used: {error}. {_remedy(str(error))}") from error
    except sqlite3.DatabaseError as error:
        raise AdcbenchError(f"the store {path} is damaged: {error}. Move it away; it is only a cache") from error
    finally:
        db.close()


def _remedy(error: str) -> str:
    if "locked" in error:
        return "Another adcbench is writing: wait for it or stop it, then run again"
    if "full" in error or "disk" in error:
        return "Free disk space or set ADCBENCH_CACHE to another disk; what was computed before is kept"
    return "Check the folder's permissions, or set ADCBENCH_CACHE"
