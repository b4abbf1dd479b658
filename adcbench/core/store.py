"""The store: one SQLite file of results by cache key, so that nothing is computed twice.

It is a cache: where it can't be read or written, work goes on without it, with one warning. Each row has a checksum;
a row that does not fit its own (altered by hand, or of an older adcbench that wrote none) counts as unknown.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from adcbench.core.keys import digest
from adcbench.core.settings import cache_dir

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS results "
    "(key TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '')"
)
_OLD_SCHEMA = "ALTER TABLE results ADD COLUMN checksum TEXT NOT NULL DEFAULT ''"
_WAIT_S = 10.0  # how long to wait for another process that is writing
_Use: TypeAlias = Literal["read", "written"]
_without: set[tuple[Path, _Use]] = set()  # stores that failed in this process: not waited for again


def store_path() -> Path:
    """The store's file, in the cache folder."""
    return cache_dir() / "store.sqlite"


def get(keys: Sequence[str]) -> dict[str, Any]:
    """Payloads of the keys that are known; none, with a warning, where the store can't be read."""
    parts = [keys[start : start + 500] for start in range(0, len(keys), 500)]  # SQLite's limit on variables
    payloads: dict[str, Any] = {}
    for part in parts:
        payloads |= _rows(f"key IN ({','.join('?' * len(part))})", part)
    return payloads


def every(kind: str) -> dict[str, Any]:
    """All payloads of one kind, oldest first; none, with a warning, where the store can't be read."""
    return _rows("kind = ? ORDER BY rowid", (kind,))


def put(kind: str, results: Mapping[str, Any]) -> None:
    """Add JSON-able payloads by key, all or none; none, with a warning, where the store can't be written."""
    texts = {key: json.dumps(payload) for key, payload in results.items()}
    rows = [(key, kind, text, _checksum(key, kind, text)) for key, text in texts.items()]
    with _connection("written") as db:
        if not db:
            return
        db.execute("BEGIN IMMEDIATE")
        db.execute(_SCHEMA)
        if not _has_checksums(db):
            db.execute(_OLD_SCHEMA)
        db.executemany("INSERT OR REPLACE INTO results (key, kind, payload, checksum) VALUES (?, ?, ?, ?)", rows)


@contextmanager
def turned_off() -> Iterator[None]:
    """Nothing is read from the store or written to it meanwhile."""
    before = set(_without)
    _without.update({(store_path(), "read"), (store_path(), "written")})
    try:
        yield
    finally:
        _without.intersection_update(before)


def _rows(where: str, values: Sequence[str]) -> dict[str, Any]:
    """Payloads by key of the rows that fit their checksums."""
    rows: list[tuple[str, str, str, str]] = []
    with _connection("read") as db:
        if db and db.execute("SELECT 1 FROM sqlite_master WHERE name = 'results'").fetchone():
            columns = "key, kind, payload, " + ("checksum" if _has_checksums(db) else "''")
            rows = db.execute(f"SELECT {columns} FROM results WHERE {where}", values).fetchall()
    whole = {key: json.loads(text) for key, kind, text, checksum in rows if checksum == _checksum(key, kind, text)}
    if bad := len(rows) - len(whole):
        warnings.warn(
            f"{bad} result{'s' * (bad > 1)} in {store_path()} changed since they were kept, or come from an older "
            "adcbench, which kept no checksums: not used",
            stacklevel=2,
        )
    return whole


def _checksum(key: str, kind: str, text: str) -> str:
    return digest(key, kind, text)


def _has_checksums(db: sqlite3.Connection) -> bool:
    return any(name == "checksum" for _, name, *_ in db.execute("PRAGMA table_info(results)"))


@contextmanager
def _connection(use: _Use) -> Iterator[sqlite3.Connection | None]:
    """The open store; None where there is none to read, or where it failed before. Its errors become one warning."""
    path = store_path()
    if (db := _opened(path, use)) is None:
        yield None
        return
    db.text_factory = lambda data: data.decode(errors="replace")  # a row with other bytes does not fit its checksum
    try:
        with closing(db), db:  # commits, or rolls back on an error
            yield db
    except sqlite3.Error as error:
        _give_up(path, use, error)


def _opened(path: Path, use: _Use) -> sqlite3.Connection | None:
    try:
        if (path, use) in _without or (use == "read" and not path.exists()):
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(path, timeout=_WAIT_S)
    except (OSError, sqlite3.Error) as error:
        _give_up(path, use, error)
        return None


def _give_up(path: Path, use: _Use, error: Exception) -> None:
    if (path, use) not in _without:
        _without.add((path, use))
        text = f"going on without the store, {path} can't be {use}: {error}. {_remedy(error)}"
        warnings.warn(text, stacklevel=2)


def _remedy(error: Exception) -> str:
    text = str(error)
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return "It is damaged: move it away; it is only a cache"
    if "locked" in text:
        return "Another adcbench is writing: wait for it or stop it"
    if "full" in text or "disk" in text:
        return "Free disk space, or set ADCBENCH_CACHE to another disk"
    return "Set ADCBENCH_CACHE to a folder that you can write"
