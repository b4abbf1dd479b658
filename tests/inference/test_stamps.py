"""The note in an output says whose it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adcbench.data.media.images import read_png
from adcbench.inference import stamps

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def test_the_note_is_read_whatever_the_systems_name(tmp_path: Path) -> None:
    name = "r\xe9seau \u6f22\\ \udcb2"
    stamps.write_stamped(tmp_path / "x.png", PIXELS, name, "key")
    found = stamps.read_stamped(tmp_path / "x.png")
    assert found and (found.system, found.key) == (name, "key")
    np.testing.assert_array_equal(read_png(tmp_path / "x.png"), PIXELS)
