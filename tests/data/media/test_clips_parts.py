"""Parts of clips: a border or frames at the ends left out, sides cut to multiples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clip_files import FRAMES, write_folder, write_video

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Part
from adcbench.data.media.clips import open_clip


@pytest.mark.parametrize(
    ("part", "cut"),
    [
        (Part(border=3), np.s_[:, 3:13, 3:21]),
        (Part(ends=2), np.s_[2:10]),
        (Part(multiple=5), np.s_[:, 0:15, 2:22]),  # 16 x 24 -> 15 x 20, around the centre
        (Part(border=2, multiple=8), np.s_[:, 4:12, 4:20]),
        (Part(frames=9, crop=12, border=1, multiple=4, ends=3), np.s_[3:6, 4:12, 8:16]),
    ],
)
def test_what_is_left_of_a_clip(part: Part, cut: tuple[slice, ...], tmp_path: Path) -> None:
    wanted = FRAMES[cut]
    for path in (write_folder(tmp_path / "walk"), write_video(tmp_path / "run.mkv", "ffv1", "bgr0")):
        clip = open_clip(path).part(*part)
        assert (len(clip), clip.size) == (len(wanted), wanted.shape[1:3])
        assert len(clip.frame_names) == len(clip)
        np.testing.assert_array_equal(np.stack(list(clip)), wanted)
    assert open_clip(tmp_path / "walk").part(ends=2).numbers[0] == open_clip(tmp_path / "walk").numbers[2]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (Part(border=8), "24x16 pixels, of which this leaves nothing: border of 8 pixels left out"),
        (Part(multiple=17), "leaves nothing: sides cut to multiples of 17"),
        (Part(ends=6), "no frame is left of 12 without 6 at each end"),
        (Part(frames=4, ends=2), "no frame is left of 4 without 2"),
    ],
)
def test_a_part_that_leaves_nothing_is_refused(part: Part, why: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=why):
        open_clip(write_folder(tmp_path / "walk")).part(*part)


def test_a_frame_of_another_size_is_named_where_a_border_is_left_out(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "walk")
    write_folder(tmp_path / "small", FRAMES[:1, :5, :6])
    next((tmp_path / "small").iterdir()).replace(folder / "4.png")
    with pytest.raises(AdcbenchError, match="frame 4 is"):
        list(open_clip(folder).part(border=4))


def test_a_part_is_written_in_words() -> None:
    words = str(Part(25, 512, 8, 32, 2))
    assert words == (
        "first 25 frames, centre crop 512x512, border of 8 pixels left out, sides cut to multiples of 32, "
        "first and last 2 frames left out"
    )
    assert str(Part()) == ""
