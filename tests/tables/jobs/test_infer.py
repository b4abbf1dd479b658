"""Run a system over a test set: what one missing metric blocks, and clips frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core.cells import Measurement
from adcbench.core.errors import Blocked
from adcbench.metrics import find_metric
from adcbench.tables import Column, Context, Infer, Table


def _table(test_set: str, *metrics: str) -> Table:
    return Table("own", "", "", "ours", "", ("Row",), tuple(Column(test_set, metric) for metric in metrics))


def test_a_missing_metric_blocks_its_own_cell_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    job = Infer("Row", "embedded", "bicubic", {"LPIPS": "lpips", "PSNR": "psnr"})
    found = {k.metric: value for k, value in job.run(_table("embedded", "PSNR", "LPIPS"), Context(progress=False))}
    assert isinstance(found["PSNR"], Measurement)
    assert isinstance(found["LPIPS"], Blocked)
    assert found["LPIPS"].command == "adcbench weights fetch lpips"


def test_a_metric_over_a_set_does_without_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(find_metric("fid")), "check_here", lambda self: None)
    job = Infer("Row", "embedded", "bicubic", {"FID": "fid", "PSNR": "psnr"})
    context = Context(progress=False, sample=2)
    found = {key.metric: value for key, value in job.run(_table("embedded", "PSNR", "FID"), context)}
    assert isinstance(found["PSNR"], Measurement) and found["PSNR"].n == 2
    assert "fid of the whole set" in str(found["FID"])


def test_an_image_system_runs_over_clips_frame_by_frame(udm10: Path) -> None:
    """AdcSR, which upscales images, fills the cells of a video table."""
    job = Infer("Row", "UDM10", "adcsr-mini", {"PSNR": "psnr:RGB_NOT_Y", "SSIM": "ssim:RGB_NOT_Y"})
    found = {key.metric: value for key, value in job.run(_table("UDM10", "PSNR", "SSIM"), Context(progress=False))}
    for measured in found.values():
        assert isinstance(measured, Measurement)
        assert [name for name, _ in measured.samples] == ["000", "001"]
        assert (measured.level, measured.scale) == ("inference", "mini")
        assert "first 2 frames, centre crop 16x16" in measured.signature


def test_niqe_of_a_network_s_output_may_move_further() -> None:
    job = Infer("Row", "embedded", "bicubic", {"NIQE": "niqe", "PSNR": "psnr"})
    assert job.tolerance("NIQE") > job.tolerance("PSNR") == 1e-4
