"""Pairs by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.data.media.pairs import pair, read_pair

NAMES = st.sets(st.text("abcdefgh_0123", min_size=1, max_size=6), min_size=1, max_size=8)


def folder(path: Path, names: list[str]) -> Path:
    path.mkdir(parents=True)
    for name in names:
        (path / f"{name}.png").write_bytes(b"")
    return path


@settings(max_examples=30)
@given(sr=NAMES, hr=NAMES)
def test_pairs_have_one_name_or_there_are_none(
    tmp_path_factory: pytest.TempPathFactory, sr: set[str], hr: set[str]
) -> None:
    root = tmp_path_factory.mktemp("pairs")
    folders = folder(root / "sr", list(sr)), folder(root / "hr", list(hr))
    if sr == hr:
        found = pair(*folders)
        assert [name for name, _, _ in found] == sorted(sr)
        assert all(a.stem == b.stem == name and a.parent != b.parent for name, a, b in found)
    else:
        with pytest.raises(AdcbenchError) as caught:
            pair(*folders)
        assert all(name in str(caught.value) for name in sr ^ hr)


def test_unmatched_files_of_both_sides_are_counted_and_listed(tmp_path: Path) -> None:
    sr = folder(tmp_path / "sr", ["shared", "extra"])
    hr = folder(tmp_path / "hr", ["shared", *(f"image_{i:02}" for i in range(14))])
    with pytest.raises(AdcbenchError) as caught:
        pair(sr, hr)
    message = str(caught.value)
    assert f"1 only in {sr}: extra" in message
    assert f"14 only in {hr}: image_00" in message
    assert "remove" not in message and "copy the partners" in message  # nobody is told to thin out a test set
    assert "image_09, ... and 4 more" in message


def image(path: Path, height: int, width: int) -> Path:
    write_png(path, np.zeros((height, width, 3), np.uint8))
    return path


def test_pixels_of_a_pair_come_in_order(tmp_path: Path) -> None:
    lr, hr = read_pair(image(tmp_path / "lr.png", 2, 3), image(tmp_path / "hr.png", 8, 12), scale=4)
    assert (lr.shape, hr.shape) == ((2, 3, 3), (8, 12, 3))


@pytest.mark.parametrize(("height", "width", "scale"), [(8, 12, 1), (8, 11, 4), (12, 8, 4)])
def test_sizes_that_do_not_fit_name_both_files(height: int, width: int, scale: int, tmp_path: Path) -> None:
    sr, hr = image(tmp_path / "sr.png", 2, 3), image(tmp_path / "hr.png", height, width)
    with pytest.raises(AdcbenchError) as caught:
        read_pair(sr, hr, scale)
    message = str(caught.value)
    assert f"{sr} is 3x2" in message
    assert f"{hr} is {width}x{height}" in message
