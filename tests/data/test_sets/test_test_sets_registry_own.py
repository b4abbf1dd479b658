"""A test set of a user's own package: an entry point, and no file of ours."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from commands import message

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import CHECKOUT
from adcbench.data.media.images import write_png
from adcbench.data.test_sets.registry import find_test_set, open_test_set

_MADE = "from adcbench.data.test_sets.test_set import TestSet\n"
DOCS = (CHECKOUT or Path()) / "docs" / "own_test_set.md"


def install(folder: Path, source: str, points: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip would install a package with a module ``my_sets`` and entry points."""
    (folder / "my_sets-1.0.dist-info").mkdir(parents=True)
    (folder / "my_sets-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: my-sets\nVersion: 1.0\n")
    (folder / "my_sets-1.0.dist-info" / "entry_points.txt").write_text(points)
    (folder / "my_sets.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "my_sets", raising=False)


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The documented package, installed, and its three pairs."""
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", DOCS.read_text(), re.S))
    install(tmp_path / "site", blocks["python"], blocks["toml"].replace("project.entry-points.", "").replace('"', ""),
            monkeypatch)  # fmt: skip
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    draw = np.random.default_rng(0)
    for name in "abc":
        write_png(tmp_path / "data/night/LR" / f"{name}.png", draw.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        write_png(tmp_path / "data/night/HR" / f"{name}.png", draw.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    return tmp_path / "data" / "night"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_it_is_recorded_opened_and_evaluated_as_documented(night: Path) -> None:
    assert find_test_set("NIGHT").name == "Night"
    with pytest.raises(Blocked, match=r"put its 3 PNG pairs into \$ADCBENCH_DATA/night/LR and HR"):
        open_test_set("night")
    assert run("fetch", "night").output == f"Night: {night}\n"
    assert [sample.name for sample in open_test_set("night").inputs()] == ["a", "b", "c"]
    found = run("evaluate", "--system", "bicubic", "--testset", "night", "--metrics", "psnr")
    assert found.exit_code == 0 and "(n=3, 95 % " in found.output
    (night / "HR" / "b.png").unlink()
    with pytest.raises(AdcbenchError, match=r"1 missing: HR/b\.png"):
        open_test_set("night")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("NIGHT = 5", "test set 'night': my_sets:NIGHT is a int, not a TestSet"),
        ("DAY = 5", "test set 'night': cannot load my_sets:NIGHT: AttributeError"),
        ("1 / 0", "test set 'night': cannot load my_sets:NIGHT: ZeroDivisionError: division by zero"),
        (
            _MADE + "NIGHT = TestSet('Day', 'day', 3)",
            "test set 'night': my_sets:NIGHT is called 'Day'; give both one name",
        ),
        (
            _MADE + "NIGHT = TestSet('Night', 'night', '3')",
            "test set 'Night': its size is '3', not a number of samples",
        ),
        (_MADE + "NIGHT = TestSet('Night', '../night', 3)", "folder '../night' is not the name of a folder"),
        (_MADE + "NIGHT = TestSet('Night', 'night', 3, needs=('GT',))", "it needs ('GT',), not LR, HR or both"),
    ],
)
def test_a_bad_one_is_a_line_that_names_it(
    source: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, source, "[adcbench.test_sets]\nnight = my_sets:NIGHT\n", monkeypatch)
    for command in (("fetch", "night"), ("evaluate", "--system", "bicubic", "--testset", "night")):
        assert says in message(run(*command))
    assert run("evaluate", "--system", "bicubic", "--testset", "embedded", "--limit", "1").exit_code == 0


def test_an_unknown_one_lists_a_users_too(night: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"unknown test set 'day'\. Test sets: DRealSR, .*, VideoLQ, night$"):
        find_test_set("day")


_MAKER = """
import numpy as np
from adcbench.data.media.images import write_png

def make(test_set):
    for folder, side in (("LR", 16), ("HR", 64)):
        write_png(test_set.root / folder / "a.png", np.zeros((side, side, 3), np.uint8))

NIGHT = TestSet("Night", "night", 1, made_by="my_sets:make")
"""


def test_one_that_its_package_makes_is_made_by_fetching_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, _MADE + _MAKER, "[adcbench.test_sets]\nnight = my_sets:NIGHT\n", monkeypatch)
    with pytest.raises(Blocked) as blocked:
        open_test_set("night")
    assert blocked.value.command == "adcbench fetch night"
    assert run("fetch", "night").exit_code == 0
    assert open_test_set("night").inputs()[0].name == "a"
