"""DOVER: what papers make of its raw scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from video_clips import write_clip
from vsreval_fake import CLIP

from adcbench.core import store
from adcbench.metrics import METRICS
from adcbench.metrics.clip.dover import dover
from adcbench.metrics.engine.scoring import score


def test_dover_is_the_published_fusion() -> None:
    t, a = (0.15 - 0.1107) / 0.07355, (-0.02 + 0.08285) / 0.03774
    overall = 1 / (1 + np.exp(-(0.6104 * t + 0.3896 * a)))
    assert dover(0.15, -0.02) == pytest.approx(overall, abs=1e-12)
    assert dover(0.15, -0.02, scale="overall 0-100") == pytest.approx(100 * overall, abs=1e-10)
    assert dover(0.15, -0.02, scale="technical 0-100") == pytest.approx(100 / (1 + np.exp(-t)), abs=1e-10)
    assert dover(0.15, -0.02, scale="aesthetic 0-100") == pytest.approx(100 / (1 + np.exp(-a)), abs=1e-10)


def test_dover_variants_differ_as_they_should() -> None:
    # until August 2023: a, t = (r[0] - 0.1107) / 0.07355, (r[1] + 0.08285) / 0.03774 with r = aesthetic, technical
    swapped = 0.6104 * (-0.02 - 0.1107) / 0.07355 + 0.3896 * (0.15 + 0.08285) / 0.03774
    assert dover(0.15, -0.02, swapped=True) == pytest.approx(1 / (1 + np.exp(-swapped)), abs=1e-12)
    generated = 0.6104 * (0.15 + 0.0758) / 0.0129 + 0.3896 * (-0.02 - 0.1253) / 0.0318
    assert dover(0.15, -0.02, constants="generated") == pytest.approx(1 / (1 + np.exp(-generated)), abs=1e-12)
    assert dover(-1e9, -1e9) == 0
    with pytest.raises(ValueError, match="nan"):
        dover(float("nan"), 0)


def test_every_variant_of_dover_has_a_signature_of_its_own() -> None:
    variants = [metric for name, metric in METRICS.items() if name.startswith("dover")]
    assert len({metric.signature for metric in variants}) == len(variants) >= 7
    assert all("DOVER.pth=f4a42c0bbc94c94d" in metric.signature for metric in variants)


@pytest.mark.usefixtures("fake")
def test_a_folder_of_clips_is_scored(tmp_path: Path) -> None:
    for name, count in (("a", 3), ("b", 1)):
        write_clip(tmp_path / "sr" / name, CLIP[:count])
    pairs = [(name, tmp_path / "sr" / name, None) for name in ("a", "b")]
    metrics = [replace(METRICS[name], files=()) for name in ("dover", "dover:PERCENT")]
    found = score(pairs, metrics, progress=False)
    assert dict(found.scores["dover"]) == {"a": pytest.approx(dover(0.1, -0.05))}
    assert dict(found.scores["dover:PERCENT"]) == {"a": pytest.approx(100 * dover(0.1, -0.05))}
    assert len(store.every("clip score")) == 1  # raw scores, for all variants
    assert found.problems == ("b: vsreval: RuntimeError: too short for me",)
