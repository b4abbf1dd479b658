"""``adcbench upscale`` where outputs are already there: whose they are, damaged ones, names and full disks."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from adcbench.cli import cli
from adcbench.cli.boundary import guarded
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import remove_leftovers
from adcbench.core.weight_files import WeightFile
from adcbench.data.media.images import write_png
from adcbench.inference import folder as running
from adcbench.inference.folder import Outcome, Settings, upscale_files
from adcbench.systems import find_system

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
BICUBIC = find_system("bicubic-torch")
QUIET = Settings(progress=False)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for i, name in enumerate(("a.png", "b.jpg", "c.png")):
        write_png(tmp_path / f"{i}.png", np.roll(PIXELS, i))
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.open(tmp_path / f"{i}.png").save(tmp_path / "in" / name)
    return tmp_path / "in"


def run(*arguments: str | Path, system: str = "bicubic-torch") -> Result:
    return CliRunner().invoke(cli, ["upscale", *map(str, arguments), "--system", system])


def names(paths: Any) -> list[str]:
    return [path.name for path in paths]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_same_again_is_skipped_and_may_be_asked_for(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(images, out)
    assert first.exit_code == 0 and "3 written" in first.output
    made = content(out)
    again = run(images, out)
    assert again.exit_code == 0 and "0 written\n3 skipped" in again.output
    assert "3 written" in run(images, out, "--overwrite").output
    assert content(out) == made


def test_a_copied_or_moved_output_is_known_again(images: Path, tmp_path: Path) -> None:
    run(images, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert len(upscale_files(BICUBIC, images, tmp_path / "elsewhere", QUIET).skipped) == 3


def test_a_whole_run_that_was_done_loads_no_network(images: Path, tmp_path: Path, monkeypatch: Any) -> None:
    upscale_files(BICUBIC, images, tmp_path / "out", QUIET)
    monkeypatch.setattr(running, "load_on", None)
    assert len(upscale_files(BICUBIC, images, tmp_path / "out", QUIET).skipped) == 3


def test_another_systems_outputs_are_neither_taken_nor_overwritten(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(images, out, system="adcsr-mini")
    theirs = content(out)
    (out / "c.png").unlink()
    result = run(images, out)
    assert result.exit_code == 2
    assert "1 written" in result.output and "2 not made, something else is there: --overwrite" in result.output
    assert f"{out / 'a.png'}: made by adcsr-mini" in result.output and str(out / "b.png") in result.output
    left = content(out)
    assert left["a.png"] == theirs["a.png"] and left["c.png"] != theirs["c.png"]
    assert run(images, out, "--overwrite").exit_code == 0
    assert run(images, out).exit_code == 0


def _changed(how: str, system: Any, images: Path) -> tuple[Any, Settings]:
    if how == "input":
        Image.fromarray(255 - PIXELS).save(images / "a.png")
    if how == "profile":
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        Image.fromarray(PIXELS).save(images / "a.png", icc_profile=srgb)
    if how == "config":
        system = replace(system, config={"antialias": "another"})
    if how == "code":
        system = replace(system, modules=(*system.modules, "adcbench.core.windows"))
    if how == "seed":
        return system, replace(QUIET, seed=1)
    more: dict[str, Any] = {
        "dtype": {"dtype": "bfloat16"}, "rounding": {"rounding": "truncate"}, "tile": {"tile": 8, "overlap": 2}
    }.get(how, {})  # fmt: skip
    return system, replace(QUIET, **more)


@pytest.mark.parametrize("how", ["input", "profile", "config", "code", "dtype", "rounding", "tile", "seed"])
def test_what_changes_the_output_is_no_reason_to_skip(how: str, images: Path, tmp_path: Path) -> None:
    system = replace(BICUBIC, seed_use="noise") if how == "seed" else BICUBIC
    upscale_files(system, images / "a.png", tmp_path / "out", QUIET)
    outcome = upscale_files(*_swap(*_changed(how, system, images), images / "a.png", tmp_path / "out"))
    (why,) = outcome.foreign.values()
    assert why.startswith("made by bicubic-torch of another version, with other settings") and not outcome.skipped


def _swap(system: Any, settings: Settings, source: Path, target: Path) -> tuple[Any, Path, Path, Settings]:
    return system, source, target, settings


def test_what_changes_nothing_is_skipped(images: Path, tmp_path: Path) -> None:
    upscale_files(BICUBIC, images, tmp_path / "out", QUIET)
    for settings in (replace(QUIET, seed=5), replace(QUIET, tile=100), replace(QUIET, tile=0, overlap=4)):
        assert len(upscale_files(BICUBIC, images, tmp_path / "out", settings).skipped) == 3


def test_other_weights_are_no_reason_to_skip(images: Path, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"one")
    system = replace(BICUBIC, files=(WeightFile("net.pth", ""),), locate=lambda name: tmp_path / name)
    upscale_files(system, images, tmp_path / "out", QUIET)
    assert len(upscale_files(system, images, tmp_path / "out", QUIET).skipped) == 3
    (tmp_path / "net.pth").write_bytes(b"two")
    assert len(upscale_files(system, images, tmp_path / "out", QUIET).foreign) == 3


@pytest.mark.parametrize("size", [0, 4, 60, -20])
def test_an_empty_or_damaged_png_is_made_again(size: int, images: Path, tmp_path: Path) -> None:
    run(images, tmp_path / "out")
    path = tmp_path / "out" / "a.png"
    data = path.read_bytes()
    path.write_bytes(data[:size])
    result = run(images, tmp_path / "out")
    assert result.exit_code == 0 and "1 written\n2 skipped" in result.output
    assert path.read_bytes() == data


@pytest.mark.parametrize("what", ["optimised", "edited", "grey", "16-bit", "jpeg", "text", "folder", "pipe"])
def test_a_file_of_somebody_elses_is_left_alone(what: str, images: Path, tmp_path: Path) -> None:
    run(images, tmp_path / "out")
    path = tmp_path / "out" / "a.png"
    with Image.open(path) as image:
        whole, note = image.copy(), PngInfo()
        note.add_text("adcbench", image.info["adcbench"])
    path.unlink()
    {
        "optimised": lambda: whole.save(path, optimize=True),
        "edited": lambda: Image.fromarray(255 - np.asarray(whole)).save(path, pnginfo=note),
        "grey": lambda: whole.convert("L").save(path),
        "16-bit": lambda: Image.fromarray(np.zeros((8, 8), np.uint16)).save(path),
        "jpeg": lambda: whole.save(path, format="JPEG"),
        "text": lambda: path.write_text("my notes"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
    }[what]()
    before = path.lstat()
    outcome = upscale_files(BICUBIC, images, tmp_path / "out", QUIET)
    assert outcome.foreign == {path: "not made by adcbench, or changed since"}
    assert (len(outcome.skipped), outcome.exit_code) == (2, 2)
    assert path.lstat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("name", ["\u6f22" * 80 + ".png", "c" * 229 + ".png", "d" * 251 + ".jpg"])
def test_every_name_that_a_file_can_have_is_written(name: str, images: Path, tmp_path: Path) -> None:
    (images / "b.jpg").rename(images / name)
    result = run(images, tmp_path / "out")
    assert result.exit_code == 0 and "3 written" in result.output
    assert sorted(names((tmp_path / "out").iterdir())) == sorted(["a.png", "c.png", f"{Path(name).stem}.png"])


def _failing(monkeypatch: pytest.MonkeyPatch, number: int, name: str) -> None:
    """The file system refuses one name, or everything (an empty name) after the first file."""
    replace_, done = Path.replace, []

    def fail(path: Path, target: Path) -> Path:
        if target.name == name or (not name and done):
            raise OSError(number, os.strerror(number))
        done.append(target)
        return replace_(path, target)

    monkeypatch.setattr(Path, "replace", fail)


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ])
def test_a_name_that_can_not_be_written_is_that_items_failure(
    number: int, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing(monkeypatch, number, "b.png")
    result = run(images, tmp_path / "out")
    assert result.exit_code == 1
    assert f"2 written\n1 bad:\n  {images / 'b.jpg'}: {tmp_path / 'out' / 'b.png'}: can't be written" in result.output


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "free space or name another folder"), (errno.EROFS, "that you can write")]
)
def test_a_full_disk_or_read_only_folder_stops_the_run(
    number: int, remedy: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing(monkeypatch, number, "")
    error = run(images, tmp_path / "out").exception
    assert isinstance(error, AdcbenchError) and remedy in str(error)
    assert names((tmp_path / "out").iterdir()) == ["a.png"]  # whole, and nothing besides


def test_a_folder_nobody_can_write_is_said_before_a_network_is_loaded(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(running, "load_on", None)
    error = run(images, tmp_path / "file" / "out").exception
    assert isinstance(error, AdcbenchError) and "can't be written" in str(error)


def test_what_killed_runs_left_in_the_folder_goes_away(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    old = out / f".adcbench-{'0' * 14}.part"
    old.write_bytes(b"half a picture")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    remove_leftovers.cache_clear()
    run(images, out)
    assert sorted(names(out.iterdir())) == ["a.png", "b.png", "c.png"]


def test_names_that_no_file_can_have_are_one_line(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * 256
    for arguments in (
        ["upscale", images, tmp_path / long, "--system", "bicubic"],
        ["upscale", tmp_path / long, tmp_path / "out", "--system", "bicubic"],
        ["upscale", images / "a.png", tmp_path / f"{long}.png", "--system", "bicubic"],
        ["score", "--sr", tmp_path / long, "--hr", images],
        ["score", "--sr", images, "--hr", images, "--out", tmp_path / f"{long}.csv"],
    ):
        assert guarded(partial(cli.main, [str(a) for a in arguments], "adcbench", standalone_mode=False)) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "File name too long" in said


def test_exit_codes_tell_what_is_not_there() -> None:
    assert [Outcome().exit_code, Outcome(bad={"a": ""}).exit_code] == [0, 1]
    assert Outcome(bad={"a": ""}, foreign={Path("b"): ""}).exit_code == 2
