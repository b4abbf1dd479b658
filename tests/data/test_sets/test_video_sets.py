"""The video tables' test sets: put there by hand, their clips counted, their manifest recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import write_png
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.registry import TEST_SETS, find_test_set, manifest_path, open_test_set
from adcbench.data.test_sets.test_set import OpenTestSet


@pytest.fixture
def udm10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """UDM10 with two clips of two frames."""
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setitem(TEST_SETS, "UDM10", replace(TEST_SETS["UDM10"], size=2))
    for clip in ("000", "001"):
        for frame in range(2):
            write_png(tmp_path / "udm10" / "HR" / clip / f"{frame:04d}.png", np.full((8, 8, 3), frame, np.uint8))
    return tmp_path / "udm10"


def test_the_manifest_holds_every_frame_and_notices_a_change(udm10: Path) -> None:
    assert fetch(find_test_set("UDM10"), progress=False) == udm10
    assert open_test_set("udm10").folders["HR"] == udm10 / "HR"
    (udm10 / "HR" / "001" / "0001.png").unlink()
    with pytest.raises(AdcbenchError, match=r"1 missing: HR/001/0001\.png"):
        open_test_set("UDM10")


def test_a_missing_clip_is_not_recorded(udm10: Path) -> None:
    for path in (udm10 / "HR" / "001").iterdir():
        path.unlink()
    (udm10 / "HR" / "001").rmdir()
    with pytest.raises(AdcbenchError, match="1 clips, UDM10 has 2: complete it"):
        fetch(find_test_set("UDM10"), progress=False)


def test_it_says_where_the_clips_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match=r"Google Drive .* 50 clips into .*videolq/LR.*adcbench fetch videolq"):
        open_test_set("VideoLQ")


def test_a_set_without_images_says_so_instead_of_asking_for_them() -> None:
    numbers = OpenTestSet(find_test_set("AVT"), {}, "")
    for asked in (numbers.inputs, lambda: numbers.samples("HR"), lambda: numbers.samples("some/folder")):
        with pytest.raises(AdcbenchError, match="AVT holds clips with human scores, as numbers: nothing to upscale"):
            asked()


def test_without_lr_outputs_can_be_scored_and_nothing_can_be_upscaled(udm10: Path) -> None:
    """LR that nobody recorded is not used: nobody would notice that it changed."""
    fetch(find_test_set("UDM10"), progress=False)
    opened = open_test_set("UDM10")
    assert [sample.name for sample in opened.samples(udm10 / "HR")] == ["000", "001"]
    for clip in ("000", "001"):
        write_png(udm10 / "LR" / clip / "0000.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(Blocked, match="LR of the UDM10 test set, without which its manifest was recorded") as blocked:
        open_test_set("UDM10").inputs()
    assert blocked.value.command == "adcbench fetch udm10"
    manifest_path(find_test_set("UDM10")).unlink()
    fetch(find_test_set("UDM10"), progress=False)
    assert len(open_test_set("UDM10").inputs()) == 2
