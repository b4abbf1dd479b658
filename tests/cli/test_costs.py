"""adcbench latency: sizes and systems as a user gives them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from adcbench.cli.costs import latency
from adcbench.core.errors import AdcbenchError


def test_a_system_in_the_present_folder_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = "from dataclasses import replace\nfrom adcbench.systems import find_system\n"
    own += "def factory():\n    return replace(find_system('bicubic'), name='own')\n"
    (tmp_path / "timed_here.py").write_text(own)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    result = CliRunner().invoke(latency, ["timed_here:factory", "--size", "16"])
    assert result.exit_code == 0, result.exception
    assert "timed_here:factory" in result.output


@pytest.mark.parametrize("size", ["0", "-5", "4097", "100000000", "x", "8.5"])
def test_sizes_that_can_t_be_are_refused(size: str) -> None:
    ended = CliRunner().invoke(latency, ["bicubic", "--size", size])
    assert ended.exit_code == 2 or isinstance(ended.exception, AdcbenchError)
    assert size in ended.output or size in str(ended.exception)
