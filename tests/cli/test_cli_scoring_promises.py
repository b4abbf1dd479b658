"""What all commands that score promise: everything is looked for first, and no score is lost to a file or the store."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import error, run

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import write_png
from adcbench.report.csv_file import write_csv
from adcbench.tables import Context, Infer
from adcbench.tables.loading import load_table

ODD = os.fsdecode(b"m_\xb2\xe2")  # a name in GBK


@pytest.fixture
def score(tmp_path: Path) -> list[str | Path]:
    """The command that scores two images, without its options."""
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        hr = draw.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        write_png(tmp_path / "hr" / f"{name}.png", hr)
        write_png(tmp_path / "sr" / f"{name}.png", hr // 2)
    return ["score", "--sr", tmp_path / "sr", "--hr", tmp_path / "hr"]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No checkpoint and no test set is here."""
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_a_missing_metric_is_said_first_and_last_and_the_rest_is_scored(
    command: str, score: list[str | Path], tmp_path: Path
) -> None:
    start = score if command == "score" else ["evaluate", "--system", "bicubic", "--testset", "embedded"]
    result = run(*start, "--metrics", "lpips,psnr,musiq", "--out", tmp_path / "s.csv")
    assert result.exit_code == 2
    lines = result.output.splitlines()
    missing = [i for i, line in enumerate(lines) if line.startswith("missing: ")]
    (scored,) = (i for i, line in enumerate(lines) if line.startswith("psnr "))
    assert [i > scored for i in missing] == [False, False, True, True]
    assert missing[-1] == len(lines) - 1
    assert "adcbench weights fetch lpips" in lines[-2] and "adcbench weights fetch musiq" in lines[-1]
    assert {row["metric"] for row in csv.DictReader((tmp_path / "s.csv").open())} == {"psnr"}


@pytest.mark.usefixtures("bare")
def test_all_that_is_missing_is_said_at_once(score: list[str | Path]) -> None:
    block = run("evaluate", "--system", "adcsr", "--testset", "drealsr", "--metrics", "psnr,lpips").exception
    assert isinstance(block, Blocked)
    for part in ("of adcsr; ", "the DRealSR test set; ", "of lpips"):
        assert part in block.missing
    assert block.command == "adcbench weights fetch adcsr && adcbench fetch drealsr && adcbench weights fetch lpips"
    block = run("compare", "adcsr", "osediff", "--testset", "drealsr", "--metrics", "lpips").exception
    assert isinstance(block, Blocked) and block.command.count(" && ") == 3
    block = run(*score, "--metrics", "lpips,musiq").exception
    assert isinstance(block, Blocked) and "of lpips; " in block.missing and "of musiq" in block.missing
    block = run("spread", "adcsr", "drealsr", "--metrics", "LPIPS").exception
    assert isinstance(block, Blocked) and block.command.count(" && ") == 2


@pytest.mark.usefixtures("bare")
def test_compare_and_spread_go_on_without_a_metric() -> None:
    pair = ("bicubic", "bicubic-torch", "--testset", "embedded", "--limit", "1")
    named = run("compare", *pair, "--metrics", "psnr,lpips")
    assert named.exit_code == 2 and "On embedded, 1 image" in named.output
    assert run("compare", *pair).exit_code == 0  # of the default metrics those that are here
    moved = run("spread", "bicubic", "embedded", "--metrics", "PSNR,LPIPS", "--limit", "1")
    assert moved.exit_code == 2 and "PSNR: " in moved.output
    assert moved.output.splitlines()[-1].startswith("missing: lpips: ")


@pytest.mark.usefixtures("bare")
def test_a_table_upscales_nothing_that_no_metric_here_can_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adcbench.inference.test_set.upscale_test_set", None)
    table = load_table("embedded")
    found = Infer("Bicubic (PIL)", "embedded", "bicubic", {"LPIPS": "lpips"}).run(table, Context())
    assert [(key.metric, type(block)) for key, block in found] == [("LPIPS", Blocked)]


