"""All metrics by name: found in their files, and a user's own by an entry point or by its module."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import PACKAGE
from adcbench.data.media import pair
from adcbench.data.media.images import write_png
from adcbench.metrics import METRICS, find_metric, find_metrics, registry
from adcbench.metrics.engine.scoring import score

OWN = """
from adcbench.metrics.metric import Facts, Metric

def brightness(sr):
    "Mean level, 0 to 255."
    return float(sr.mean())

METRICS = (Metric("brightness", function=brightness, takes="image", facts=Facts(0, 255), notes="colour=rgb crop=0"),)
METRIC, NOTHING = METRICS[0], 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a user's own with a metric."""
    (tmp_path / "My_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "My_metrics", raising=False)
    return "My_metrics:METRIC"


def test_a_users_own_metric_scores_images_by_the_name_of_its_module(own: str, tmp_path: Path) -> None:
    for side in ("sr", "hr"):
        write_png(tmp_path / side / "grey.png", np.full((4, 4, 3), 7, np.uint8))
    (metric,) = find_metrics(own)
    scored = score(pair(tmp_path / "sr", tmp_path / "hr"), [metric], progress=False)
    assert scored.scores["brightness"] == (("grey", 7.0),)


def test_a_users_own_metric_comes_by_an_entry_point(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("brightness", own, registry.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: [point] if group == registry.GROUP else [])
    assert find_metric("brightness").name == "brightness"
    assert [metric.name for metric in find_metrics("psnr,brightness")] == ["psnr", "brightness"]
    with pytest.raises(AdcbenchError, match=r"unknown metric 'bright'.*brightness.*psnr.*package\.module:metric"):
        find_metric("bright")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.at_all:METRIC", "cannot load nowhere.at_all:METRIC: ModuleNotFoundError"),
        ("My_metrics:MISSING", "cannot load My_metrics:MISSING: AttributeError"),
        ("My_metrics:NOTHING", "is a int, not an adcbench Metric"),
        ("psnr:NO", "Variants of psnr: psnr:RGB_NOT_Y"),
        ("maniqa", "several checkpoints"),
        (" ,", "names no metric"),
    ],
)
@pytest.mark.usefixtures("own")
def test_what_is_no_metric_is_said(name: str, why: str) -> None:
    with pytest.raises(AdcbenchError, match=why):
        find_metrics(name)


def test_a_metric_is_one_file_that_nothing_else_knows(tmp_path: Path) -> None:
    """A copy of the package with one more file has one more metric."""
    copy = tmp_path / "adcbench"
    copy.mkdir()
    for path in PACKAGE.iterdir():
        if path.name != "metrics":
            (copy / path.name).symlink_to(path)
    for path in (PACKAGE / "metrics").rglob("*.py"):
        target = copy / "metrics" / path.relative_to(PACKAGE / "metrics")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (copy / "metrics" / "image" / "brightness.py").write_text(OWN)
    code = "from adcbench.metrics import METRICS, find_metric; print(find_metric('brightness').signature, len(METRICS))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": ""}, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.startswith("brightness | colour=rgb crop=0 | range=0-255 uint8 | adcbench ")
    assert done.stdout.endswith(f" {len(METRICS) + 1}\n")


def test_which_way_is_better() -> None:
    from adcbench.metrics import METRICS

    lower = {name for name, metric in METRICS.items() if not metric.higher_is_better}
    assert lower >= {"lpips", "lpips-vgg", "dists", "fid", "niqe"}
    assert lower.isdisjoint({"psnr", "ssim", "ms-ssim", "musiq", "clipiqa", "maniqa-pipal"})
