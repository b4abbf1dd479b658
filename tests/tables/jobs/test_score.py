"""Outputs that a user brings become a row, of images or of clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_photographs import photographs

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media import Part, Sample
from adcbench.metrics.metric import Metric
from adcbench.tables import Column, Context, Protocol, Score, ScoreClips, Table


def _table(*metrics: str) -> Table:
    return Table("own", "", "", "ours", "", ("Row",), tuple(Column("UDM10", metric) for metric in metrics))


def test_clips_of_the_user_become_a_row(udm10: Path) -> None:
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr:RGB_NOT_Y", "E_warp": "ewarp:EVALCRAFTER"})
    found = {key.metric: value for key, value in job.run(_table("PSNR", "E_warp"), Context(progress=False))}
    measured = found["PSNR"]
    assert isinstance(measured, Measurement)
    assert dict(measured.samples)["000"] == pytest.approx(80)
    assert dict(measured.samples)["001"] < 20
    assert "first 2 frames, centre crop 16x16" in measured.signature
    assert isinstance(found["E_warp"], Blocked)  # RAFT's weights


def test_a_metric_that_can_score_nothing_blocks_its_own_cell_only(udm10: Path) -> None:
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr", "MS-SSIM": "ms-ssim"})
    found = {key.metric: value for key, value in job.run(_table("PSNR", "MS-SSIM"), Context(progress=False))}
    assert isinstance(found["PSNR"], Measurement)
    assert isinstance(found["MS-SSIM"], Blocked)
    assert "ms-ssim could score none of 2 samples: 000: frame 1: MS-SSIM needs" in found["MS-SSIM"].missing


def test_a_missing_clip_is_named(udm10: Path) -> None:
    (udm10 / "001").rename(udm10 / "002")
    with pytest.raises(AdcbenchError, match=r"001.*002|002.*001"):
        Score("Row", "UDM10", str(udm10), {"PSNR": "psnr"}).run(_table("PSNR"), Context(progress=False))


def test_a_clip_that_can_not_be_scored_marks_the_cell(udm10: Path) -> None:
    (udm10 / "001" / "0001.png").unlink()
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr"})
    (_, measured), *_ = job.run(_table("PSNR"), Context(progress=False))
    assert isinstance(measured, Measurement)
    assert measured.unscored == ("001",)
    assert "1 of 2 unscored: 001" in measured.not_comparable


def test_clips_under_a_protocol_of_their_own(udm10: Path) -> None:
    """Another part than the test set's, and one mean over the frames of all clips."""
    whole = ScoreClips("Row", "UDM10", str(udm10), {"PSNR": "psnr"}, protocol=Protocol(Part(border=2), "frames"))
    one = ScoreClips("Row", "UDM10", str(udm10), {"PSNR": "psnr"}, "001", Protocol(Part(border=2)))
    found, single = (dict(job.run(_table("PSNR"), Context(progress=False))).popitem()[1] for job in (whole, one))
    assert isinstance(found, Measurement) and isinstance(single, Measurement)
    assert (found.reduce, found.n, len(found.provenance["interval"])) == ("set", 6, 2)  # all three frames of both
    assert "mean over the frames of all clips | border of 2 pixels left out" in found.signature
    assert [name for name, _ in single.samples] == ["001"]
    assert found.value == pytest.approx((80 + single.value) / 2)
    assert whole.redo is None and Score.redo  # drift scores no whole set of clips


def test_a_figure_prints_single_images(udm10: Path) -> None:
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr:RGB_NOT_Y"}, only="000")
    ((_, measured),) = job.run(_table("PSNR"), Context(progress=False))
    assert isinstance(measured, Measurement) and [name for name, _ in measured.samples] == ["000"]
    with pytest.raises(AdcbenchError, match=r"UDM10 has no sample '0'. There are: 000, 001"):
        Score("Row", "UDM10", str(udm10), {"PSNR": "psnr"}, only="0").run(_table("PSNR"), Context(progress=False))


def test_a_set_without_hr_is_scored_by_what_looks_at_the_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photographs(tmp_path, monkeypatch)
    table = Table("own", "", "", "ours", "", ("Row",), tuple(Column("Photographs", m) for m in ("NIQE", "PSNR")))
    found = Score("Row", "Photographs", "Net", {"NIQE": "niqe"}).run(table, Context(progress=False))
    assert all(isinstance(one, Measurement) and dict(one.samples).keys() == {"a", "b"} for _, one in found)
    with pytest.raises(AdcbenchError, match="column PSNR: psnr compares with HR, and Photographs has none"):
        Score("Row", "Photographs", "Net", {"NIQE": "niqe", "PSNR": "psnr"}).run(table, Context(progress=False))


def test_drift_scores_networks_on_a_sample_and_plain_metrics_on_all(
    udm10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[str]] = {}

    def scored(keys: Any, metrics: dict[str, Metric], samples: list[Sample], *_: Any) -> Iterator[Any]:
        seen.update({key: [name for name, *_ in samples] for key in metrics})
        return iter(())

    monkeypatch.setattr("adcbench.tables.jobs.score.scored", scored)
    monkeypatch.setattr(Metric, "check_here", lambda metric: None)
    job = Score("Row", "UDM10", str(udm10), {"PSNR": "psnr", "LPIPS": "lpips", "FID": "fid"})
    blocked = dict(job.run(_table("PSNR", "LPIPS", "FID"), Context(progress=False, sample=1)))
    assert seen == {"PSNR": ["000", "001"], "LPIPS": ["000"]}
    assert [key.metric for key in blocked] == ["FID"]  # a number over the whole set
    assert [job.sampled(metric) for metric in job.fills] == [False, True, True]
    assert job.tolerance("PSNR") < job.tolerance("LPIPS")  # float32
    seen.clear()
    list(job.run(_table("PSNR", "LPIPS", "FID"), Context(progress=False)))
    assert seen == {key: ["000", "001"] for key in ("PSNR", "LPIPS", "FID")}
