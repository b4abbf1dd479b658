"""Rank correlation with human scores: by hand, turned where lower is better, and on the published file."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from adcbench.core.cells import Measurement
from adcbench.core.errors import Blocked
from adcbench.core.settings import reproductions_dir
from adcbench.data.test_sets import registry
from adcbench.data.test_sets.manifest import scan_folder, write_manifest
from adcbench.data.test_sets.opinions import OPINIONS, Opinions, read_opinions
from adcbench.data.test_sets.test_set import TestSet
from adcbench.metrics.clip.dover import dover
from adcbench.tables import Column, Context, Table
from adcbench.tables.jobs.correlate import CORRELATION, Correlate, rank_correlation
from adcbench.tables.loading import load_file, load_table

TABLE = load_table("related/avt")


def test_correlation_is_spearmans_with_an_interval_around_it() -> None:
    draw = np.random.default_rng(0)
    x = draw.integers(0, 20, 60).astype(float)  # with ties
    y = x + draw.normal(0, 6, 60)
    value, low, high = rank_correlation(x, y)
    assert value == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert low < value < high and high - low < 0.5
    assert rank_correlation(-x, y)[0] == pytest.approx(-value, abs=1e-12)


def test_a_test_set_that_is_not_here_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match="AVT") as caught:
        TABLE.jobs[0].run(TABLE, Context(progress=False))
    assert caught.value.command == "adcbench fetch avt"


def test_a_metric_that_is_better_lower_is_turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips that a system made alone count, and those with a value."""
    clips = TestSet("Scores", "scores", 6, "clips", (), repository="o/n", upstream=((OPINIONS, OPINIONS),))
    monkeypatch.setitem(registry.TEST_SETS, "Scores", clips)
    monkeypatch.setattr(registry, "_MANIFESTS", tmp_path / "manifests")
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    values = ((5, 0.9, "source"), (4, 0.1, "net"), (3, 0.2, "net"), (2, 0.3, "net"), (1, 0.4, "net"), (9, None, "net"))
    rows = [
        {"name": f"{i}", "source": "a", "method": method, "mos": mos, "dists": value}
        for i, (mos, value, method) in enumerate(values)
    ]
    clips.root.mkdir()
    (clips.root / OPINIONS).write_text(json.dumps(rows))
    write_manifest(scan_folder(clips.root), tmp_path / "manifests" / "scores.csv")
    table = Table("own", "", "", "ours", "", ("DISTS",), (Column("Scores", CORRELATION),))
    for better, sign in (("lower", 1), ("higher", -1)):
        job = Correlate("DISTS", "Scores", "dists", better)  # type: ignore[arg-type]
        ((_, found),) = job.run(table, Context(progress=False))
        assert isinstance(found, Measurement)
        assert (found.value, found.n) == (pytest.approx(sign), 4)


@pytest.fixture(scope="module")
def avt() -> Opinions:
    path = Path(os.environ.get("ADCBENCH_DATA", "")) / "avt" / OPINIONS
    if not os.environ.get("ADCBENCH_DATA") or not path.is_file():
        pytest.skip("ADCBENCH_DATA has no avt folder: run `adcbench fetch avt` and set ADCBENCH_DATA")
    return read_opinions(path)


# Computed by others from the same file, before there was this code (facts of 30 November 2026)
KNOWN = {
    "DISTS": 0.71, "LPIPS (VGG)": 0.69, "SSIM": 0.67, "LPIPS": 0.64, "PSNR, (6 Y + Cb + Cr) / 8": 0.47, "MUSIQ": 0.44,
    "CLIPIQA+": 0.41, "DOVER": 0.38,
}  # fmt: skip


@pytest.mark.golden
def test_correlations_with_the_published_human_scores(avt: Opinions) -> None:
    assert (len(avt.names), int(avt.processed.sum()), len(set(avt.scenes))) == (222, 216, 6)
    for row, value in KNOWN.items():
        job = next(job for job in TABLE.jobs if job.row == row)
        ((key, found),) = job.run(TABLE, Context(progress=False))
        assert isinstance(found, Measurement) and isinstance(job, Correlate)
        assert (key.row, found.n, found.level) == (row, 216, "derived")
        assert found.value == pytest.approx(value, abs=0.005)
        low, high = found.provenance["interval"]
        assert low < found.value < high


@pytest.mark.golden
def test_dovers_fusion_and_its_exchanged_branches(avt: Opinions) -> None:
    """The fused score of 222 clips follows from the branches, which stand under each other's names."""
    file = load_file(reproductions_dir() / "related" / "avt.py")
    technical, aesthetic = file.raw_branches(avt)
    fused = [dover(t, a, scale="overall 0-100") for t, a in zip(technical, aesthetic, strict=True)]
    assert np.abs(np.array(fused) - avt.of("dover")).max() < 2.2e-4
    swapped = [dover(t, a, scale="overall 0-100", swapped=True) for t, a in zip(aesthetic, technical, strict=True)]
    np.testing.assert_allclose(swapped, fused, rtol=1e-12)  # BRANCHES_SWAPPED undoes what the names exchange
    right = [dover(a, t, scale="overall 0-100") for t, a in zip(technical, aesthetic, strict=True)]
    moved = np.array(right) - avt.of("dover")
    assert (moved.mean(), moved.min(), moved.max()) == pytest.approx((-9.61, -17.01, -3.15), abs=0.005)
    assert (technical.mean(), aesthetic.mean()) == pytest.approx((-0.0839, 0.1625), abs=5e-4)
    # each lies near the constant of the other branch, and some spreads away from that of its own name
    for raw, own, others in ((technical, 0.1107, -0.08285), (aesthetic, -0.08285, 0.1107)):
        assert abs(raw.mean() - others) < 0.06 < 0.19 < abs(raw.mean() - own)
    assert not math.isclose(correlation(avt, right), correlation(avt, fused), abs_tol=0.01)


def correlation(avt: Opinions, values: list[float]) -> float:
    return rank_correlation(np.array(values)[avt.processed], avt.scores[avt.processed])[0]
