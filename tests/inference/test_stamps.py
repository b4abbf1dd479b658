"""The note in an output says whose it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adcbench.data.media.images import read_png
from adcbench.inference import stamps

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def test_the_note_is_read_whatever_the_systems_name(tmp_path: Path) -> None:
    name = "r\xe9seau \u6f22\\ \udcb2"
    stamps.write_stamped(tmp_path / "x.png", PIXELS, name, "key")
    found = stamps.read_stamped(tmp_path / "x.png")
    assert found and (found.system, found.key) == (name, "key")
    np.testing.assert_array_equal(read_png(tmp_path / "x.png"), PIXELS)


def test_changed_pixels_and_other_programs_files_are_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    stamps.write_stamped(path, PIXELS, "a", "key")
    with Image.open(path) as image:
        note = PngInfo()
        note.add_text("adcbench", image.text["adcbench"])  # type: ignore[attr-defined]
    Image.fromarray(PIXELS ^ 1).save(path, pnginfo=note)
    assert stamps.read_stamped(path) == stamps.Stamped("", "")
    Image.fromarray(PIXELS).save(path)
    assert stamps.read_stamped(path) == stamps.Stamped("", "")
    Image.fromarray(PIXELS).save(path, "JPEG")
    assert stamps.read_stamped(path) == stamps.Stamped("", "")
    path.unlink()
    path.mkdir()
    assert stamps.read_stamped(path) == stamps.Stamped("", "")


@pytest.mark.parametrize("kept", [0, 4, 60, -8])
def test_nothing_and_a_cut_off_png_are_no_file(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    assert stamps.read_stamped(path) is None
    stamps.write_stamped(path, PIXELS, "a", "key")
    path.write_bytes(path.read_bytes()[:kept])
    assert stamps.read_stamped(path) is None


def test_pixels_come_with_the_stamp(tmp_path: Path) -> None:
    stamps.write_stamped(tmp_path / "x.png", PIXELS, "a", "key")
    found = stamps.read_stamped(tmp_path / "x.png")
    assert found and found.pixels is not None and np.array_equal(found.pixels, PIXELS)
