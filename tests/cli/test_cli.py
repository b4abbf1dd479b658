"""The command line as a user meets it: what is missing or unknown, exit codes, a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import error

from adcbench.cli import main


def test_fetch_of_nothing_known_lists_what_there_is() -> None:
    assert "Test sets: DRealSR, RealSR, DIV2K-Val, embedded" in error("fetch", "drealsrr")


def test_fetch_of_a_system_names_the_command_for_weights() -> None:
    assert error("fetch", "adcsr").endswith("Its checkpoints: adcbench weights fetch adcsr")


def test_what_is_missing_is_called_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["adcbench", "evaluate", "--system", "adcsr", "--testset", "embedded"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(
        "adcbench: missing: the checkpoint net_params_200.pkl of adcsr. To unblock:"
    )


def test_errors_are_one_line_with_exit_code_2_in_a_real_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adcbench.cli", "score", "--sr", str(tmp_path), "--hr", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("adcbench: ")
    assert "Traceback" not in done.stderr
