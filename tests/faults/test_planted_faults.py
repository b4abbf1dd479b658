"""Every planted fault is caught by the check it names, in at most 10 s, and no check is red by itself.

The checks are existing tests, run in this process; see ``planting``. The table is in ``docs/faults.md``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import FAULTS
from planting import ROOT, Edit, Fault, Outcome, planted, run_check
from report import DOCUMENT, faults_section

LIMIT_S = 10.0  # a check; on a machine that does nothing else it takes a third of it
CHECKS = tuple(dict.fromkeys(fault.check for fault in FAULTS))


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every check without a fault, each run once, when first asked for."""
    return {}


@pytest.mark.parametrize("fault", sorted(FAULTS, key=lambda f: f.check), ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(
    fault: Fault, passed: dict[str, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.check not in passed:
        passed[fault.check] = run_check(fault.check, tmp_path / "without")
    without = passed[fault.check]
    if without.word == "not run" and without.says:
        pytest.skip(without.says)
    assert without.word == "passed", f"{fault.check} is red without a fault: {without.says}"
    with planted(fault, monkeypatch, tmp_path):
        found = run_check(fault.check, tmp_path / "with")
    assert found.word == "failed", f"{fault.check} does not catch {fault.name}: {found.word} {found.says}"
    assert found.seconds <= LIMIT_S, f"{fault.check} takes {found.seconds:.0f} s"


def test_a_fault_that_nobody_catches_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = Fault(
        "harmless", "metrics", Edit("metrics/image/psnr.py", "_EPS = 1e-8", "_EPS = 1.0000001e-8"), CHECKS[0]
    )
    with planted(harmless, monkeypatch, tmp_path):
        assert run_check("results/test_verdicts.py::test_a_second_hand_number_says_so", tmp_path / "t").word == "passed"


def test_the_code_is_as_it_was_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adcbench.metrics.image.psnr import psnr

    fault = Fault("x", "metrics", Edit("metrics/image/psnr.py", "return -10 *", "return -20 *"), "")
    before = psnr.__code__
    with planted(fault, monkeypatch, tmp_path):
        assert psnr.__code__ is not before
    assert psnr.__code__ is before


def test_edits_that_no_longer_fit_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for edit in (
        Edit("metrics/image/psnr.py", "no such line", "x"),
        Edit("metrics/image/psnr.py", "return", "return  "),
    ):
        with pytest.raises(LookupError), planted(Fault("x", "y", edit, ""), monkeypatch, tmp_path):
            pass


def test_a_check_that_does_not_exist_catches_nothing(tmp_path: Path) -> None:
    assert run_check("results/test_verdicts.py::test_nothing", tmp_path / "t").word == "not run"


def test_every_fault_names_code_and_a_test_that_exist() -> None:
    """At once, and for all: what was renamed or deleted, without the minutes that planting takes."""
    gone = []
    for fault in FAULTS:
        if isinstance(fault.plant, Edit):
            source = (ROOT / "adcbench" / fault.plant.file).read_text(encoding="utf-8")
            gone += [str(fault.plant)] * (source.count(fault.plant.old) != 1)
        path, name = fault.check.split("::")
        source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        gone += [fault.check] * (f"def {name.split('[')[0]}(" not in source)
    assert not gone, "put right in tests/faults/faults.csv, then run: python tests/faults/report.py"


def test_there_are_enough_and_the_document_lists_them() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    areas = {fault.area for fault in FAULTS}
    assert {"metrics", "pairing", "degradation", "models", "counting", "timing", "aggregation"} <= areas
    assert faults_section() in DOCUMENT.read_text(encoding="utf-8"), "run: python tests/faults/report.py"
