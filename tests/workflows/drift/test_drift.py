"""Drift: nothing has moved; what moves is named with the input that changed; measuring nothing is a failure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.core.cells import CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import tables_dir
from adcbench.data.testsets.embedded import embedded_pairs
from adcbench.inference.fingerprint import fingerprint
from adcbench.metrics import METRICS
from adcbench.report.files import read_cells
from adcbench.report.sources import add_sources, changed_modules, closure, keep_sources, read_sources
from adcbench.systems import find_system
from adcbench.tables import Count, Fingerprint, Infer, Job
from adcbench.tables.loading import load_table
from adcbench.workflows.drift import committed, goldens, speed
from adcbench.workflows.drift.check import NOTHING_CHANGED, Check, changed_inputs
from adcbench.workflows.drift.committed import check_files, check_jobs
from adcbench.workflows.drift.goldens import check_goldens, compare, nearest, read_golden, write_golden
from adcbench.workflows.drift.values import Golden
from adcbench.workflows.drift.versions import compare_folder, write_report


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One baseline and the student: the others take longer and add nothing here."""
    table, networks, embedded = (load_table(name) for name in ("adcsr/table1", "networks", "embedded"))
    only = {
        "adcsr/table1": [job for job in table.jobs if isinstance(job, Count) and job.system == "adcsr"],
        "networks": [j for j in networks.jobs if isinstance(j, Infer | Fingerprint) and j.row.startswith("AdcSR")],
        "embedded": embedded.jobs[:1],
    }
    tables = {name: replace(load_table(name), jobs=tuple(jobs)) for name, jobs in only.items()}
    monkeypatch.setattr(committed, "load_table", lambda table_id: tables.get(table_id) or load_table(table_id))


RUN_AGAIN = "networks run again"


