"""``adcbench evaluate``, with a built-in system and with the one of the documentation."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from commands import message
from toy_clips import small_udm10

from adcbench.cli import cli
from adcbench.core.errors import Blocked
from adcbench.core.settings import CHECKOUT
from adcbench.inference.contract import check

DOCS = (CHECKOUT or Path()) / "docs" / "own_system.md"


def run(*arguments: str, system: str = "bicubic") -> Result:
    return CliRunner().invoke(cli, ["evaluate", "--system", system, *arguments])


def error(*arguments: str, system: str = "bicubic") -> str:
    return message(run(*arguments, system=system))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "") and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def documented(folder: Path) -> None:
    block, *_ = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    (folder / "my_system.py").write_text(block)


def test_the_documented_system_runs_as_documented(here: Path) -> None:
    documented(here)
    result = run("--check", "--testset", "embedded", "--limit", "2", "--out", "s.csv", system="my_system:factory")
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.output.startswith("my-sharpener keeps the contract\npsnr ")
    assert "(n=2, 95 % " in result.output and "colour=y-studio" in result.output
    rows = list(csv.DictReader((here / "s.csv").open()))
    assert len(rows) == 4 and {row["metric"] for row in rows} == {"psnr", "ssim"}


def test_it_is_the_table_s_measurement(here: Path) -> None:
    """The committed table of the embedded photographs has the same mean."""
    from adcbench.report.files import read_cells

    result = run("--testset", "embedded", "--metrics", "psnr")
    found = float(re.findall(r"psnr (\S+) dB", result.output)[0])
    (cell,) = (c for c in read_cells("embedded") if (c.key.row, c.key.metric) == ("Bicubic (PIL)", "PSNR"))
    assert cell.measured and found == pytest.approx(cell.measured.value, abs=1e-4)


def test_clips_are_evaluated_like_images(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AdcSR upscales images: of clips it gets frame by frame. What the tables look at is scored."""
    small_udm10(here, monkeypatch)
    result = run("--testset", "udm10", "--metrics", "psnr,flicker", "--out", "s.csv", system="adcsr-mini")
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.output.count("(n=2, 95 % ") == 2
    assert "first 2 frames, centre crop 16x16" in result.output
    rows = list(csv.DictReader((here / "s.csv").open()))
    assert [row["image"] for row in rows if row["metric"] == "psnr"] == ["000", "001"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def factory(:", "SyntaxError"),
        ("def factory(needed): ...", "its factory fails with TypeError"),
        ("def factory(): return 5", "returns a int, not an adcbench System"),
        ("def other(): ...", "cannot load my_system:factory"),
        ("import not_installed_anywhere", "cannot load my_system:factory"),
    ],
)
def test_a_factory_that_fails_is_named(source: str, says: str, here: Path) -> None:
    (here / "my_system.py").write_text(source)
    assert says in error("--testset", "embedded", system="my_system:factory")


def test_what_is_unknown_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    assert "give --testset, --check, or both" in error()
    assert "unknown system 'bicubicc'" in error("--testset", "embedded", system="bicubicc")
    assert "unknown test set 'set5'" in error("--testset", "set5")
    assert "unknown metric 'psnrr'" in error("--testset", "embedded", "--metrics", "psnr,psnrr")
    assert "names no metric" in error("--testset", "embedded", "--metrics", ",")
    assert "unknown dtype" in error("--testset", "embedded", "--dtype", "float8")
    assert "--limit -1" in error("--testset", "embedded", "--limit", "-1")
    blocked = run("--testset", "embedded", system="adcsr").exception
    assert isinstance(blocked, Blocked) and blocked.command == "adcbench weights fetch adcsr"
    blocked = run("--testset", "drealsr").exception
    assert isinstance(blocked, Blocked) and blocked.command == "adcbench fetch drealsr"


def test_a_system_that_breaks_the_contract_is_not_scored(here: Path) -> None:
    documented(here)
    broken = (here / "my_system.py").read_text().replace("return sr + ", "return torch.rand(()) + sr + ")
    (here / "my_system.py").write_text(broken)
    result = run("--check", "--testset", "embedded", system="my_system:factory")
    assert result.exit_code == 1
    assert "the seed changes the output, but seed_use is empty" in result.output
    assert "psnr" not in result.output


def test_the_documentation_names_real_commands() -> None:
    text = DOCS.read_text()
    for command, options in re.findall(r"^    adcbench (\w+) (.*)$", text, re.M):
        known = {name for option in cli.commands[command].params for name in option.opts}
        assert set(re.findall(r"--\w+", options)) <= known
    assert "adcbench.inference.contract import check" in text and callable(check)
