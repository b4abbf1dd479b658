"""Video files: which frames are shown, upright, by their own colour tags, and what a file says of its losses."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from clip_files import FRAMES, cut_video, turn_video, write_video

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.clips import open_clip


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
    clip = open_clip(write_video(tmp_path / f"walk.{suffix}", codec, pixels, **options))
    assert (clip.name, len(clip), clip.size, clip.lossy, clip.fps) == ("walk", 12, (16, 24), "", 25)
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES)
    np.testing.assert_array_equal(np.stack(list(clip.part(3, 8))), FRAMES[:3, 4:12, 8:16])


def test_yuv444p_without_loss_is_named_and_within_two_levels(tmp_path: Path) -> None:
    clip = open_clip(write_video(tmp_path / "walk.mp4", "libx264", "yuv444p", crf="0"))
    assert (clip.source.partition(",")[0], clip.lossy) == ("h264 yuv444p rc=cqp qp=0", "")
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
    assert why in open_clip(write_video(tmp_path / "walk.mkv", codec, pixels, frames, **options)).lossy


@pytest.mark.parametrize(
    ("codec", "pixels", "message"), [("ffv1", "yuv444p10le", "more than 8 bits"), ("ffv1", "gray", "not plain colour")]
)
def test_other_pixels_are_refused(tmp_path: Path, codec: str, pixels: str, message: str) -> None:
    with pytest.raises(AdcbenchError, match=rf"walk\.mkv.*{message}.*save it as"):
        open_clip(write_video(tmp_path / "walk.mkv", codec, pixels))


def test_a_cut_off_file_is_an_error_and_not_a_shorter_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "walk.mkv", "ffv1", "bgr0")
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


def test_no_pyav_is_said_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walk.mp4").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(Blocked, match=r"PyAV.*pip install 'adcbench\[video\]'"):
        open_clip(tmp_path / "walk.mp4")


SMOOTH = np.repeat(np.repeat(FRAMES[:, :6, :8], 8, axis=1), 8, axis=2)  # (12, 48, 64, 3)
UNSAID = "(matrix and range assumed: the file does not say)"
WEIGHTS = {"BT.601": (0.299, 0.114), "BT.709": (0.2126, 0.0722), "BT.2020": (0.2627, 0.0593)}
NUMBERS = {"BT.601": 6, "BT.709": 1, "BT.2020": 9}  # ITU-T H.273


def _yuv(rgb: np.ndarray, matrix: str, full: bool) -> np.ndarray:
    """(n, h, w, 3) RGB to (n, 3, h, w) YUV by the standard's formula, in float64."""
    red, blue = WEIGHTS[matrix]
    r, g, b = np.moveaxis(rgb / 255, -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    planes = (255 * y, 255 * u + 128, 255 * v + 128) if full else (16 + 219 * y, 128 + 224 * u, 128 + 224 * v)
    return np.clip(np.stack(planes, 1).round(), 0, 255).astype(np.uint8)


def _worst(path: Path, rgb: np.ndarray) -> int:
    return int(np.abs(np.stack(list(open_clip(path))).astype(int) - rgb).max())


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_tagged_yuv_is_read_by_its_own_matrix_and_range(tmp_path: Path, matrix: str, full: bool) -> None:
    planes, tags = _yuv(SMOOTH, matrix, full), (NUMBERS[matrix], 1 + full)
    path = write_video(tmp_path / "walk.mkv", "libx264", "yuv444p", planes, tags, crf="0")
    assert _worst(path, SMOOTH) <= 2
    assert open_clip(path).source.endswith(f", {matrix}, {'full' if full else 'limited'} range")


def test_untagged_yuv_is_read_as_ffmpeg_does_and_says_so(tmp_path: Path) -> None:
    """BT.601, limited range, whatever the size: by another matrix colours are off by tens of levels."""
    path = write_video(tmp_path / "walk.mkv", "libx264", "yuv444p", _yuv(SMOOTH, "BT.601", False), crf="0")
    assert _worst(path, SMOOTH) <= 2
    assert open_clip(path).source == f"h264 yuv444p rc=cqp qp=0, BT.601, limited range {UNSAID}"
    path = write_video(tmp_path / "run.mkv", "libx264", "yuv444p", _yuv(SMOOTH, "BT.709", False), crf="0")
    assert _worst(path, SMOOTH) > 20
    assert UNSAID in open_clip(path).source


def test_a_colour_matrix_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "walk.mkv", "libx264", "yuv444p", _yuv(SMOOTH, "BT.709", False), (8, 1), crf="0")
    with pytest.raises(AdcbenchError, match=r"walk\.mkv: its colour matrix \(number 8 of ITU-T H\.273\)"):
        open_clip(path)


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda x: x), ((-1, 0, 0, -1), lambda x: np.rot90(x, 2, (1, 2))),
        ((0, 1, -1, 0), lambda x: np.rot90(x, -1, (1, 2))), ((0, -1, 1, 0), lambda x: np.rot90(x, 1, (1, 2))),
        ((-1, 0, 0, 1), lambda x: x[:, :, ::-1]), ((1, 0, 0, -1), lambda x: x[:, ::-1]),
        ((0, 1, 1, 0), lambda x: x.transpose(0, 2, 1, 3)),
    ],
)  # fmt: skip
def test_frames_are_upright(tmp_path: Path, matrix: tuple[int, int, int, int], shown: object) -> None:
    """Turned and mirrored as ffmpeg does it by itself (checked against ffmpeg 9.0: the same pixels)."""
    path = write_video(tmp_path / "walk.mp4", "libx264rgb", "rgb24", crf="0")
    clip = open_clip(turn_video(path, *matrix))
    expected = shown(FRAMES)  # type: ignore[operator]
    assert clip.size == expected.shape[1:3]
    np.testing.assert_array_equal(np.stack(list(clip)), expected)


