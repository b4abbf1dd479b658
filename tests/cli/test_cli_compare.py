"""adcbench compare: what it refuses, and its answer for a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from adcbench.cli.compare import compare as command
from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.registry import open_test_set
from adcbench.metrics import METRICS

EMBEDDED = open_test_set("embedded")
PSNR, NIQE = METRICS["psnr"], METRICS["niqe"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HR with a little noise."""
    root, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(0)
    for path in EMBEDDED.folders["HR"].glob("*.png"):
        hr = read_png(path)
        write_png(root / path.name, (hr.astype(int) + draw.integers(-1, 2, hr.shape)).clip(0, 255).astype(np.uint8))
    return root


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, AdcbenchError), result.output
    return str(result.exception)


def test_what_the_command_refuses(folder: Path) -> None:
    assert "name A, B and --testset" in run("bicubic", "--testset", "embedded")
    assert "it takes --metric only" in run("bicubic", "--table", "embedded")
    message = run("bicubic", "nosuch", "--testset", "drealsr", "--metrics", "psnr", "--limit", "1")
    assert (
        message.startswith("'nosuch' is no system, released output (OSEDiff) or folder of DRealSR. Systems: ")
        and "bicubic" in message
    )


def test_the_command_answers_for_a_table() -> None:
    result = CliRunner().invoke(command, ["--table", "embedded", "--metric", "PSNR"])
    assert result.exit_code == 0, result.exception
    assert "Holm-corrected over the" in result.output and "mean rank" in result.output
