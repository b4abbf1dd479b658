"""``tables/sources.json``: which modules, and in which version, the committed measurements were made by.

A measurement's provenance has one short hash of all code it depends on. This file holds what is behind each such
hash, so that drift can name the modules that have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from adcbench.core.datafiles import check_kinds, data_text, json_value, reading
from adcbench.core.files import locked
from adcbench.core.keys import code_hash, source_closure
from adcbench.core.settings import tables_dir
from adcbench.report.files import read_cells, write_text
from adcbench.tables.loading import table_ids

Closure = Mapping[str, str]  # module -> first 8 hex digits of the hash of its code


def closure(*modules: str) -> dict[str, str]:
    """All modules of adcbench that ``modules`` depend on, themselves included, with short hashes of their code."""
    return {name: code_hash(name)[:8] for name in source_closure(*modules)}


def read_sources(root: Path | None = None) -> dict[str, dict[str, str]]:
    """Closure by short hash of sources; empty where nothing was committed.

    Raises:
        AdcbenchError: the file is damaged.
    """
    path = _path(root)
    if not path.exists():
        return {}
    with reading(path, "delete it: then drift can't name what has changed since"):
        closures: dict[str, dict[str, str]] = json_value(data_text(path))
        check_kinds(closures, dict.fromkeys(closures, dict))
        for modules in closures.values():
            check_kinds(modules, dict.fromkeys(modules, str))
        return closures


def add_sources(new: Mapping[str, Closure], root: Path | None = None) -> None:
    """Add closures to the file.

    Args:
        new: by the hash that the provenance of a measurement holds, measured by the code as it is now.
    """
    if not new:
        return
    with locked(_path(root)):
        _write({**read_sources(root), **new}, root)


def keep_sources(root: Path | None = None) -> None:
    """Drop what no measurement of any table refers to any more.

    The tables are read under the lock: a run writes its table first and adds its sources then.

    Raises:
        AdcbenchError: a table can't be read; nothing is dropped then.
    """
    with locked(_path(root)):
        cells = [cell for table_id in table_ids() for cell in read_cells(table_id, root)]
        used = {m.provenance.get("sources") for cell in cells for m in cell.measurements}
        _write({key: modules for key, modules in read_sources(root).items() if key in used}, root)


def _write(closures: Mapping[str, Closure], root: Path | None) -> None:
    lines = (f"{json.dumps(key)}: {json.dumps(dict(closures[key]), sort_keys=True)}" for key in sorted(closures))
    write_text(_path(root), "{\n" + ",\n".join(lines) + "\n}\n")


def _path(root: Path | None) -> Path:
    return (root or tables_dir()) / "sources.json"


def changed_modules(old: Closure, new: Closure) -> list[str]:
    """What differs between two closures: modules that changed, came or went; one that was only renamed does not."""
    kept, still = set(old.values()), set(new.values())
    words: dict[str, str] = {name: " (new)" for name in new.keys() - old.keys() if new[name] not in kept}
    words |= {name: " (gone)" for name in old.keys() - new.keys() if old[name] not in still}
    words |= {name: "" for name in old.keys() & new.keys() if old[name] != new[name]}
    return [name + words[name] for name in sorted(words)]
