"""How a comparison is told: the answer, its lines, and what too few images can't show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.registry import open_test_set
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import Scored
from adcbench.metrics.metric import Metric, SetScore
from adcbench.report.comparison import answer, comparison_text, set_line
from adcbench.results.compare import Comparison, Outputs, compare_scores
from adcbench.results.significance import too_few

EMBEDDED = open_test_set("embedded")
PSNR, NIQE = METRICS["psnr"], METRICS["niqe"]


def scored(metric: Metric, values: list[float], **more: object) -> Scored:
    return Scored({metric.name: tuple((f"image {i}", value) for i, value in enumerate(values))}, **more)  # type: ignore[arg-type]


def comparison(a: Scored, b: Scored, *metrics: Metric) -> Comparison:
    sides = (Outputs("ours", "folder", ()), Outputs("theirs", "folder", ()))
    return Comparison(*sides, "DRealSR", 93, tuple(compare_scores(metrics, a, b)), (), (), (), (a, b))


def test_answer_says_better_worse_and_not_shown() -> None:
    draw = np.random.default_rng(0)
    base = draw.normal(28, 4, 40)
    a = Scored({"psnr": named(base + 1 + draw.normal(0, 0.1, 40)), "niqe": named(base + 2), "ssim": named(base)})
    b = Scored({"psnr": named(base), "niqe": named(base), "ssim": named(base + draw.normal(0, 1, 40))})
    text = answer(comparison(a, b, PSNR, METRICS["ssim"], NIQE))
    assert text.startswith("On DRealSR, 93 images: ours is better than theirs in PSNR (+1.0")
    assert "and worse in NIQE (+2, 95 % +2 to +2, p " in text
    assert text.endswith("; no difference shown in SSIM.")


def named(values: np.ndarray) -> tuple[tuple[str, float], ...]:
    return tuple((f"image {i}", float(value)) for i, value in enumerate(values))


def test_pairs_are_joined_by_name_and_unscored_images_marked() -> None:
    a = scored(PSNR, [30, 31, 32, 33])
    b = Scored({"psnr": (*reversed(a.scores["psnr"][1:]),)}, unscored={"psnr": (("image 0", "too small"),)})
    (found,) = compare_scores([PSNR], a, b)
    assert (found.paired.n, found.paired.ties, found.lost) == (3, 3, ("image 0",))
    text = comparison_text(replace(comparison(a, b, PSNR), problems=("theirs: image 0: too small",)))
    assert "PSNR (dB) [1 unscored]" in text and "not scored: theirs: image 0: too small" in text
    with pytest.raises(AdcbenchError, match="no sample has a score of both"):
        compare_scores([PSNR], a, Scored({"psnr": (("other", 1.0),)}))


def test_few_images_are_said_to_be_few() -> None:
    text = answer(comparison(scored(PSNR, [30, 31]), scored(PSNR, [20, 21]), PSNR))
    assert text.endswith("no difference shown in PSNR between ours and theirs (too few images: 2, and at least 8 are "
                         "needed).")  # fmt: skip
    assert too_few(7) and not too_few(8) and not too_few(93, 800)
    assert too_few(8, 9) == "too few images: the least p that 8 can give is 0.0078, times 9 tests"


@pytest.mark.parametrize("n", [1, 2, 7])
def test_no_p_value_and_no_interval_is_shown_where_images_are_too_few(n: int) -> None:
    found = comparison(scored(PSNR, [30 + i for i in range(n)]), scored(PSNR, [20.5 + i for i in range(n)]), PSNR)
    text = comparison_text(found)
    row = next(line for line in text.splitlines() if line.startswith("PSNR"))
    assert row.count("too few") == 2 and "no difference shown" in row
    assert " to " in row if n > 1 else " to " not in row
    assert "is better" not in text


def test_a_metric_over_a_set_is_never_tested() -> None:
    fid = METRICS["fid"]
    values = SetScore(130.0, 93, (120.0, 140.0)), SetScore(135.0, 93, (124.0, 146.0))
    assert "one number over a set, no paired test" in set_line(fid, *values)
    line = set_line(fid, values[0], replace(values[1], n=92))
    assert "N=93" in line and "N=92" in line and "not compared, its bias depends on N" in line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HR with a little noise."""
    root, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(0)
    for path in EMBEDDED.folders["HR"].glob("*.png"):
        hr = read_png(path)
        write_png(root / path.name, (hr.astype(int) + draw.integers(-1, 2, hr.shape)).clip(0, 255).astype(np.uint8))
    return root
