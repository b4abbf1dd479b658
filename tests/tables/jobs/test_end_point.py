"""End-point errors: of a made-up pair, and of our flows on pairs whose flow is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.metrics.clip.flow import FLOWS, constant
from adcbench.report.files import read_cells
from adcbench.tables import Context
from adcbench.tables.jobs.end_point import end_point_error, read_flow
from adcbench.tables.loading import load_table

UNFETCHED = "SPyNet's samples and raft-small.pth"
# In pixels on the three pairs, measured by others before there was this code (30 November 2026)
KNOWN = {
    "No motion": (4.31, 2.11, 4.77),
    "DIS (OpenCV), the default": (2.70, 0.64, 3.02),
    "as published": (1.13, 0.55, 1.49),
    "SCALED_TWICE": (3.40, 0.59, 4.18),
}


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Two frames of 4x3 pixels that move by (3, 4) everywhere: the file of their flow."""
    for part in ("img1", "img2"):
        (tmp_path / f"a_{part}.ppm").write_bytes(b"P6\n4 3\n255\n" + bytes(36))
    flow = np.full((3, 4, 2), (3, 4), "<f4")
    head = np.float32(202021.25).tobytes() + np.array([4, 3], "<i4").tobytes()
    (tmp_path / "a_flow.flo").write_bytes(head + flow.tobytes())
    return tmp_path / "a_flow.flo"


def test_the_error_is_the_distance_of_the_end_points(pair: Path) -> None:
    assert read_flow(pair).shape == (3, 4, 2)
    assert end_point_error(constant(0, 0), pair) == 5
    assert end_point_error(constant(3, 4), pair) == 0
    assert end_point_error(constant(-3, -4), pair) == 10  # the backward flow
    assert end_point_error(constant(4, 3), pair) == pytest.approx(2**0.5)  # y and x exchanged


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a_flow.flo", b"", "no optical flow"),
        ("a_flow.flo", b"PIEH" + bytes(8), "no optical flow"),
        ("a_img2.ppm", b"P6\n4 3\n255\n", "no binary PPM"),
        ("a_img1.ppm", b"P6\n3 4\n255\n" + bytes(36), "have sizes"),
    ],
)
def test_a_damaged_file_is_named(name: str, data: bytes, why: str, pair: Path) -> None:
    (pair.parent / name).write_bytes(data)
    with pytest.raises(AdcbenchError, match=why):
        end_point_error(constant(0, 0), pair)


def test_committed_errors_are_those_that_others_measured() -> None:
    found = {cell.key.row: cell.measured for cell in read_cells("causes_flow")}
    for row, values in KNOWN.items():
        measured = found[row]
        assert measured and [value for _, value in measured.samples] == pytest.approx(values, abs=0.006)


@pytest.mark.golden(unfetched=UNFETCHED)
def test_no_motion_and_dis_again() -> None:
    folder = _samples()
    table = load_table("causes_flow")
    for job in table.jobs:
        if job.row in ("No motion", "DIS (OpenCV), the default"):
            ((_, found),) = job.run(table, Context(progress=False))
            assert isinstance(found, Measurement)
            assert [value for _, value in found.samples] == pytest.approx(KNOWN[job.row], abs=0.006)
    flow = FLOWS["dis"].build(None, "cpu")
    back = end_point_error(lambda now, then: flow(now, then)[::-1], folder / "00001_flow.flo")
    assert back > KNOWN["No motion"][0]  # reversed, it is worse than none


@pytest.mark.golden(unfetched=UNFETCHED)
@pytest.mark.parametrize(("name", "row"), [("raft-small", "as published"), ("raft-small:SCALED_TWICE", "SCALED_TWICE")])
def test_raft_again_on_one_pair(name: str, row: str) -> None:
    folder = _samples()
    if not (folder.parent / "weights" / "raft-small.pth").is_file():
        pytest.skip("raft-small.pth is not here: adcbench weights fetch raft-small")
    flow = FLOWS[name].build(FLOWS[name].find_weights(), "cpu")
    assert end_point_error(flow, folder / "00001_flow.flo") == pytest.approx(KNOWN[row][0], abs=0.006)


def _samples() -> Path:
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "flow_pairs"
    if not os.environ.get("ADCBENCH_DATA") or not folder.is_dir():
        pytest.skip("ADCBENCH_DATA has no flow_pairs folder: run `adcbench fetch flow_pairs` and set ADCBENCH_DATA")
    return folder
