"""Clips: frames in order, joined by name, and what a file says of its losses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.clips import check_pair, list_clips, open_clip, pair_clips
from adcbench.data.images import write_png

FRAMES = np.random.default_rng(0).integers(0, 256, (12, 16, 24, 3), dtype=np.uint8)


def _folder(path: Path, frames: np.ndarray = FRAMES, first: int = 1) -> Path:
    for number, frame in enumerate(frames, first):
        write_png(path / f"{number}.png", frame)
    return path


def _video(path: Path, codec: str, pixels: str, frames: np.ndarray = FRAMES, **options: str) -> Path:
    av = pytest.importorskip("av", reason="pip install 'adcbench[video]'")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    clip = open_clip(_folder(tmp_path / "walk"))
    assert (clip.name, len(clip), clip.size, clip.lossy) == ("walk", 12, (16, 24), "")
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)  # 10.png comes after 9.png
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)  # and again


def test_part_of_a_clip(tmp_path: Path) -> None:
    clip = open_clip(_folder(tmp_path / "walk")).part(frames=5, crop=11)
    assert (len(clip), clip.size) == (5, (11, 11))
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES[:5, 2:13, 6:17])
    with pytest.raises(AdcbenchError, match="has 5 frames, not the 6"):
        clip.part(frames=6)
    with pytest.raises(AdcbenchError, match="24x16 pixels, too small for a crop of 17x17"):
        open_clip(tmp_path / "walk").part(crop=17)


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix", "options"),
    [
        ("ffv1", "bgr0", "mkv", {}), ("huffyuv", "rgb24", "avi", {}), ("png", "rgb24", "mov", {}),
        ("libx264rgb", "rgb24", "mkv", {"crf": "0"}),
    ],
)  # fmt: skip
def test_lossless_rgb_files_hold_the_very_pixels(
    tmp_path: Path, codec: str, pixels: str, suffix: str, options: dict[str, str]
) -> None:
    clip = open_clip(_video(tmp_path / f"walk.{suffix}", codec, pixels, **options))
    assert (clip.name, len(clip), clip.size, clip.lossy, clip.fps) == ("walk", 12, (16, 24), "", 25)
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)
    np.testing.assert_array_equal(np.stack(list(clip.part(3, 8))), FRAMES[:3, 4:12, 8:16])


def test_yuv444p_without_loss_is_named_and_within_two_levels(tmp_path: Path) -> None:
    clip = open_clip(_video(tmp_path / "walk.mp4", "libx264", "yuv444p", crf="0"))
    assert (clip.source, clip.lossy) == ("h264 yuv444p rc=cqp qp=0", "")
    assert np.abs(np.stack(list(clip)).astype(int) - FRAMES).max() <= 2


@pytest.mark.parametrize(
    ("codec", "pixels", "options", "why"),
    [
        ("libx264", "yuv444p", {"crf": "18"}, "rc=crf crf=18.0: compressed with loss"),
        ("libx264", "yuv420p", {"crf": "0"}, "chroma at reduced size"),
        ("ffv1", "yuv420p", {}, "chroma at reduced size"),
        ("mpeg4", "yuv420p", {}, "chroma at reduced size"),
        ("libx265", "yuv444p", {"x265-params": "lossless=1:log-level=none"}, "nothing in the file says"),
    ],
)
def test_what_may_be_lossy_is_marked(
    tmp_path: Path, codec: str, pixels: str, options: dict[str, str], why: str
) -> None:
    frames = np.repeat(np.repeat(FRAMES, 4, axis=1), 4, axis=2)
    assert why in open_clip(_video(tmp_path / "walk.mkv", codec, pixels, frames, **options)).lossy


@pytest.mark.parametrize(
    ("codec", "pixels", "message"), [("ffv1", "yuv444p10le", "more than 8 bits"), ("ffv1", "gray", "not plain colour")]
)
def test_other_pixels_are_refused(tmp_path: Path, codec: str, pixels: str, message: str) -> None:
    with pytest.raises(AdcbenchError, match=rf"walk\.mkv.*{message}.*save it as"):
        open_clip(_video(tmp_path / "walk.mkv", codec, pixels))


def test_a_cut_off_file_is_an_error_and_not_a_shorter_clip(tmp_path: Path) -> None:
    path = _video(tmp_path / "walk.mkv", "ffv1", "bgr0")
    whole = len(open_clip(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    try:
        found = len(list(open_clip(path)))
    except AdcbenchError as error:
        assert str(path) in str(error)
    else:  # a container without an index can't tell; the pair's check then does
        assert found < whole
    path.write_bytes(b"\0" * 1000)
    with pytest.raises(AdcbenchError, match=r"walk\.mkv: can't be read as a video"):
        open_clip(path)


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "walk")
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:-20])
    with pytest.raises(AdcbenchError, match=r"7\.png"):
        list(open_clip(folder))


def test_bad_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdcbenchError, match="has no PNG file"):
        open_clip(tmp_path / "empty")
    with pytest.raises(AdcbenchError, match="no such clip"):
        open_clip(tmp_path / "nowhere")
    folder = _folder(tmp_path / "twice")
    write_png(folder / "01.png", FRAMES[0])
    with pytest.raises(AdcbenchError, match="two frames have the same number"):
        open_clip(folder)
    folder = _folder(tmp_path / "sizes")
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
        _folder(tmp_path / "sr" / name, FRAMES[:2])
    _folder(tmp_path / "hr" / "b", FRAMES[:2])
    _video(tmp_path / "hr" / "a.mkv", "ffv1", "bgr0", FRAMES[:2])
    (tmp_path / "sr" / "notes.txt").write_text("ignored")
    found = pair_clips(tmp_path / "sr", tmp_path / "hr")
    assert [(name, sr.name, hr and hr.name) for name, sr, hr in found] == [("a", "a", "a.mkv"), ("b", "b", "b")]
    assert pair_clips(tmp_path / "sr", None)[0] == ("a", tmp_path / "sr" / "a", None)
    assert pair_clips(tmp_path / "sr" / "b", tmp_path / "hr" / "a.mkv") == [
        ("b", tmp_path / "sr" / "b", tmp_path / "hr" / "a.mkv")
    ]
    _folder(tmp_path / "hr" / "c", FRAMES[:2])
    with pytest.raises(AdcbenchError, match=r"without a partner.*1 only in .*hr: c"):
        pair_clips(tmp_path / "sr", tmp_path / "hr")
    _folder(tmp_path / "hr" / "a", FRAMES[:2])
    with pytest.raises(AdcbenchError, match="two clips are called a"):
        list_clips(tmp_path / "hr")
    (tmp_path / "none").mkdir()
    with pytest.raises(AdcbenchError, match="has no clips"):
        list_clips(tmp_path / "none")


def test_a_frame_missing_in_the_middle_is_found(tmp_path: Path) -> None:
    whole = open_clip(_folder(tmp_path / "hr", FRAMES[:4], first=0))  # counted from 0, and the other from 1
    check_pair(open_clip(_folder(tmp_path / "sr", FRAMES[:4])), whole)
    (tmp_path / "sr" / "2.png").rename(tmp_path / "sr" / "5.png")
    with pytest.raises(AdcbenchError, match="not numbered alike"):
        check_pair(open_clip(tmp_path / "sr"), whole)
    with pytest.raises(AdcbenchError, match=r"3 frames and .* 4"):
        check_pair(whole.part(3), whole)
    with pytest.raises(AdcbenchError, match="sizes must be equal"):
        check_pair(whole.part(0, 8), whole)


def test_no_pyav_is_said_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walk.mp4").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(Blocked, match=r"PyAV.*pip install 'adcbench\[video\]'"):
        open_clip(tmp_path / "walk.mp4")


@pytest.mark.golden(unfetched="Vid4's clip, which no command fetches")
def test_the_real_clip() -> None:
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "clips" / "calendar_lr"
    if not os.environ.get("ADCBENCH_DATA") or not folder.is_dir():
        pytest.skip("ADCBENCH_DATA has no clips/calendar_lr")
    clip = open_clip(folder)
    assert (len(clip), clip.size, clip.numbers[:2]) == (41, (144, 180), (1, 2))