def _networks(kind: type[Job]) -> Check:
    """The jobs of one kind, of the table of networks."""
    table = committed.load_table("networks")
    of_kind = replace(table, jobs=tuple(job for job in table.jobs if isinstance(job, kind)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(committed, "load_table", lambda table_id: of_kind)
        return check_jobs(RUN_AGAIN, ["networks"])


CHECKS: dict[str, Callable[[], Check]] = {
    "bicubic": lambda: check_jobs(RUN_AGAIN, ["embedded"]),
    "noise": lambda: _networks(Infer),
    "networks": lambda: _networks(Fingerprint),
    "counts": lambda: check_jobs("networks counted again", ["adcsr/table1"]),
    "files": lambda: check_files(["embedded"]),
    "verdicts": lambda: check_files(["adcsr/table1"]),
}


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_has_moved(small: None, check: str) -> None:
    found = CHECKS[check]()
    assert found.passed, str(found)


# What a mistake in a metric or network would move; the networks of metrics are in `adcbench drift`.
VALUES = [
    *(m.name for m in METRICS.values() if m.function and not m.of_clips and ":" not in m.name),
    "lpips",
    "dists",
    "adcsr-mini",
]


@pytest.mark.parametrize("name", VALUES)
def test_no_golden_has_moved(name: str) -> None:
    found = check_goldens("cpu", only=(name,))
    if found.blocked and not found.cells:
        pytest.skip(found.blocked[0])
    assert found.passed, str(found)


def test_a_fingerprint_is_that_of_one_thread() -> None:
    system, lr = find_system("osediff-mini"), embedded_pairs()["chelsea"][0]
    alone = fingerprint(system, lr)
    torch.set_num_threads(2)
    assert fingerprint(system, lr) == pytest.approx(alone, rel=1e-12)
    assert torch.get_num_threads() == 2


def job_of(key: CellKey) -> Job:
    """The job that fills a committed cell."""
    table = load_table(key.table)
    return next(job for job in table.jobs if key in job.keys(table))


@pytest.mark.parametrize(("machine", "move", "seen"), [
    ("", 5e-5, False), ("", 5e-4, True), ("another", 5e-4, False), ("another", 5e-3, True),
])  # fmt: skip
def test_a_fingerprint_may_move_further_on_another_machine(machine: str, move: float, seen: bool) -> None:
    cells = {(cell.key.row, cell.key.metric): cell for cell in read_cells("networks")}
    cell = cells["AdcSR mini", "Fingerprint"]
    old = cell.measured
    assert old and old.provenance["machine"]
    samples = tuple((name, value + move) for name, value in old.samples)
    new = replace(old, samples=samples, provenance=old.provenance | ({"machine": machine} if machine else {}))
    assert bool(committed._moved(cell.key, old, new, job_of(cell.key))) == seen


def test_measuring_nothing_is_a_failure() -> None:
    found = check_jobs("networks counted again", ["embedded"])
    assert found.cells == 0
    assert not found.passed
    assert "NOTHING MEASURED" in str(found)


@pytest.mark.parametrize(
    ("changes", "timed", "says"),
    [
        ((1.1,), 1, "ok"),  # machines differ by tens of percent
        ((3.0, 0.9), 2, "ok"),  # the machine was busy
        ((0.4, 0.4), 2, "MOVED"),
        ((3.0, 2.5), 2, "MOVED"),
    ],
)
def test_a_ratio_of_times_must_move_twice(
    monkeypatch: pytest.MonkeyPatch, changes: tuple[float, ...], timed: int, says: str
) -> None:
    times = {c.key.row: c.measured for c in read_cells("networks") if c.key.metric == "Time"}
    slow, fast = times["OSEDiff mini"], times["AdcSR mini"]
    assert slow and fast
    used = []

    def measure(systems: tuple[str, str], threads: int) -> dict[str, dict[str, dict[str, list[float]]]]:
        seconds = (slow.value * changes[len(used)], fast.value)
        used.append(threads)
        return {"systems": {name: {"seconds": [value] * 5} for name, value in zip(systems, seconds, strict=True)}}

    monkeypatch.setattr(speed, "measure", measure)
    assert f"speed, by ratio: {says}" in str(speed.check_speed())
    assert used == [1] * timed  # as many as the committed times


def test_without_a_gpu_its_check_is_blocked_and_fails() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    result = CliRunner().invoke(cli, ["drift", "--device", "cuda"])
    assert result.exit_code == 1
    assert "goldens on cuda: NOTHING MEASURED" in result.output
    assert "blocked: a CUDA device" in result.output


# ---- which input changed ---------------------------------------------------------------------------


def measured(value: float = 1.0, signature: str = "psnr", **provenance: object) -> Measurement:
    return Measurement("scores", "full", "cpu", "float64", (("a", value),), "mean", signature, provenance)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ({"libraries": {"numpy": "2.3"}}, {"libraries": {"numpy": "2.4"}}, "changed: libraries numpy 2.3 -> 2.4"),
        ({"config": {"a": {"b": 1}}}, {"config": {"a": {"b": 2}}}, "changed: config a b 1 -> 2"),
        ({}, {"weights": {"x.pth": "ab"}}, "changed: weights (none) -> {'x.pth': 'ab'}"),
        ({"data": "x"}, {"data": "y"}, "changed: data x -> y"),
        ({"hardware": "A"}, {"hardware": "B"}, NOTHING_CHANGED),
        ({"config": {"widths": [1, 2]}}, {"config": {"widths": (1, 2)}}, NOTHING_CHANGED),  # JSON has no tuples
    ],
)
def test_the_input_that_changed_is_named(was: dict[str, object], now: dict[str, object], says: str) -> None:
    assert changed_inputs(measured(**was), measured(**now)) == says


def test_only_what_differs_of_a_signature_is_shown() -> None:
    old, new = (measured(signature=f"psnr | colour={c} crop=0 | adcbench") for c in ("rgb", "y-studio"))
    assert changed_inputs(old, new) == "changed: signature colour=rgb -> colour=y-studio"


def test_the_module_that_changed_is_named() -> None:
    old, new = measured(sources="x", signature="a"), measured(sources="y", signature="b")
    before, after = {"m.one": "1", "m.gone": "2"}, {"m.one": "3", "m.new": "4"}
    says = changed_inputs(old, new, before, after)
    assert says == "changed: signature a -> b; sources (m.gone (gone), m.new (new), m.one)"
    assert "can't be named" in changed_inputs(old, new, None, after)


