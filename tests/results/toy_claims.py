"""Claims and runs that are made up, for tests of the ledger."""

from __future__ import annotations

from functools import partial

import numpy as np

from adcbench.report.files import read_cells
from adcbench.results.ledger import Line, ledger_lines
from adcbench.results.ledger_claims import LedgerClaim, MiniTest, load_claims
from adcbench.training.experiments.trained_runs import Runs, Trained

on_drealsr = partial(MiniTest, test_set="DRealSR")
NOTHING = Runs({}, {})
CLAIMS = load_claims()
IMAGES = [f"image-{i}" for i in range(40)]


def done(scores: dict[str, float], seeds: int = 5, spread: float = 0.01, metric: str = "psnr") -> Runs:
    """Runs whose seeds and images differ by about ``spread``, around a mean of each run."""
    rng = np.random.default_rng(0)
    trained, found = {}, {}
    for run, mean in scores.items():
        for seed in range(seeds):
            trained[run, seed] = Trained(run, seed, "c", 1, 1.0, 1, "2.15", 1, "cpu", "s")
            values = mean + spread * (rng.standard_normal() + rng.standard_normal(len(IMAGES)))
            found[run, seed] = {("DRealSR", metric): dict(zip(IMAGES, values.tolist(), strict=True))}
    return Runs(trained, found)


def claim(kind: str = "superiority", margin: float = 0.0, relative: bool = False, **more: object) -> LedgerClaim:
    test = on_drealsr("ours", "other", "psnr", "why", margin, relative)
    return LedgerClaim("toy", "Ours is better", "brief", "brief", kind, mini=(test,), family="f", **more)  # type: ignore[arg-type]


def line_of(one: LedgerClaim, runs: Runs) -> Line:
    return ledger_lines([one], read_cells, runs)[0]
