"""Outputs scored for the cells of a row: what is measured, what blocks, what the provenance says."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_photographs import photographs

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.errors import Blocked
from adcbench.core.keys import short, source_hash
from adcbench.metrics import find_metric
from adcbench.tables import Context
from adcbench.tables.jobs.scored import MadeBy, metric_modules, metrics_here, scored

QUIET = Context(progress=False)
LIBRARIES = {"somewhere": "1"}
BY = MadeBy(
    "scores", "full", "cuda:A100", "float16", {"libraries": LIBRARIES, "sources": "abc"}, {"PSNR": "suspected X"}
)


def measured(names: dict[str, str], made_by: MadeBy, outputs: Path) -> dict[str, Measurement | Blocked]:
    opened = QUIET.open("UDM10")
    here, blocked = metrics_here(names, opened, 0)
    keys = {column: CellKey("own", "Row", "UDM10", column) for column in names}
    outcomes = {k.metric: v for k, v in scored(keys, here, opened.samples(str(outputs)), opened, made_by, QUIET)}
    return {**blocked, **outcomes}


def test_a_measurement_says_what_made_the_outputs_and_what_scored_them(udm10: Path) -> None:
    psnr = measured({"PSNR": "psnr"}, BY, udm10)["PSNR"]
    assert isinstance(psnr, Measurement)
    assert (psnr.device, psnr.dtype, psnr.level, psnr.scale) == ("cuda:A100", "float16", "scores", "full")
    assert psnr.cause == "suspected X" and psnr.reduce == "mean"
    assert [name for name, _ in psnr.samples] == ["000", "001"]
    assert psnr.provenance["libraries"] == {**LIBRARIES, "numpy": psnr.provenance["libraries"]["numpy"]}
    assert psnr.provenance["sources"] == short([source_hash(*metric_modules("psnr")), "abc"])


def test_without_a_dtype_it_is_that_of_the_scoring(udm10: Path) -> None:
    psnr = measured({"PSNR": "psnr"}, MadeBy("scores", "full", "cuda:A100"), udm10)["PSNR"]
    assert isinstance(psnr, Measurement)
    assert (psnr.device, psnr.dtype, psnr.cause) == ("cpu", "float64", "")  # PSNR runs nowhere else


def test_a_sample_that_is_lost_makes_the_mean_incomparable(udm10: Path) -> None:
    (udm10 / "001" / "0000.png").write_bytes(b"no image")
    psnr = measured({"PSNR": "psnr"}, BY, udm10)["PSNR"]
    assert isinstance(psnr, Measurement)
    assert psnr.unscored == ("001",) and psnr.not_comparable == "1 of 2 unscored: 001"


def test_a_metric_that_scores_nothing_blocks_its_cell(udm10: Path) -> None:
    outcomes = measured({"PSNR": "psnr", "MS-SSIM": "ms-ssim"}, BY, udm10)
    assert isinstance(outcomes["PSNR"], Measurement)
    block = outcomes["MS-SSIM"]
    assert isinstance(block, Blocked) and block.missing.startswith("ms-ssim could score none of 2 samples: 000: ")


def test_no_metric_scores_nothing(udm10: Path) -> None:
    assert measured({}, BY, udm10) == {}


def test_what_is_not_here_blocks_its_column_alone(udm10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(udm10 / "none"))
    here, blocked = metrics_here({"PSNR": "psnr", "FID": "fid"}, QUIET.open("UDM10"), 0)
    assert here == {"PSNR": find_metric("psnr")}
    assert blocked["FID"].command == "adcbench weights fetch fid"


def test_without_hr_metrics_are_those_without_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = QUIET.open(photographs(tmp_path, monkeypatch).name)
    here, blocked = metrics_here({"NIQE": "niqe"}, opened, 0)
    assert here["NIQE"].name == "niqe" and not blocked