def test_a_moved_cell_says_what_moved_by_how_much_and_why(
    small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = Path(shutil.copytree(tables_dir(), tmp_path / "tables"))
    cells = tables / "embedded" / "cells.jsonl"
    first = json.loads(cells.read_text().splitlines()[0])["provenance"]["sources"]
    add_sources(
        {first: closure("adcbench.metrics.image.psnr", "adcbench.systems.bicubic") | {"adcbench.lost": "0"}}, tables
    )
    cells.write_text(cells.read_text().replace('"numpy": "', '"numpy": "0.'))
    metric = METRICS["psnr"]
    wrong = replace(metric, function=lambda sr, hr, **settings: metric.function(sr // 2, hr, **settings))
    monkeypatch.setattr(type(wrong), "modules", ("adcbench.metrics.image.psnr",))
    monkeypatch.setitem(METRICS, "psnr", wrong)
    monkeypatch.setattr(committed, "closure", lambda *modules: closure("adcbench.metrics.image.psnr"))
    text = str(check_jobs(RUN_AGAIN, ["embedded"], tables))
    assert "MOVED" in text
    assert " / PSNR: astronaut moved from 2" in text and " of it)" in text
    assert "changed: " in text and "libraries numpy 0." in text


def test_sources_are_kept_as_long_as_a_measurement_refers_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adcbench.core.cells import Cell
    from adcbench.report import sources

    cell = Cell(CellKey("t", "r", "s", "m"), "", (), (measured(sources="two"),))
    monkeypatch.setattr(sources, "table_ids", lambda: ("t",))
    monkeypatch.setattr(sources, "read_cells", lambda table_id, root: (cell,))
    add_sources({"one": {"m": "1"}, "two": {"m": "2"}}, tmp_path)
    keep_sources(tmp_path)
    assert read_sources(tmp_path) == {"two": {"m": "2"}}
    assert changed_modules({"m": "1"}, {"m": "2", "n": "3"}) == ["m", "n (new)"]
    assert changed_modules({"m": "1", "lost": "4"}, {"room.m": "1"}) == ["lost (gone)"]  # m was only moved
    assert "adcbench.metrics.image.colour" in closure("adcbench.metrics.image.psnr")


# ---- goldens ---------------------------------------------------------------------------------------


def golden(kind: str = "x86_64-AVX512", torch: str = "2.8", **values: float) -> Golden:
    named = {f"{name} / chelsea": value for name, value in values.items()}
    return Golden(kind, "a machine", {"torch": torch, "pyiqa": "0.1.15"}, {"adcbench.metrics.image.psnr": "1"}, named)


def test_a_machine_is_compared_with_its_own_kind_or_the_nearest(tmp_path: Path) -> None:
    kinds = ("x86_64-AVX512", "x86_64-AVX2", "arm64-DEFAULT", "cuda-9.0-NVIDIA-H100")
    for kind in kinds:
        write_golden(golden(kind), tmp_path / f"{kind}.json")
    for kind in kinds:
        assert nearest(kind, tmp_path) == golden(kind)
    for kind, found in (("x86_64-DEFAULT", "x86_64"), ("cuda-9.0-NVIDIA-H200", "cuda"), ("arm64-SVE", "arm64")):
        assert nearest(kind, tmp_path).kind.startswith(found)  # type: ignore[union-attr]
    assert nearest("x86_64-AVX2", tmp_path / "empty") is None


def test_another_kind_of_machine_is_compared_loosely_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goldens, "kind_of_machine", lambda device: "x86_64-AVX512")
    monkeypatch.setattr(goldens, "measure", lambda device, only: golden(psnr=30.0, lpips=0.5))
    slightly = golden(psnr=30.0, lpips=0.5001)
    write_golden(slightly, tmp_path / "x86_64-AVX512.json")
    found = check_goldens("cpu", tmp_path)
    assert not found.passed
    assert found.moved == ("lpips / chelsea moved from 0.5001 to 0.5 (-0.0001, 2.0e-04 of it); " + NOT_DETERMINISTIC,)
    (tmp_path / "x86_64-AVX512.json").unlink()
    write_golden(replace(slightly, kind="x86_64-AVX2"), tmp_path / "x86_64-AVX2.json")
    found = check_goldens("cpu", tmp_path)
    assert found.passed
    assert "no golden of x86_64-AVX512: compared loosely with x86_64-AVX2" in str(found)


NOT_DETERMINISTIC = "changed: nothing that is known: a result that is not deterministic"


def test_a_value_without_a_golden_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goldens, "kind_of_machine", lambda device: "x86_64-AVX512")
    monkeypatch.setattr(goldens, "measure", lambda device, only: golden(psnr=30.0, ssim=0.9))
    assert not check_goldens("cpu", tmp_path).passed  # no golden at all
    write_golden(golden(psnr=30.0), tmp_path / "x86_64-AVX512.json")
    assert "ssim / chelsea: has no golden" in str(check_goldens("cpu", tmp_path))


def test_damaged_goldens_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(AdcbenchError, match=r"x\.json: damaged: it has no kind, .* adcbench drift --record"):
        read_golden(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("metric", "move", "seen"), [("NIQE", 7e-4, False), ("NIQE", 2e-3, True), ("PSNR", 7e-4, True)]
)
def test_niqe_of_a_network_s_output_may_follow_a_few_grey_levels(metric: str, move: float, seen: bool) -> None:
    cells = {(cell.key.row, cell.key.metric): cell for cell in read_cells("embedded")}
    cell = cells["Student (AdcSR, mini)", metric]
    old = cell.measured
    assert old and old.level == "inference"
    new = replace(old, samples=tuple((name, value * (1 + move)) for name, value in old.samples))
    assert bool(committed._moved(cell.key, old, new, job_of(cell.key))) == seen


def test_library_and_module_are_named_beside_a_moved_value() -> None:
    new = replace(golden(psnr=31.0, torch="2.9"), sources={"adcbench.metrics.image.psnr": "2"})
    assert compare(golden(psnr=30.0), new, goldens.LOOSE) == [
        "psnr / chelsea moved from 30 to 31 (+1, 3.3e-02 of it); "
        "changed: libraries torch 2.8 -> 2.9; sources (adcbench.metrics.image.psnr)"
    ]


# ---- the version matrix ----------------------------------------------------------------------------


def test_the_matrix_says_what_moved_between_which_versions(tmp_path: Path) -> None:
    base, runs = tmp_path / "base", tmp_path / "runs"
    write_golden(golden(psnr=30.0, ssim=0.9), base / "a.json")
    write_golden(golden(psnr=30.0, ssim=0.9, torch="2.6"), runs / "torch-2.6.json")
    (runs / "torch-2.7.blocked").write_text("failed: uv pip install torch==2.7")
    matrix = compare_folder(runs, base)
    assert matrix.passed
    report = write_report(matrix, runs)
    assert "| torch-2.7 | blocked | 0 | failed: uv pip install torch==2.7 |" in report
    assert "Nothing moved." in report
    write_golden(golden(psnr=30.0, ssim=0.8, torch="2.9"), runs / "torch-2.9.json")
    matrix = compare_folder(runs, base)
    assert not matrix.passed
    report = write_report(matrix, runs)
    line = "| ssim / chelsea | torch-2.9 | 0.9 | 0.8 | -0.1 | 1.1e-01 | changed: libraries torch 2.8 -> 2.9 |"
    assert line in report
    assert len((runs / "report.csv").read_text().splitlines()) == 1 + 4


def test_a_value_that_a_version_does_not_give_has_moved_unless_it_is_blocked(tmp_path: Path) -> None:
    base, runs = tmp_path / "base", tmp_path / "runs"
    write_golden(golden(psnr=30.0, musiq=0.9), base / "a.json")
    write_golden(golden(psnr=30.0), runs / "x.json")
    assert not compare_folder(runs, base).passed
    write_golden(replace(golden(psnr=30.0), blocked=("musiq: pyiqa is missing",)), runs / "x.json")
    matrix = compare_folder(runs, base)
    assert matrix.passed and "- x: musiq: pyiqa is missing" in write_report(matrix, runs)


def test_a_matrix_that_measured_nothing_fails(tmp_path: Path) -> None:
    write_golden(golden(psnr=30.0), tmp_path / "base" / "a.json")
    (tmp_path / "runs").mkdir()
    with pytest.raises(AdcbenchError, match="no environment was measured"):
        compare_folder(tmp_path / "runs", tmp_path / "base")
    (tmp_path / "runs" / "x.blocked").write_text("no wheel")
    matrix = compare_folder(tmp_path / "runs", tmp_path / "base")
    assert not matrix.passed
    assert "NOTHING MEASURED" in write_report(matrix, tmp_path / "runs")
