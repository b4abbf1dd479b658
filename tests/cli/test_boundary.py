"""Every way of going wrong ends in one line and an exit code, whatever the streams and the folder are."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from adcbench.cli import boundary
from adcbench.cli.boundary import guarded
from adcbench.core.errors import AdcbenchError, Blocked

COMMAND = [sys.executable, "-m", "adcbench.cli"]


def _raise(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (AdcbenchError("a.png: it is empty"), 2, "adcbench: a.png: it is empty"),
        (Blocked("the file x", "get x"), 2, "adcbench: missing: the file x. To unblock: get x"),
        (click.UsageError("no such option"), 2, "Error: no such option"),
        (click.exceptions.Abort(), 130, "adcbench: stopped"),
        (KeyboardInterrupt(), 130, "adcbench: stopped"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/some/file"),
            2,
            "adcbench: /some/file: Permission denied",
        ),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300), 2, "File name too long"),
        (MemoryError(), 2, "adcbench: out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 2, "adcbench: out of memory"),
        (KeyError("a"), 70, "adcbench: a fault of adcbench"),
        (RecursionError(), 70, "adcbench: a fault of adcbench"),
    ],
)
def test_an_error_is_one_line_and_a_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(_raise(error)) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_a_fault_of_ours_names_its_place_and_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boundary, "PACKAGE", Path(__file__).parent)
    assert guarded(_raise(ValueError("no\nsuch thing"))) == 70
    said = capsys.readouterr().err
    assert f"{Path(__file__).parent.name}/test_boundary.py:" in said
    kept = Path(os.environ["ADCBENCH_CACHE"]) / "last_fault.txt"
    assert str(kept) in said
    assert "Traceback" in kept.read_text()


def _run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def test_a_full_stdout_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        done = _run("tables", stdout=full)
    assert (done.returncode, done.stderr) == (2, "adcbench: can't print to stdout: No space left on device\n")


def test_a_reader_that_went_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = _run("tables", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_closed_streams_are_no_fault() -> None:
    done = subprocess.run(["sh", "-c", f"{' '.join(COMMAND)} tables >&- 2>&-"], check=False)
    assert done.returncode == 0


def test_a_terminal_that_knows_few_characters_gets_them_escaped() -> None:
    done = _run(
        "score", "--sr", "漢", "--hr", "b", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "latin-1"}
    )
    assert done.returncode == 2
    assert "\\u6f22: no such folder" in done.stderr


def test_a_working_directory_that_is_gone_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {' '.join(COMMAND)} upscale in out --system bicubic"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
