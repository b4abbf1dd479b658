"""adcbench claims: printed, and written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.report.ledger import ledger, write_ledger


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tables with no table in it: every cell is blocked, published values are there."""
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "tables"


def test_the_command_prints_and_writes(tables: Path) -> None:
    run = CliRunner().invoke(cli, ["claims"], catch_exceptions=False)
    assert run.exit_code == 0 and "beats-teacher" in run.output and not tables.exists()
    run = CliRunner().invoke(cli, ["claims", "--write"], catch_exceptions=False)
    written = {path: path.read_bytes() for path in (tables / "claims.md", tables / "adcsr_claims" / "mini.md")}
    assert str(tables / "claims.md") in run.output
    write_ledger(*ledger())
    assert written == {path: path.read_bytes() for path in written}
