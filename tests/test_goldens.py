"""Where CI says so a skipped golden test has failed, and what the golden tests need is fetched there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import goldens
import pytest
import yaml

from adcbench.data.test_sets.registry import find_test_set

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[1]
CASES = """
import pytest

@pytest.mark.golden
def test_log():
    pytest.skip("ADCBENCH_DATA has no drealsr folder")

@pytest.mark.golden
def test_fixture(missing):
    pass

@pytest.fixture
def missing():
    pytest.skip("nothing here")

@pytest.mark.golden(unfetched="a checkpoint")
def test_checkpoint():
    pytest.skip("no checkpoint")

def test_plain():
    pytest.skip("nothing golden")
"""


@pytest.mark.parametrize(("where", "failed"), [("", 0), ("1", 2), ("all", 3)])
def test_a_skipped_golden_fails_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, where: str, failed: int
) -> None:
    monkeypatch.setenv("ADCBENCH_CI", where)
    pytester.makepyfile(CASES)
    ran = pytester.inline_run("-p", "no:cacheprovider", plugins=[goldens])
    assert [len(reports) for reports in ran.listoutcomes()] == [0, 4 - failed, failed]
    assert all(f"ADCBENCH_CI={where}: Skipped: " in report.longrepr for report in ran.getfailures())


def steps(workflow: str, job: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """Environment, commands and cached folders of a public workflow's job."""
    content = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text())
    found = content["jobs"][job]
    cached = [step["with"]["path"] for step in found["steps"] if step.get("uses", "").startswith("actions/cache@")]
    return found["env"], [step["run"] for step in found["steps"] if "run" in step], cached


@pytest.mark.parametrize(
    ("workflow", "job", "mode"), [("ci.yml", "ci", "1"), ("drift.yml", "drift", None), ("drift.yml", "logs", "all")]
)
def test_the_public_workflows_fetch_what_the_goldens_need(workflow: str, job: str, mode: str | None) -> None:
    environment, commands, cached = steps(workflow, job)
    assert environment["ADCBENCH_DATA"] == "${{ github.workspace }}/data" and cached == ["data"]
    assert environment.get("ADCBENCH_CI") == mode
    measured = min(commands.index(c) for c in commands if c.startswith(("nox -s tests", "nox -s drift")))
    for name in goldens.FETCHED:
        assert find_test_set(name).repository  # a command can
        assert f"nox -s fetch -- {name}" in commands[:measured]


def test_the_weekly_workflow_fetches_the_checkpoints_of_every_log() -> None:
    _, commands, _ = steps("drift.yml", "logs")
    fetched = next(c.split("fetch --yes ")[1].split() for c in commands if "weights fetch" in c)
    assert fetched == ["lpips", "dists", "fid", "musiq", "clipiqa", "maniqa-pipal"]
    assert commands[-1] == "nox -s tests -- -m golden tests/metrics"


def test_ci_says_that_it_is_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "export ADCBENCH_CI=1 ADCBENCH_DATA=" in script
