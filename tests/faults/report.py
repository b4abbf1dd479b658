"""Write ``docs/faults.md``: which check catches which planted fault, and what became of the sampled mutants.

    python tests/faults/report.py                  the table of planted faults, from faults.py
    python tests/faults/report.py mutants.csv ...  and the mutants, from what `nox -s mutants` wrote

Judgements of survivors are in ``tests/faults/survivors.csv``, by module and change.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"
JUDGED = Path(__file__).parent / "survivors.csv"
_MARK = "<!-- mutants -->"
_HEAD = """# Planted faults and mutants

Made by `python tests/faults/report.py`.

## Planted faults

A fault is a mistake that somebody could make, planted in the running code (`tests/faults/planting.py`). It names the
smallest check that must catch it, in 10 s or less. `pytest tests/faults` plants them one at a time: the named check
must pass without the fault and fail with it. A fault that nobody catches fails the tests.
"""


def faults_section() -> str:
    """The table of planted faults."""
    from faults import FAULTS

    lines = [
        f"{len(FAULTS)} faults, all caught:",
        "",
        "| Area | Fault | What is changed | Caught by |",
        "|---|---|---|---|",
    ]
    for fault in FAULTS:
        lines.append(f"| {fault.area} | {fault.name} | {_cell(fault.change)} | `{_cell(fault.check)}` |")
    return "\n".join(lines) + "\n"


def mutants_section(files: Sequence[Path]) -> str:
    """The outcome of a sample of mutants, and its survivors with their judgements.

    ``caught since`` in a file is a survivor that tests added later, or run since, notice.
    """
    rows = [row for path in files for row in _read(path)]
    judged = {_key(row): row for row in _read(JUDGED)}
    survived = [row for row in rows if row["outcome"] in ("passed", "caught since")]
    since = sum(row["outcome"] == "caught since" for row in survived)
    unknown = {"judgement": "NOT JUDGED", "why": ""}
    words = Counter(judged.get(_key(row), unknown)["judgement"] for row in survived)
    modules = len({row["module"] for row in rows})
    shares = ", ".join(f"{count} {word}" for word, count in words.most_common())
    lines = [
        f"{len(rows)} mutants of {modules} modules: {len(rows) - len(survived)} caught by the fast tests of their "
        f"module, {len(survived)} survived. Judged: {shares}. The fast tests as they are now catch {since} of them. "
        "Files, lines and tests are called as when the sample was taken.",
        "",
        "| Module | Mutant | Judgement | Why |",
        "|---|---|---|---|",
    ]
    for row in survived:
        verdict = judged.get(_key(row), unknown)
        change = f"`{_cell(row['change'].strip())}`"
        lines.append(f"| {row['module']}:{row['line']} | {change} | {verdict['judgement']} | {_cell(verdict['why'])} |")
    return "\n".join(lines) + "\n"


def _key(row: dict[str, str]) -> tuple[str, str]:
    return row["module"], row["change"]


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


_MUTANTS = f"""
{_MARK}
## Mutants

`nox -s mutants` takes a random sample of small changes of the fast core (cosmic-ray makes them) and runs the fast
tests of the changed module on each. A survivor is a change that they do not notice. `equivalent`: nobody could notice;
`accepted`: not worth a test, with the reason; `slow test`: a test that the sample leaves out notices it; `test added`:
it was a gap, and is caught now.

"""


def main() -> None:
    """Write the document; without new mutants the old section stays."""
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.is_file() else ""
    kept = _MARK + old.partition(_MARK)[2] if _MARK in old else ""
    files = [Path(argument) for argument in sys.argv[1:]]
    mutants = _MUTANTS + mutants_section(files) if files else f"\n{kept}" if kept else ""
    DOCUMENT.write_text(f"{_HEAD}\n{faults_section()}{mutants}", encoding="utf-8")
    print(f"written: {DOCUMENT}")


if __name__ == "__main__":
    main()
