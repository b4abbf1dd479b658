"""Commands killed at random moments come, when run again, to what an undisturbed run gives: nothing lost or doubled.

A few kills here; ``nox -s kills`` runs a hundred (docs/reliability.md).
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 34 if os.environ.get("ADCBENCH_KILLS") == "full" else 3  # of each of three commands


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, int]]]:
    root = tmp_path_factory.mktemp("kills")
    script = Path(__file__).parent / "killed_commands.py"
    done = subprocess.run([sys.executable, script, root, str(KILLS), "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def _files(folder: Path) -> dict[str, bytes]:
    """Everything a command made but for its cache, what it printed, and temporary files that wait for their day."""
    inside = [path for path in folder.rglob("*") if path.is_file() and "cache" not in path.relative_to(folder).parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in inside if p.name != "said.txt" and p.suffix != ".part"}


@pytest.mark.parametrize("name", ["upscale", "score", "score-video"])
def test_a_killed_command_ends_with_what_an_undisturbed_one_gives(
    name: str, runs: tuple[Path, dict[str, dict[str, int]]]
) -> None:
    root, report = runs
    assert report[name]["kills"] == KILLS
    whole = _files(root / "whole" / name)
    assert whole
    for number in range(report[name]["runs"]):
        assert _files(root / "killed" / name / str(number)) == whole


@pytest.mark.parametrize("name", ["score", "score-video"])
def test_the_store_has_every_score_once(name: str, runs: tuple[Path, dict[str, dict[str, int]]]) -> None:
    root, report = runs
    whole = _scores(root / "whole" / name)
    assert whole
    for number in range(report[name]["runs"]):
        assert _scores(root / "killed" / name / str(number)) == whole


def _scores(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "cache" / "store.sqlite") as db:
        return sorted(db.execute("SELECT key, payload FROM results WHERE kind LIKE '%score%'"))
