"""adcbench export: counts, the check, and what it refuses before anything is written."""

from __future__ import annotations

from pathlib import Path

from commands import error, run


def test_a_table_is_written_checked_and_counted(tmp_path: Path) -> None:
    done = run("export", "--format", "hf-eval-results", "--table", "embedded", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert " cells: 0 published, " in done.output and "are right: Hugging Face's" in done.output
    assert list(tmp_path.rglob("*.yaml"))


def test_unknown_names_are_met_with_those_there_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert error("export", "--format", "bibtex", "--out", out) == (
        "unknown format 'bibtex'. Formats: every-eval-ever, hf-eval-results"
    )
    assert error("export", "--format", "hf-eval-results", "--table", "nothing", "--out", out).startswith(
        "unknown table"
    )
    said = error("export", "--format", "hf-eval-results", "--table", "embedded", "--benchmark", "a/b/c", "--out", out)
    assert said.startswith("--benchmark 'a/b/c' is no name of a data set: ")
    assert not out.exists()


def test_a_given_day_is_the_records_day(tmp_path: Path) -> None:
    run("export", "--format", "every-eval-ever", "--table", "embedded", "--out", tmp_path, "--date", "2026-11-30")
    assert all('"retrieved_timestamp": "1795996800"' in path.read_text() for path in tmp_path.rglob("*.json"))
    first = {*tmp_path.rglob("*.json")}
    assert first
    again = ("export", "--format", "every-eval-ever", "--table", "embedded", "--out", tmp_path, "--date")
    assert "lie beside" not in run(*again, "2026-11-30").output
    said = run(*again, "2026-12-01").output
    assert f"{len(first)} other files lie beside these, of another table or an export before: {min(first)}" in said
