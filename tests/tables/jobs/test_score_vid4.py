"""DUF-52L's released outputs on Vid4 against what others printed: one clip scored again, all others by the cells."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.cells import Measurement
from adcbench.data.test_sets.registry import find_test_set, open_test_set
from adcbench.report.files import read_cells
from adcbench.results.causes import all_causes, effects
from adcbench.results.verdicts import verdict_of
from adcbench.tables import Context, Score
from adcbench.tables.loading import load_table

ID = "related/vid4"
UNFETCHED = "Vid4: 217 MB, `adcbench fetch vid4`"
CELLS = {cell.key.metric: cell for cell in read_cells(ID)}


@pytest.fixture(scope="module")
def vid4() -> Path:
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "vid4"
    if os.environ.get("ADCBENCH_DATA") and folder.is_dir():
        return folder
    pytest.skip("ADCBENCH_DATA has no vid4 folder: run `adcbench fetch vid4` and set ADCBENCH_DATA")


def test_what_is_printed_is_matched_in_every_digit() -> None:
    printed = {name: cell for name, cell in CELLS.items() if cell.published}
    assert len(printed) == 14
    assert {name: verdict_of(cell).word for name, cell in printed.items()} == dict.fromkeys(printed, "match")
    primary = [name for name, cell in printed.items() if cell.published and cell.published.kind == "primary"]
    assert primary == ["PSNR", "SSIM", "PSNR (RGB)", "SSIM (RGB)"]


def test_tof_of_every_clip() -> None:
    """Measured by others with the same settings, times 10 (facts of 30 November 2026)."""
    for clip, value in {"calendar": 1.134, "city": 1.724, "foliage": 1.356, "walk": 2.127}.items():
        measured = CELLS[f"tOF ({clip})"].measured
        assert measured and 10 * measured.value == pytest.approx(value, abs=5e-4)


def test_every_wrong_setting_of_clips_moves_the_print() -> None:
    """Each alone takes at least one printed number out of its digits."""
    table, cells = load_table("causes_video"), read_cells("causes_video")
    assert {*table.rows[1:]} <= all_causes().keys()
    tolerance = {"PSNR": 0.005, "SSIM": 0.00005, "tOF": 0.00005}
    moved = dict.fromkeys(table.rows[1:], 0.0)
    for metric, half in tolerance.items():
        for cause, delta in effects(cells, metric, "Vid4"):
            moved[cause] = max(moved[cause], abs(delta) / half)
    assert min(moved.values()) > 1, moved


@pytest.mark.golden(unfetched=UNFETCHED)
def test_the_pack_stands_for_the_fetched_frames(vid4: Path) -> None:
    opened = open_test_set("Vid4")
    assert [sample.name for sample in opened.samples("DUF-52L")] == ["calendar", "city", "foliage", "walk"]
    assert opened.folders["HR"] == (vid4 / "GT").resolve()  # ADCBENCH_DATA may be reached by a link
    assert (
        find_test_set("Vid4").repository
        and opened.manifest_hash[:16] == CELLS["PSNR"].measurements[0].provenance["data"]
    )


@pytest.mark.golden(unfetched=UNFETCHED)
@pytest.mark.usefixtures("vid4")
def test_one_clip_scored_again() -> None:
    """PSNR as EDVR prints it, and tOF; drift has SSIM too, which takes longer."""
    table = load_table(ID)
    jobs = [job for job in table.jobs if isinstance(job, Score) and job.only == "city"]
    quick = [replace(job, metrics={k: v for k, v in job.metrics.items() if "SSIM" not in k}) for job in jobs]
    found = {key.metric: value for job in quick for key, value in job.run(table, Context(progress=False))}
    assert found.keys() == {"PSNR (city)", "tOF (city)"}
    assert [job.row for job in table.jobs if job.redo] == ["DUF-52L"]
    for name, value in found.items():
        committed = CELLS[name].measured
        assert isinstance(value, Measurement) and committed
        assert value.value == pytest.approx(committed.value, rel=1e-7)
        assert value.signature == committed.signature
