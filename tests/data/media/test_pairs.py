"""Pairs by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Sample, open_clip, pair
from adcbench.data.media.clips import check_pair
from adcbench.data.media.images import write_png

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


def test_a_folder_is_of_images_or_of_clips(tmp_path: Path) -> None:
    for side in ("sr", "hr"):
        folder(tmp_path / side / "b", ["1", "2"])
        folder(tmp_path / side / "a", ["1", "2"])
    sr, hr = tmp_path / "sr", tmp_path / "hr"
    clips = pair(sr, hr)
    assert clips == [Sample("a", sr / "a", hr / "a"), Sample("b", sr / "b", hr / "b")]
    assert all(sample.is_clip for sample in clips)
    assert pair(sr, None)[0] == ("a", sr / "a", None)
    images = pair(sr / "a", hr / "b")
    assert [(name, one.name, other and other.name) for name, one, other in images] == [
        ("1", "1.png", "1.png"),
        ("2", "2.png", "2.png"),
    ]
    assert not any(sample.is_clip for sample in images)
    assert pair(sr / "a", hr / "b", frames=True) == [("a", sr / "a", hr / "b")]
    assert pair(sr / "a" / "1.png", hr / "a" / "2.png") == [("1", sr / "a" / "1.png", hr / "a" / "2.png")]


def image(path: Path, height: int, width: int) -> Path:
    write_png(path, np.zeros((height, width, 3), np.uint8))
    return path


def test_sizes_that_do_not_fit_name_both_files(tmp_path: Path) -> None:
    sr, hr = image(tmp_path / "sr.png", 2, 3), image(tmp_path / "hr.png", 3, 2)
    with pytest.raises(AdcbenchError) as caught:
        check_pair(open_clip(sr), open_clip(hr))
    message = str(caught.value)
    assert f"{sr} is 3x2" in message
    assert f"{hr} is 2x3" in message


def test_names_may_end_with_what_their_partners_lack(tmp_path: Path) -> None:
    sr, hr = folder(tmp_path / "sr", ["b_Net", "a_Net", "a_Net_Net"]), folder(tmp_path / "hr", ["a", "a_Net", "b"])
    assert [(s.name, s.sr.stem, s.hr and s.hr.stem) for s in pair(sr, hr, suffix="_Net")] == [
        ("a", "a_Net", "a"), ("a_Net", "a_Net_Net", "a_Net"), ("b", "b_Net", "b"),
    ]  # fmt: skip
    assert [s.name for s in pair(sr, None, suffix="_Net")] == ["a", "a_Net", "b"]
    (sr / "c.png").write_bytes(b"")
    (sr / "_Net.png").write_bytes(b"")
    with pytest.raises(AdcbenchError, match="names that do not end with _Net: _Net, c; move them away"):
        pair(sr, None, suffix="_Net")
