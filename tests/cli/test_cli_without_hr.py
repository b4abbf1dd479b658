"""Commands on a test set without HR: what looks at the output alone is scored, what compares with HR is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run
from toy_photographs import photographs

from adcbench.cli.scoring import metrics_for
from adcbench.core.errors import AdcbenchError
from adcbench.data.test_sets.registry import find_test_set

SAYS = "compares with HR, and Photographs has none; name metrics that look at the output alone, such as --metrics niqe"


@pytest.fixture(autouse=True)
def _photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "--system", "bicubic", "--metrics", "niqe,psnr"),
        ("compare", "bicubic", "Net", "--metrics", "psnr,niqe"),
    ],
)
def test_a_metric_that_needs_hr_is_refused_before_anything_runs(arguments: tuple[str, ...]) -> None:
    found = run(*arguments, "--testset", "photographs_here").exception
    assert isinstance(found, AdcbenchError) and str(found) == f"psnr: {SAYS}"
    found = run("spread", "Net", "photographs_here", "--level", "scores", "--metrics", "LPIPS,NIQE").exception
    assert isinstance(found, AdcbenchError) and str(found) == f"lpips: {SAYS}"


def test_the_others_are_scored() -> None:
    evaluated = run("evaluate", "--system", "bicubic", "--testset", "photographs_here", "--metrics", "niqe")
    assert evaluated.exit_code == 0 and "niqe" in evaluated.output and "(n=2" in evaluated.output


def test_what_is_not_named_is_left_out() -> None:
    with pytest.raises(AdcbenchError, match=r"^psnr, fid: compares with HR, and Photographs has none"):
        metrics_for(find_test_set("photographs_here"), "psnr,niqe,fid")
    found = metrics_for(find_test_set("photographs_here"), "", ("psnr", "niqe", "fid", "musiq"))
    assert [metric.name for metric in found] == ["niqe", "musiq"]
    assert [metric.name for metric in metrics_for(find_test_set("embedded"), "", ("psnr", "niqe"))] == ["psnr", "niqe"]
