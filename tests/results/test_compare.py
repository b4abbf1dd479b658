"""A against B on the embedded photographs and on scores made for the purpose."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.registry import open_test_set
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import Scored
from adcbench.report.comparison import answer, write_comparison
from adcbench.results.compare import compare_outputs, compare_scores, find_outputs
from adcbench.systems import find_system

EMBEDDED = open_test_set("embedded")
PSNR, NIQE = METRICS["psnr"], METRICS["niqe"]


def named(values: np.ndarray) -> tuple[tuple[str, float], ...]:
    return tuple((f"image {i}", float(value)) for i, value in enumerate(values))


def test_p_values_are_corrected_over_the_metrics() -> None:
    a, b = (Scored({name: named(np.arange(8) + shift) for name in ("psnr", "ssim")}) for shift in (1.0, 0.0))
    alone, both = compare_scores([PSNR], a, b), compare_scores([PSNR, METRICS["ssim"]], a, b)
    assert both[0].wilcoxon_p == 2 * alone[0].wilcoxon_p == 2 / 128
    assert both[0].sign_p == 2 * alone[0].sign_p


def test_metrics_without_weights_are_blocked_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    both = [find_outputs("bicubic", EMBEDDED, find_system("bicubic"), limit=1)] * 2
    found = compare_outputs(*both, "embedded", [PSNR, METRICS["lpips"]])
    assert [one.metric for one in found.metrics] == [PSNR]
    ((name, block),) = found.blocked
    assert name == "LPIPS" and block.command == "adcbench weights fetch lpips"
    with pytest.raises(Blocked, match=r"of lpips; .* of musiq"):
        compare_outputs(*both, "embedded", [METRICS["lpips"], METRICS["musiq"]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HR with a little noise."""
    root, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(0)
    for path in EMBEDDED.folders["HR"].glob("*.png"):
        hr = read_png(path)
        write_png(root / path.name, (hr.astype(int) + draw.integers(-1, 2, hr.shape)).clip(0, 255).astype(np.uint8))
    return root


def test_a_system_against_a_folder(folder: Path, tmp_path: Path) -> None:
    a = find_outputs("bicubic", EMBEDDED, find_system("bicubic"))
    b = find_outputs(str(folder), EMBEDDED, None)
    found = compare_outputs(a, b, "embedded", [PSNR])
    assert [one.paired.losses for one in found.metrics] == [7]  # worse on all, and yet: seven are too few
    assert answer(found).startswith("On embedded, 7 images: no difference shown in PSNR between bicubic and ")
    write_comparison(tmp_path / "out.csv", found)
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert len(rows) == 7 and set(rows[0]) == {"metric", "image", "bicubic", folder.name}
    differences = [float(row["bicubic"]) - float(row[folder.name]) for row in rows]
    assert np.mean(differences) == pytest.approx(found.metrics[0].paired.difference)


def test_limits_pick_the_same_images_and_unequal_sets_are_named(folder: Path) -> None:
    two = find_outputs("bicubic", EMBEDDED, find_system("bicubic"), limit=2)
    assert [p[0] for p in two.pairs] == [p[0] for p in find_outputs(str(folder), EMBEDDED, None, limit=2).pairs]
    whole = find_outputs(str(folder), EMBEDDED, None)
    with pytest.raises(AdcbenchError, match=f"not the same samples: .* only in {folder.name}"):
        compare_outputs(two, whole, "embedded", [PSNR])
    with pytest.raises(AdcbenchError, match="--limit -1"):
        find_outputs(str(folder), EMBEDDED, None, limit=-1)
    with pytest.raises(AdcbenchError, match="no such folder"):
        find_outputs("nowhere", EMBEDDED, None)


@pytest.mark.golden
def test_released_outputs_come_before_a_system_of_that_name(drealsr_dir: Path) -> None:
    found = find_outputs("OSEDiff", open_test_set("drealsr"), None, limit=3)
    assert found.what == "released outputs" and all("OSEDiff" in str(sr) for _, sr, _ in found.pairs)
