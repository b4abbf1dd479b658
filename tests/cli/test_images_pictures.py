"""``adcbench upscale`` and ``score`` on what folders of pictures really hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from picture_files import PIXELS, encoded, header, phone_jpeg, png, profile
from PIL import Image

from adcbench.cli import cli
from adcbench.data.media.images import read_png, write_png
from adcbench.inference import folder as running
from adcbench.inference import tiles


def upscale(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["upscale", *map(str, arguments), "--system", "bicubic-torch"])


def test_a_phone_s_picture_is_no_animation(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(phone_jpeg())
    result = upscale(tmp_path / "photo.jpg", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert read_png(tmp_path / "out" / "photo.png").shape == (96, 160, 3)


@pytest.mark.parametrize("tile", ["0", "24"])
def test_the_colour_profile_is_kept_and_said(tile: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(encoded(kind="JPEG", icc_profile=profile()))
    (tmp_path / "in" / "b.png").write_bytes(encoded())
    result = upscale(tmp_path / "in", tmp_path / "out", "--tile", tile, "--overlap", "8")
    assert "1 with the colour profile (ICC) of their input" in result.output
    kept = {path.name: Image.open(path).info.get("icc_profile") for path in (tmp_path / "out").iterdir()}
    assert kept == {"a.png": profile(), "b.png": None}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_picture_is_said_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*arguments: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(running, "load_on", load)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").symlink_to(tmp_path / "nowhere")
    (folder / "b.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "c.png")
    (folder / "d.jpg").write_bytes(b"\0\0\0\x18ftypmp42")
    result = upscale(folder, tmp_path / "out")
    assert result.exit_code == 1 and "0 written\n4 bad:" in result.output
    for said in ("a.png: a link to a file that is not there", "b.png: a pipe, socket or device", "c.png: a pipe",
                 "d.jpg: not a PNG, JPEG, WebP or BMP"):  # fmt: skip
        assert f"{folder}/{said}" in result.output
    (tmp_path / "lr.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    result = upscale(tmp_path / "lr.mp4", tmp_path / "out")
    assert result.exit_code == 1 and "of a video, give a folder of its frames" in result.output
    for name, said in (("a.png", "not there"), ("c.png", "a pipe")):
        result = upscale(folder / name, tmp_path / "out")
        assert said in f"{result.output}{result.exception}"


def test_what_will_not_fit_is_said_before_it_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(encoded())
    monkeypatch.setattr(tiles, "physical_memory", lambda: 150_000)
    result = upscale(tmp_path / "a.png", tmp_path / "out")
    assert result.exit_code == 1
    assert "a.png: its output of 160x96 pixels takes 0.0 GB in any tiles" in result.output
    assert "cut the image into parts" in result.output


def test_a_damaged_png_does_not_end_a_whole_score(tmp_path: Path) -> None:
    for name in ("x", "y", "z"):
        for side in ("sr", "hr"):
            write_png(tmp_path / side / f"{name}.png", PIXELS)
    (tmp_path / "sr" / "y.png").write_bytes(png(header(40, 24)))
    (tmp_path / "hr" / "z.png").unlink()
    (tmp_path / "hr" / "z.png").symlink_to(tmp_path / "nowhere")
    arguments = ["score", "--sr", tmp_path / "sr", "--hr", tmp_path / "hr", "--metrics", "psnr", "--no-store"]
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    assert result.exit_code == 1 and "psnr 80.0000 dB (n=1" in result.output
    assert "it has no image data" in result.output and "a link to a file that is not there" in result.output
