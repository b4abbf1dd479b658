"""The version matrix: the same goldens in environments with other versions of torch and pyiqa.

``nox -s drift-matrix`` makes the environments, has each write a golden file, and a file ``NAME.blocked`` where one
could not be made. This compares them: which metric and image moved, between which versions, by how much.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.datafiles import data_text, reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import write_whole
from adcbench.workflows.drift.goldens import CLOSE, LOOSE, has_moved, nearest, read_golden, why
from adcbench.workflows.drift.values import LIBRARIES, Golden

FIELDS = ("value", "environment", "baseline", "was", "now", "absolute", "relative", "moved", "why")


@dataclass(frozen=True)
class Matrix:
    """Goldens of environments against the committed one; ``blocked`` are environments that could not be made."""

    baseline: Golden
    environments: Mapping[str, Golden]
    blocked: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]

    @property
    def moved(self) -> tuple[tuple[str, ...], ...]:
        """The rows of what moved, or is no longer there."""
        return tuple(row for row in self.rows if row[7] == "yes")

    @property
    def passed(self) -> bool:
        """Nothing moved, and there was something to compare."""
        return bool(self.rows) and not self.moved


def compare_folder(folder: Path, goldens: Path) -> Matrix:
    """Compare the golden files of a folder, one an environment, with the committed golden of this kind of machine.

    Raises:
        AdcbenchError: the folder has no environment, not even a blocked one; or no golden is committed.
    """
    environments = {path.stem: read_golden(path) for path in sorted(folder.glob("*.json"))}
    blocked = {path.stem: _read(path).strip() for path in sorted(folder.glob("*.blocked"))}
    if not environments and not blocked:
        raise AdcbenchError(f"{folder}: no environment was measured; run nox -s drift-matrix")
    kinds = {golden.kind for golden in environments.values()}
    baseline = nearest(next(iter(kinds), ""), goldens)
    if baseline is None:
        raise AdcbenchError(f"{goldens}: no golden to compare with; run adcbench drift --record")
    rows = [row for name, golden in environments.items() for row in _rows(name, baseline, golden)]
    return Matrix(baseline, environments, blocked, tuple(rows))


def _read(path: Path) -> str:
    with reading(path):
        return data_text(path)


def _rows(environment: str, old: Golden, new: Golden) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    tolerance = CLOSE if old.kind == new.kind else LOOSE
    for name, was in old.values.items():
        now = new.values.get(name)
        if now is None:
            head = name.partition(" / ")[0] + ":"
            reason = next((line for line in (*new.blocked, *new.failed) if line.startswith(head)), "no value there")
            moved = "no" if reason in new.blocked else "yes"
            rows.append((name, environment, old.kind, f"{was:.10g}", "", "", "", moved, reason))
            continue
        relative = f"{abs(now - was) / abs(was):.1e}" if was else ""
        moved = "yes" if has_moved(name, was, now, tolerance) else "no"
        reason = why(name, old, new) if moved == "yes" else ""
        rows.append(
            (name, environment, old.kind, f"{was:.10g}", f"{now:.10g}", f"{now - was:+.3g}", relative, moved, reason)
        )
    return rows


def write_report(matrix: Matrix, folder: Path) -> str:
    """Write ``report.csv`` (every value) and ``report.md`` (what moved) into a folder; returns the Markdown."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([FIELDS, *matrix.rows])
    write_whole(folder / "report.csv", text.getvalue().encode())
    report = _markdown(matrix)
    write_whole(folder / "report.md", report.encode())
    return report


def _markdown(matrix: Matrix) -> str:
    counts = {name: sum(row[1] == name for row in matrix.moved) for name in matrix.environments}
    rows = [
        (name, _versions(golden, ("torch", "pyiqa")), str(len(golden.values)), str(counts[name]))
        for name, golden in matrix.environments.items()
    ]
    rows += [(name, "blocked", "0", reason) for name, reason in matrix.blocked.items()]
    baseline = f"{matrix.baseline.kind} ({_versions(matrix.baseline, LIBRARIES)})"
    lines = ["# Version matrix", "", f"Compared with the golden of {baseline}.", ""]
    lines += _table(("environment", "versions", "values", "moved"), rows)
    if matrix.moved:
        moved = [row[:2] + row[3:7] + row[8:] for row in matrix.moved]
        lines += ["", "What moved:", "", *_table(FIELDS[:2] + FIELDS[3:7] + FIELDS[8:], moved)]
    else:
        lines += ["", "Nothing moved." if matrix.rows else "NOTHING MEASURED: this is a failure."]
    for title, field in (("Blocked there:", "blocked"), ("Failed there:", "failed")):
        differences = [
            f"- {name}: {line}" for name, golden in matrix.environments.items() for line in getattr(golden, field)
        ]
        lines += ["", title, "", *differences] if differences else []
    return "\n".join(lines) + "\n"


def _versions(golden: Golden, libraries: Sequence[str]) -> str:
    return ", ".join(f"{name} {golden.libraries.get(name)}" for name in libraries)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    shown = [[cell.replace("|", "/") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *shown)]