def test_other_turns_are_refused(tmp_path: Path) -> None:
    path = turn_video(write_video(tmp_path / "walk.mp4", "libx264rgb", "rgb24", crf="0"), 1, 1, -1, 1)
    with pytest.raises(AdcbenchError, match=r"walk\.mp4: .* turned by no right angle; save it as"):
        open_clip(path)


def test_a_clip_that_was_cut_without_new_encoding_has_the_frames_that_are_shown(tmp_path: Path) -> None:
    path = write_video(tmp_path / "whole.mp4", "libx264rgb", "rgb24", crf="0", bf="2")
    clip = open_clip(cut_video(path, tmp_path / "walk.mp4", 5))
    assert len(clip) == 7
    np.testing.assert_array_equal(np.stack(list(clip)), FRAMES[5:])


@pytest.mark.parametrize("suffix", ["mkv", "avi"])
@pytest.mark.parametrize("part", [0.4, 0.7, 0.9])
def test_a_file_that_is_cut_off_is_found_when_it_is_opened(tmp_path: Path, suffix: str, part: float) -> None:
    path = write_video(tmp_path / f"walk.{suffix}", "ffv1", "bgr0")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(AdcbenchError, match=r"walk.*the file is cut off or damaged"):
        open_clip(path)


def test_random_damage_is_refused_in_a_line(tmp_path: Path) -> None:
    """Or not noticed, as far as the file has no checksums; but never a traceback."""
    draw = np.random.default_rng(0)
    for suffix, codec, pixels in (("mp4", "libx264rgb", "rgb24"), ("mkv", "ffv1", "bgr0"), ("avi", "ffv1", "bgr0")):
        whole = write_video(tmp_path / f"whole.{suffix}", codec, pixels, FRAMES[:3]).read_bytes()
        for _ in range(40):
            data = np.frombuffer(whole, np.uint8).copy()
            data[draw.integers(0, len(data), 4)] = draw.integers(0, 256, 4)
            path = tmp_path / f"walk.{suffix}"
            path.write_bytes(data.tobytes())
            try:
                list(open_clip(path))
            except AdcbenchError as error:
                assert str(path) in str(error) and "\n" not in str(error)
