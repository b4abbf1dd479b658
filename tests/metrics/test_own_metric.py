"""A user's own metric that is broken in any way is one line that names it, and other metrics keep their scores."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Sample
from adcbench.data.media.images import write_png
from adcbench.metrics import find_metric, find_metrics
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.engine.worker import scoring_process

OWN = """
from functools import partial
import numpy as np
from adcbench.metrics.metric import Metric

def times(sr, hr, factor=1):
    return float(sr.mean()) * factor

def fails(sr, hr):
    return {}["nothing"]

def leaves(sr, hr):
    raise SystemExit(3)

def refuses(sr, hr):
    raise ValueError("too dark")

def load(weights, device):
    return lambda sr, hr: np.zeros((len(sr), 3))

def load_nothing(weights, device):
    return None

ONCE, TWICE = (Metric("times", function=partial(times, factor=factor)) for factor in (1, 2))
FAILS, LEAVES, REFUSES = (Metric("own", function=function) for function in (fails, leaves, refuses))
ARRAY = Metric("own", function=lambda sr, hr: np.ones(3))
NONE = Metric("own", function=lambda sr, hr: None)
TEXT = Metric("own", function=lambda sr, hr: "good")
CLIP = Metric("own", function=lambda sr, hr: None, takes="clip pair")
SHAPE, NETWORK = Metric("own", load=load), Metric("network", load=load_nothing)
LIKE_OURS = Metric("psnr", function=times)
NAME, BLANK = Metric(3, function=times), Metric("a b", function=times)
TAKES = Metric("own", function=times, takes="pairs")
FILES = Metric("own", function=times, files="abc")
LIBRARIES = Metric("own", function=times, libraries="numpy")
CALL, BOTH = Metric("own", function=3), Metric("own", function=times, load=load)
BATCH = Metric("own", load=load, batch=0)
LAMBDA = Metric("own", load=lambda weights, device: None)
CLIP_LOAD = Metric("own", load=load, takes="clip")
NO_OVER_SET = Metric("own", load=load, takes="set")
TOOLS = Metric("own", function=times, takes="clip", tools={"flow": 3})
SETTINGS = Metric("own", function=times, settings=[1])
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of a user's own with metrics."""
    (tmp_path / "broken_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_metrics", raising=False)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """An image and its HR."""
    for side in ("sr", "hr"):
        write_png(tmp_path / side / "grey.png", np.full((16, 16, 3), 7, np.uint8))
    return [Sample("grey", tmp_path / "sr" / "grey.png", tmp_path / "hr" / "grey.png")]


def test_metrics_of_one_name_in_one_module_do_not_share_scores(samples: list[Sample]) -> None:
    values = [
        score(samples, [find_metric(f"broken_metrics:{name}")], progress=False).scores["times"][0][1]
        for name in ("ONCE", "TWICE")
    ]
    assert values == [7.0, 14.0]


def test_two_metrics_of_one_name_are_not_scored_together(samples: list[Sample]) -> None:
    with pytest.raises(AdcbenchError, match=r"two metrics are called 'times' \(broken_metrics:ONCE and .*:TWICE\)"):
        score(samples, find_metrics("broken_metrics:ONCE,broken_metrics:TWICE"))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("FAILS", "its function fails with KeyError: 'nothing' (*broken_metrics.py:10)"),
        ("LEAVES", "its function fails with SystemExit: 3 (*broken_metrics.py:13)"),
        ("REFUSES", "too dark"),
        ("ARRAY", "its function gives an array of float64 of shape (3,), not a number"),
        ("NONE", "its function gives a NoneType, not a number"),
        ("TEXT", "its function gives a str, not a number"),
        ("CLIP", "its function gives a NoneType, not a number"),
    ],
)
def test_what_a_function_does_wrong_leaves_other_metrics_their_scores(
    name: str, why: str, samples: list[Sample]
) -> None:
    scored = score(samples, find_metrics(f"broken_metrics:{name},psnr"), progress=False)
    before, _, after = why.partition("*")
    text = dict(scored.unscored["own"])["grey"]
    assert before in text
    assert text.endswith(after)
    assert scored.of("psnr") == 1


def test_what_a_network_does_wrong_is_said() -> None:
    image = np.zeros((2, 16, 16, 3), np.uint8)
    shape, network = find_metric("broken_metrics:SHAPE"), find_metric("broken_metrics:NETWORK")
    with scoring_process([shape, network]) as submit:
        values = submit([shape], image, image).result()
        with pytest.raises(AdcbenchError, match=r"its load gives a NoneType, which can't be called"):
            submit([network], image, image).result()
    assert values["own"] == ["metric 'broken_metrics:SHAPE': its load's network gives an array of float64 of shape "
                             "(1, 3) for 1 images, not 1 numbers"] * 2  # fmt: skip


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("LIKE_OURS", "is called 'psnr', as one of ours"),
        ("NAME", "its name is 3, not a word"),
        ("BLANK", "its name is 'a b', not a word"),
        ("TAKES", "it takes 'pairs', not one of image, pair"),
        ("FILES", "its files are 'abc', not a tuple of WeightFile"),
        ("LIBRARIES", "its libraries are 'numpy', not a tuple of str"),
        ("CALL", "its function is 3, which can't be called"),
        ("BOTH", "keep one"),
        ("BATCH", "its batch is 0, not a whole number from 1"),
        ("LAMBDA", "must be functions that a module defines by name"),
        ("CLIP_LOAD", "a metric of clips needs a function"),
        ("NO_OVER_SET", "an over_set"),
        ("TOOLS", "its tool 3 is no"),
        ("SETTINGS", r"its settings are \[1\], not a mapping"),
    ],
)
def test_fields_that_nothing_could_work_with_are_said(name: str, why: str) -> None:
    with pytest.raises(AdcbenchError, match=rf"metric 'broken_metrics:{name}': .*{why}"):
        find_metric(f"broken_metrics:{name}")
