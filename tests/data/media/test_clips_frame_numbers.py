"""Frames that do not belong together are refused before anything is cut off, whatever their names look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from clip_files import FRAMES, write_folder, write_named, write_video

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.clips import check_pair, frame_numbers, open_clip


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["1", "2", "10"], (1, 2, 10)),
        (["001_x4", "003_x4"], (1, 3)),
        (["001_EDVR_M_x4_SR_REDS_official", "002_EDVR_M_x4_SR_REDS_official"], (1, 2)),
        (["sharp2-f007", "sharp2-f009"], (7, 9)),
        (["f1_40ms", "f2_80ms", "f3_120ms"], (1, 2, 3)),
        (["s1_f1", "s1_f2", "s2_f3"], (1, 2, 3)),
        (["s1_f1", "s1_f2", "s2_f1"], (10**12 + 1, 10**12 + 2, 2 * 10**12 + 1)),
        (["a", "b"], ()),
        (["a", "1"], ()),
        (["7"], (7,)),
        (["7_x4"], ()),
    ],
)  # fmt: skip
def test_the_frames_number_is_the_one_that_tells_frames_apart(names: Sequence[str], numbers: tuple[int, ...]) -> None:
    assert frame_numbers(names) == numbers


def test_frames_are_in_that_order(tmp_path: Path) -> None:
    clip = open_clip(write_named(tmp_path, ["b_10_x4", "a_9_x4", "c_11_x4"]))
    assert clip.numbers == (9, 10, 11)
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES[[1, 0, 2]])


def _check(folder: Path, sr: Sequence[str], hr: Sequence[str], frames: int) -> None:
    check_pair(open_clip(write_named(folder / "sr", sr)), open_clip(write_named(folder / "hr", hr)), frames)


def _names(first: int, count: int, form: str = "{:03}") -> list[str]:
    return [form.format(number) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("sr", "hr", "frames"),
    [
        (_names(1, 6), _names(1, 6), 0),
        (_names(1, 6), _names(1, 6), 5),
        (_names(0, 6), _names(1, 6), 0),  # numbered from elsewhere, as many
        (_names(1, 6), _names(0, 6), 5),
        (_names(1, 6), _names(101, 6), 0),
        (_names(1, 6, "{:03}_EDVR_M_x4"), _names(1, 6), 0),
        (_names(1, 6, "{:03}_x4"), _names(0, 6, "im{}"), 3),
        (_names(1, 4), _names(1, 9), 4),  # SR has just the frames that are asked for
        (_names(1, 5), _names(1, 9), 4),
        (_names(1, 9), _names(1, 6), 5),
        (_names(1, 4), _names(101, 9), 4),
        (["a", "b", "c"], ["x", "y", "z"], 2),
        (["a", "b"], ["x", "y", "z"], 2),
        (["001", "003", "005"], ["001", "003", "005", "007"], 3),
    ],
)
def test_frames_that_belong_together(
    tmp_path: Path, sr: list[str], hr: list[str], frames: int, recwarn: pytest.WarningsRecorder
) -> None:
    _check(tmp_path, sr, hr, frames)
    first = [found[0] for names in (sr, hr) if (found := frame_numbers(names))]
    assert len(recwarn) == (len(set(first)) > 1)  # numbers that begin elsewhere are said


@pytest.mark.parametrize(
    ("sr", "hr", "frames", "says"),
    [
        (_names(2, 5), _names(1, 6), 5, r"\(2 to 6\) are not the first 5 of"),  # SR lost its first frame
        (_names(2, 5), _names(1, 5), 5, r"\(2 to 6\) and .* \(1 to 5\) are not numbered alike"),
        (_names(2, 5), _names(1, 5), 4, "not numbered alike"),
        (_names(1, 4), _names(0, 9), 4, "not numbered alike"),  # the first four, or one lost?
        (_names(1, 3), _names(1, 6), 4, "3 frames and .* 6"),
        (_names(1, 5), _names(1, 6), 0, "5 frames and .* 6"),
        (_names(3, 4), _names(101, 9), 4, "not the first 4"),
        ([*_names(1, 2), *_names(4, 3)], _names(1, 6), 5, "not the first 5"),
        (["001_x4", "002_x4", "004_x4", "005_x4"], ["001_x4", "002_x4", "003_x4", "005_x4"], 0, "numbered alike"),
        (["001_x4", "002_x4", "004_x4", "005_x4"], ["001_x4", "002_x4", "003_x4", "005_x4"], 3, "numbered alike"),
        (["a", "b", "c"], ["x", "y", "z", "z1"], 2, "3 frames and .* 4"),
        (["a", "b", "c"], ["x", "y"], 2, "3 frames and .* 2"),
    ],
)
def test_frames_that_do_not(tmp_path: Path, sr: list[str], hr: list[str], frames: int, says: str) -> None:
    with pytest.raises(AdcbenchError, match=says):
        _check(tmp_path, sr, hr, frames)


def test_a_video_file_has_no_numbers_and_its_length_must_fit(tmp_path: Path) -> None:
    whole = open_clip(write_video(tmp_path / "hr.mkv", "ffv1", "bgr0", FRAMES[:8]))
    later = open_clip(write_video(tmp_path / "sr.mkv", "ffv1", "bgr0", FRAMES[:10]))
    first = open_clip(write_video(tmp_path / "lr.mkv", "ffv1", "bgr0", FRAMES[:6]))
    check_pair(first, whole, 6)
    check_pair(open_clip(write_named(tmp_path / "one", _names(1, 6))), whole, 6)
    for sr, frames in ((later, 6), (later, 8), (first, 5), (first, 0)):
        with pytest.raises(AdcbenchError, match="both must have the same ones"):
            check_pair(sr, whole, frames)
    with pytest.raises(AdcbenchError, match=r"\(2 to 7\) are not the first 6 of"):
        check_pair(open_clip(write_named(tmp_path / "two", _names(2, 6))), whole, 6)


def test_sizes_are_those_before_the_crop(tmp_path: Path) -> None:
    whole = open_clip(write_named(tmp_path / "hr", ["1", "2"]))
    small = open_clip(write_named(tmp_path / "sr", ["1", "2"], FRAMES[:, 2:14, 6:18]))
    check_pair(small, whole, crop=12)  # SR has just the part that is asked for
    for crop in (0, 8):
        with pytest.raises(AdcbenchError, match="sizes must be equal"):
            check_pair(small, whole, crop=crop)


def test_names_without_numbers_that_overlap_and_differ(tmp_path: Path) -> None:
    """As with numbers: SR that has lost its first frame, and has one more at its end, is not HR's clip."""
    hr = open_clip(write_named(tmp_path / "hr", "abcdef"))
    check_pair(open_clip(write_named(tmp_path / "same", "abcdef")), hr)
    check_pair(open_clip(write_named(tmp_path / "elsewhere", "uvwxyz")), hr)
    with pytest.raises(AdcbenchError, match=r"\(b to g\) and .* \(a to f\) have other names"):
        check_pair(open_clip(write_named(tmp_path / "later", "bcdefg")), hr)


@pytest.mark.parametrize("names", [["-2", "-1", "0", "1", "2", "3"], [*"¹²³⁴⁵⁶"]])
def test_numbers_that_are_none_here_do_not_go_with_numbers(names: list[str], tmp_path: Path) -> None:
    """Below zero or raised, they would be sorted into another order."""
    hr = open_clip(write_folder(tmp_path / "hr", FRAMES[:6]))
    with pytest.raises(AdcbenchError, match="tell no order for sure"):
        check_pair(open_clip(write_named(tmp_path / "sr", names)), hr)
