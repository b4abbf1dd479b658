"""Jobs: what one missing metric blocks, and clips as a row of a video table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_tables import COSTS, IMAGE, OURS, VIDEO

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media import Part
from adcbench.data.media.images import write_png
from adcbench.data.testsets.fetch import fetch
from adcbench.data.testsets.registry import TESTSETS, find_testset
from adcbench.metrics import find_metric
from adcbench.tables import COMPLEXITY, Context, Count, Infer, Score, Table
from adcbench.tables.columns import columns, scores
from adcbench.tables.table import unit_of

QUIET = Context(progress=False)


def _table(test_set: str, *metrics: str) -> Table:
    return Table("own", "", "", "ours", "", ("Row",), columns(test_set, (*VIDEO, *IMAGE, *OURS), metrics))


@pytest.mark.parametrize(
    ("unit", "value"),
    [("M", 1234.5), ("B", 1.2345), ("G", 1.2345), ("", 1.2345e9)],
    ids=["mega", "billion", "giga", "one"],
)
def test_counts_are_in_the_unit_of_their_column(unit: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {"signatures": {"macs.published": "s"}, "sources": "x", "libraries": {}}
    monkeypatch.setattr("adcbench.cost.counts.cached_count", lambda network: payload)
    monkeypatch.setattr("adcbench.cost.counts.quantity", lambda found, name: (("unet", 1_234_500_000),))
    monkeypatch.setattr("adcbench.cost.readings.readings", lambda found, own: {})
    table = Table("own", "", "", "ours", "", ("Row",), columns(COMPLEXITY, COSTS, ("MACs",), {"MACs": unit}))
    ((_, found),) = Count("Row", "adcsr", {"MACs": "macs.published"}).run(table, QUIET)
    assert isinstance(found, Measurement) and found.value == value


def test_a_unit_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("own", "", "", "ours", "", ("Row",), columns(COMPLEXITY, COSTS, ("MACs",), {"MACs": "GB"}))
    with pytest.raises(AdcbenchError, match=r"own: column MACs has unit 'GB'\. Units: M, B, G"):
        unit_of(table, "MACs")


def test_a_missing_metric_blocks_its_own_cell_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    job = Infer("Row", "embedded", "bicubic", scores(IMAGE, "LPIPS", "PSNR"))
    found = {key.metric: value for key, value in job.run(_table("embedded", "PSNR", "LPIPS"), QUIET)}
    assert isinstance(found["PSNR"], Measurement)
    assert isinstance(found["LPIPS"], Blocked)
    assert found["LPIPS"].command == "adcbench weights fetch lpips"


def test_a_metric_over_a_set_does_without_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(find_metric("fid")), "check_here", lambda self: None)
    job = Infer("Row", "embedded", "bicubic", scores(IMAGE, "FID", "PSNR"))
    found = {key.metric: value for key, value in job.run(_table("embedded", "PSNR", "FID"), replace(QUIET, sample=2))}
    assert isinstance(found["PSNR"], Measurement)
    assert "fid of the whole set" in str(found["FID"])


@pytest.fixture
def udm10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """UDM10 with two clips of three frames, of which two frames and 16x16 pixels are scored."""
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    small = replace(TESTSETS["UDM10"], size=2, part=Part(frames=2, crop=16))
    monkeypatch.setitem(TESTSETS, "UDM10", small)
    draw = np.random.default_rng(0)
    for clip in ("000", "001"):
        for frame in range(3):
            hr = draw.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            write_png(tmp_path / "udm10" / "HR" / clip / f"{frame:04d}.png", hr)
            write_png(tmp_path / "out" / clip / f"{frame:04d}.png", hr if clip == "000" else 255 - hr)
    fetch(find_testset("UDM10"), progress=False)
    return tmp_path / "out"


def test_clips_of_the_user_become_a_row(udm10: Path) -> None:
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr:RGB_NOT_Y", "E_warp": "ewarp:EVALCRAFTER"})
    found = {key.metric: value for key, value in job.run(_table("UDM10", "PSNR", "E_warp"), QUIET)}
    measured = found["PSNR"]
    assert isinstance(measured, Measurement)
    assert dict(measured.samples)["000"] == pytest.approx(80)
    assert dict(measured.samples)["001"] < 20
    assert "first 2 frames, centre crop 16x16" in measured.signature
    assert isinstance(found["E_warp"], Blocked)  # RAFT's weights


def test_a_metric_that_can_score_nothing_blocks_its_own_cell_only(udm10: Path) -> None:
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr", "MS-SSIM": "ms-ssim"})
    found = {key.metric: value for key, value in job.run(_table("UDM10", "PSNR", "MS-SSIM"), QUIET)}
    assert isinstance(found["PSNR"], Measurement)
    assert isinstance(found["MS-SSIM"], Blocked)
    assert "ms-ssim could score none of 2 samples: 000: frame 1: MS-SSIM needs" in found["MS-SSIM"].missing


def test_a_missing_clip_is_named(udm10: Path) -> None:
    (udm10 / "001").rename(udm10 / "002")
    with pytest.raises(AdcbenchError, match=r"001.*002|002.*001"):
        Score("Row", "UDM10", str(udm10), {"PSNR": "psnr"}).run(_table("UDM10", "PSNR"), QUIET)


def test_a_clip_that_can_not_be_scored_marks_the_cell(udm10: Path) -> None:
    (udm10 / "001" / "0001.png").unlink()
    (_, measured), *_ = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr"}).run(_table("UDM10", "PSNR"), QUIET)
    assert isinstance(measured, Measurement)
    assert measured.unscored == ("001",)
    assert "1 of 2 unscored: 001" in measured.not_comparable
