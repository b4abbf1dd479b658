"""``adcbench upscale``: any image, any folder, bad ones among them, twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from commands import message
from PIL import Image

from adcbench.cli import cli
from adcbench.data.media.images import read_png
from adcbench.inference import folder as running
from adcbench.inference.upscale import prepared, upscale_images
from adcbench.systems import find_system

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def run(*arguments: str | Path, system: str = "bicubic-torch") -> Result:
    return CliRunner().invoke(cli, ["upscale", *map(str, arguments), "--system", system])


def error(*arguments: str | Path, system: str = "bicubic-torch") -> str:
    return message(run(*arguments, system=system))


def save(path: Path, pixels: np.ndarray = PIXELS, mode: str = "RGB", **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "b.jpg", "c.webp", "d.bmp", "E.PNG"):
        save(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    (tmp_path / "in" / "deeper").mkdir()
    return tmp_path / "in"


def test_a_folder_becomes_pngs_of_the_same_names(photos: Path, tmp_path: Path) -> None:
    result = run(photos, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["E.png", "a.png", "b.png", "c.png", "d.png"]
    assert "5 written" in result.output
    for path in (tmp_path / "out").iterdir():
        assert read_png(path).shape == (36, 52, 3)


@pytest.mark.parametrize("system", ["adcsr-mini", "osediff-mini"])
def test_outputs_are_those_that_are_measured(system: str, tmp_path: Path) -> None:
    """Same pixels as the table's inference, seeds included."""
    result = run(save(tmp_path / "x.png"), tmp_path / "out.png", "--seed", "3", system=system)
    assert result.exit_code == 0, result.output
    (measured,) = upscale_images(prepared(find_system(system), seed=3), {"x": PIXELS}, progress=False)
    np.testing.assert_array_equal(read_png(tmp_path / "out.png"), measured.pixels)


def test_bad_images_are_listed_at_the_end_and_stop_nothing(photos: Path, tmp_path: Path) -> None:
    (photos / "a.png").write_bytes((photos / "a.png").read_bytes()[:100])
    (photos / "b.jpg").write_bytes(b"")
    save(photos / "f.tif")
    result = run(photos, tmp_path / "out")
    assert result.exit_code == 1
    assert "3 written" in result.output and "3 bad:" in result.output
    for name in ("a.png", "b.jpg", "f.tif"):
        assert str(photos / name) in result.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["E.png", "c.png", "d.png"]


def test_an_image_that_does_not_fit_in_memory_names_tiles(photos: Path, tmp_path: Path, monkeypatch: Any) -> None:
    def exhausted(*arguments: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 EB")

    monkeypatch.setattr(running, "upscale_pixels", exhausted)
    result = run(photos / "a.png", tmp_path / "out")
    assert result.exit_code == 1
    assert "out of memory" in result.output and "try --tile" in result.output


@pytest.mark.parametrize(
    ("system", "said"), [("adcsr-mini", True), ("adcsr-mini-trained", False), ("bicubic-torch", False)]
)
def test_that_nobody_trained_a_system_is_said(system: str, said: bool, tmp_path: Path) -> None:
    """Its noise is a file like any other's, and "1 written" was all that was said."""
    result = run(save(tmp_path / "a.png"), tmp_path / "out", system=system)
    assert result.exit_code == 0 and (f"{system} is untrained" in result.output) is said


def test_a_single_image_goes_to_a_file_or_a_folder(tmp_path: Path) -> None:
    source = save(tmp_path / "x.jpg")
    assert run(source, tmp_path / "y.png").exit_code == 0 and (tmp_path / "y.png").is_file()
    assert run(source, tmp_path / "folder").exit_code == 0 and (tmp_path / "folder" / "x.png").is_file()


def test_what_can_not_be_meant_is_named(photos: Path, tmp_path: Path) -> None:
    image = photos / "a.png"
    before = image.read_bytes()
    assert "no such file or folder" in error(tmp_path / "nowhere", tmp_path / "out")
    assert "overwrite its input" in error(photos, photos, "--overwrite")
    assert "overwrite its input" in error(image, image, "--overwrite")
    assert image.read_bytes() == before
    assert "outputs are PNGs" in error(image, tmp_path / "out.jpg")
    assert "goes to a folder" in error(photos, tmp_path / "out.png")
    assert "is a file" in error(photos, _file(tmp_path))
    assert "unknown system 'nothing'" in error(image, tmp_path / "out", system="nothing")
    assert "unknown dtype" in error(image, tmp_path / "out", "--dtype", "int8")
    assert "give --tile too" in error(image, tmp_path / "out", "--compare")
    assert "overlap must be smaller" in error(image, tmp_path / "out", "--tile", "8", "--overlap", "8")
    save(photos / "a.jpg")
    assert "same output" in error(photos, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert "has no image" in error(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _file(tmp_path: Path) -> Path:
    (tmp_path / "plain").write_text("a file")
    return tmp_path / "plain"


def test_tiles_are_announced_and_compared(tmp_path: Path) -> None:
    source = save(tmp_path / "x.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    whole = run(source, tmp_path / "whole.png", "--tile", "0")
    assert "in tiles" not in whole.output
    result = run(source, tmp_path / "tiled.png", "--tile", "24", "--overlap", "12", "--compare")
    assert "1 in tiles" in result.output
    assert "x.png: tiled against whole: rms 0.000" in result.output  # bicubic sees 2 pixels
    np.testing.assert_array_equal(read_png(tmp_path / "tiled.png"), read_png(tmp_path / "whole.png"))
    result = run(source, tmp_path / "a.png", "--tile", "24", "--overlap", "8", "--compare", system="adcsr-mini")
    assert "x.png: tiled against whole: rms " in result.output and "rms 0.000" not in result.output


def test_large_images_are_tiled_by_themselves(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("adcbench.inference.tiles.WHOLE_PIXELS", 100)
    monkeypatch.setattr("adcbench.inference.tiles.AUTO_TILE", 12)
    assert "1 in tiles" not in run(save(tmp_path / "x.png"), tmp_path / "out", "--tile", "0").output
    monkeypatch.setattr("adcbench.inference.tiles.AUTO_TILE", 36)
    assert run(save(tmp_path / "y.png", np.zeros((40, 4, 3), np.uint8)), tmp_path / "out").output.count("in tiles") == 1


def test_rounding_is_as_said(tmp_path: Path) -> None:
    source = save(tmp_path / "x.png")
    run(source, tmp_path / "r.png")
    run(source, tmp_path / "t.png", "--rounding", "truncate")
    lower = read_png(tmp_path / "r.png").astype(int) - read_png(tmp_path / "t.png")
    assert set(np.unique(lower)) == {0, 1}


def test_an_overlap_below_zero_is_refused_for_small_images_too(photos: Path, tmp_path: Path) -> None:
    result = run(photos, tmp_path / "out", "--overlap", "-1")
    assert result.exit_code == 2 and "--overlap" in result.output and not (tmp_path / "out").exists()