def test_a_missing_folder_of_the_csv_is_made(score: list[str | Path], tmp_path: Path) -> None:
    assert run(*score, "--out", tmp_path / "new" / "folder" / "s.csv").exit_code == 0
    assert len((tmp_path / "new" / "folder" / "s.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize("place", ["file/s.csv", "folder", "x" * 256])
def test_a_csv_that_can_not_be_written_is_said_before_the_work(
    place: str, score: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("adcbench.metrics.engine.scoring.score", None)
    result = run(*score, "--out", tmp_path / place)
    assert result.exit_code and not isinstance(result.exception, TypeError)
    assert place in f"{result.exception}{result.output}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "hr", "sr"]


def test_scores_go_neither_over_a_picture_nor_over_each_other(score: list[str | Path], tmp_path: Path) -> None:
    picture = tmp_path / "sr" / "a.png"
    before = picture.read_bytes()
    assert "name a .csv file" in error(*score, "--out", picture) and picture.read_bytes() == before
    for name in ("a", "b"):
        write_png(tmp_path / "clips" / "one" / f"{name}.png", np.zeros((20, 24, 3), np.uint8))
    clips = ("score-video", "--sr", tmp_path / "clips", "--hr", tmp_path / "clips", "--metrics", "psnr")
    said = error(*clips, "--out", tmp_path / "s.csv", "--frame-scores", tmp_path / "clips" / ".." / "s.csv")
    assert "two outputs would be written there" in said and not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize("option", ["", "--no-store"])
def test_a_full_disk_leaves_the_old_csv_and_the_means(
    option: str, score: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.csv"
    out.write_text("old")

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    result = run(*score, "--out", out, *filter(None, [option]))
    assert isinstance(result.exception, AdcbenchError)
    assert f"{out}: can't be written (No space left on device)" in str(result.exception)
    assert "store" not in str(result.exception)
    assert result.output.startswith("psnr 12.") and out.read_text() == "old"
    assert len(store.every("score")) == (0 if option else 4)


def test_names_that_are_not_utf_8_are_printed_and_written(score: list[str | Path], tmp_path: Path) -> None:
    for folder in ("sr", "hr"):
        (tmp_path / folder / "a.png").rename(tmp_path / folder / f"{ODD}.png")
    write_png(tmp_path / "sr" / f"{ODD}.png", np.zeros((4, 4, 3), np.uint8))  # of another size: named in the output
    command = [sys.executable, "-m", "adcbench.cli", *map(str, score), "--metrics", "psnr", "--out", "s.csv"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert b"psnr " in done.stdout and b"not scored: m_\\udcb2\\udce2: " in done.stdout
    rows = list(csv.DictReader((tmp_path / "s.csv").open(encoding="utf-8")))
    assert [(row["image"], bool(row["score"])) for row in rows] == [("b", True), ("m_\\udcb2\\udce2", False)]


def test_a_csv_can_go_to_a_pipe(score: list[str | Path], tmp_path: Path) -> None:
    write_csv(Path(os.devnull), ("a",), [("b",)])
    assert not Path(os.devnull).is_file()
    command = [sys.executable, "-m", "adcbench.cli", *map(str, score), "--metrics", "psnr", "--out", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "image,metric,score\na,psnr," in done.stdout


@pytest.mark.parametrize("kind", ["damaged", "nobody can write"])
def test_a_store_that_fails_loses_no_score(
    kind: str, score: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "damaged":
        store.store_path().parent.mkdir(parents=True, exist_ok=True)
        store.store_path().write_bytes(b"not a database" * 100)
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="going on without the store") as warned:
        result = run(*score, "--out", tmp_path / "s.csv")
    assert result.exit_code == 0 and result.output.startswith("psnr 12.")
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 5
    assert len(warned) <= 2  # once for reading, once for writing


def test_without_a_store_no_store_is_needed(score: list[str | Path], tmp_path: Path) -> None:
    """A metric with a file, whose hash would be remembered; the warning of a real process is one line."""
    rng = np.random.default_rng(0)
    for folder in ("sr", "hr"):
        for name in ("a", "b"):
            write_png(tmp_path / folder / f"{name}.png", rng.integers(0, 256, (200, 200, 3), dtype=np.uint8))
    (tmp_path / "file").write_text("")
    environment = os.environ | {"ADCBENCH_CACHE": str(tmp_path / "file" / "cache")}
    command = [sys.executable, "-m", "adcbench.cli", *map(str, score), "--metrics", "niqe"]
    done = subprocess.run([*command, "--no-store"], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("niqe ") and not done.stderr
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("niqe ")
    assert done.stderr.startswith("adcbench: going on without the store") and done.stderr.count("\n") == 1


def test_an_altered_score_is_not_printed(score: list[str | Path]) -> None:
    import sqlite3

    first = run(*score, "--metrics", "psnr")
    with sqlite3.connect(store.store_path()) as db:
        db.execute("UPDATE results SET payload = '70.4' WHERE kind = 'score'")
    with pytest.warns(UserWarning, match="changed since they were kept"):
        assert run(*score, "--metrics", "psnr").output == first.output
