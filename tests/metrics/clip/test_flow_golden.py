"""Optical flows against known ones: three pairs of SPyNet's samples, each with its true flow."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adcbench.metrics.clip.flow import FLOWS

UNFETCHED = "SPyNet's samples and raft-small.pth"
pytestmark = pytest.mark.golden(unfetched=UNFETCHED)
# End-point errors in pixels on the three pairs, measured by others before there was this code (30 November 2026)
NO_MOTION = (4.31, 2.11, 4.77)
KNOWN = {
    "dis": (2.70, 0.64, 3.02),
    "raft-small": (1.13, 0.55, 1.49),
    "raft-small:SCALED_TWICE": (3.40, 0.59, 4.18),
}


@pytest.fixture(scope="module")
def pairs() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(first frame, second frame, flow) of each pair: (h, w, 3) float64 RGB in [0, 1] twice, (h, w, 2) float32."""
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "flow_pairs"
    if not os.environ.get("ADCBENCH_DATA") or not folder.is_dir():
        pytest.skip("ADCBENCH_DATA has no flow_pairs folder (anuragranj/spynet, samples)")
    return [
        (*(_frame(folder / f"{number:05}_img{i}.ppm") for i in (1, 2)), _flow(folder / f"{number:05}_flow.flo"))
        for number in (1, 2, 3)
    ]


def _frame(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")) / 255


def _flow(path: Path) -> np.ndarray:
    """A Middlebury file: a tag, width, height, then x and y of each pixel."""
    data = path.read_bytes()
    tag, (width, height) = np.frombuffer(data[:4], "<f4")[0], np.frombuffer(data[4:12], "<i4")
    assert tag == np.float32(202021.25)
    return np.frombuffer(data[12:], "<f4").reshape(height, width, 2)


def _errors(name: str, pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[float]:
    source = FLOWS[name]
    source.check_here()
    flow = source.build(source.find_weights(), "cpu")
    return [float(np.linalg.norm(flow(now, then)[0] - true, axis=2).mean()) for now, then, true in pairs]


def test_what_no_motion_would_be_off_by(pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    assert [float(np.linalg.norm(true, axis=2).mean()) for *_, true in pairs] == pytest.approx(NO_MOTION, abs=0.005)


@pytest.mark.parametrize("name", KNOWN)
def test_end_point_errors(name: str, pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    found = _errors(name, pairs)
    assert found == pytest.approx(KNOWN[name], abs=0.01)
    assert all(error < still for error, still in zip(found, NO_MOTION, strict=True))
