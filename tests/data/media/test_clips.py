"""Clips: frames in order, joined by name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from clip_files import FRAMES, write_folder, write_video
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import pair
from adcbench.data.media.clips import check_pair, list_clips, open_clip
from adcbench.data.media.images import write_png


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    clip = open_clip(write_folder(tmp_path / "walk"))
    assert (clip.name, len(clip), clip.size, clip.lossy) == ("walk", 12, (16, 24), "")
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)  # 10.png comes after 9.png
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)  # and again


def test_part_of_a_clip(tmp_path: Path) -> None:
    clip = open_clip(write_folder(tmp_path / "walk")).part(frames=5, crop=11)
    assert (len(clip), clip.size) == (5, (11, 11))
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES[:5, 2:13, 6:17])
    with pytest.raises(AdcbenchError, match="has 5 frames, not the 6"):
        clip.part(frames=6)
    with pytest.raises(AdcbenchError, match="24x16 pixels, too small for a crop of 17x17"):
        open_clip(tmp_path / "walk").part(crop=17)


def test_a_png_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    write_png(tmp_path / "walk.png", FRAMES[0])
    clip = open_clip(tmp_path / "walk.png")
    assert (clip.name, len(clip), clip.size, clip.source) == ("walk", 1, (16, 24), "png")
    np.testing.assert_array_equal(np.stack(list(clip.part(crop=11))), FRAMES[:1, 2:13, 6:17])
    (tmp_path / "torn.png").write_bytes((tmp_path / "walk.png").read_bytes()[:20])
    with pytest.raises(AdcbenchError, match=r"torn\.png: the PNG is truncated"):
        open_clip(tmp_path / "torn.png")


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "walk")
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:-20])
    with pytest.raises(AdcbenchError, match=r"7\.png"):
        list(open_clip(folder))


def test_bad_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdcbenchError, match="has no PNG file"):
        open_clip(tmp_path / "empty")
    with pytest.raises(AdcbenchError, match="no such clip"):
        open_clip(tmp_path / "nowhere")
    folder = write_folder(tmp_path / "twice")
    write_png(folder / "01.png", FRAMES[0])
    with pytest.raises(AdcbenchError, match="two frames have the same number"):
        open_clip(folder)
    folder = write_folder(tmp_path / "sizes")
    write_png(folder / "5.png", FRAMES[0][:8])
    with pytest.raises(AdcbenchError, match="frame 5 is 24x8 pixels, the first 24x16"):
        list(open_clip(folder))
    deep = np.zeros((16, 24), np.uint16)
    (tmp_path / "deep").mkdir()
    Image.fromarray(deep).save(tmp_path / "deep" / "1.png")
    with pytest.raises(AdcbenchError, match=r"1\.png"):
        open_clip(tmp_path / "deep")


def test_clips_are_joined_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_folder(tmp_path / "sr" / name, FRAMES[:2])
    write_folder(tmp_path / "hr" / "b", FRAMES[:2])
    write_video(tmp_path / "hr" / "a.mkv", "ffv1", "bgr0", FRAMES[:2])
    (tmp_path / "sr" / "notes.txt").write_text("ignored")
    found = pair(tmp_path / "sr", tmp_path / "hr")
    assert [(name, sr.name, hr and hr.name) for name, sr, hr in found] == [("a", "a", "a.mkv"), ("b", "b", "b")]
    assert pair(tmp_path / "sr", None)[0] == ("a", tmp_path / "sr" / "a", None)
    assert pair(tmp_path / "sr" / "b", tmp_path / "hr" / "a.mkv", frames=True) == [
        ("b", tmp_path / "sr" / "b", tmp_path / "hr" / "a.mkv")
    ]
    write_folder(tmp_path / "hr" / "c", FRAMES[:2])
    with pytest.raises(AdcbenchError, match=r"without a partner.*1 only in .*hr: c"):
        pair(tmp_path / "sr", tmp_path / "hr")
    write_folder(tmp_path / "hr" / "a", FRAMES[:2])
    with pytest.raises(AdcbenchError, match="two clips are called a"):
        list_clips(tmp_path / "hr")
    (tmp_path / "none").mkdir()
    with pytest.raises(AdcbenchError, match="has no clips"):
        list_clips(tmp_path / "none")


def test_a_frame_missing_in_the_middle_is_found(tmp_path: Path) -> None:
    whole = open_clip(write_folder(tmp_path / "hr", FRAMES[:4], first=0))  # counted from 0, and the other from 1
    check_pair(open_clip(write_folder(tmp_path / "sr", FRAMES[:4])), whole)
    (tmp_path / "sr" / "2.png").rename(tmp_path / "sr" / "5.png")
    with pytest.raises(AdcbenchError, match="not numbered alike"):
        check_pair(open_clip(tmp_path / "sr"), whole)
    with pytest.raises(AdcbenchError, match=r"3 frames and .* 4"):
        check_pair(whole.part(3), whole)
    with pytest.raises(AdcbenchError, match="sizes must be equal"):
        check_pair(whole.part(0, 8), whole)


@pytest.mark.golden(unfetched="Vid4's clip, which no command fetches")
def test_the_real_clip() -> None:
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "clips" / "calendar_lr"
    if not os.environ.get("ADCBENCH_DATA") or not folder.is_dir():
        pytest.skip("ADCBENCH_DATA has no clips/calendar_lr")
    clip = open_clip(folder)
    assert (len(clip), clip.size, clip.numbers[:2]) == (41, (144, 180), (1, 2))
