"""Short runs of AdcSR's variants at the mini scale, five seeds each: what the claims are tested on.

    nox -s train-claims                  resumes where it stopped; the same command twice shares the runs

A run takes one thread well: on 2 cores start the command twice with OMP_NUM_THREADS=1.

Each starts from the shipped mini weights and trains stage 2 (and stage 1, where the variant changes it) for a fixed,
short budget. The seed decides crops, degradations, and where weights begin at random. Outputs are scored on whole
test sets, and the scores of every image are committed (``training.experiments.trained_runs``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree

import torch
from filelock import FileLock, Timeout

from adcbench.core.hashes import verified
from adcbench.core.keys import digest, short, source_hash
from adcbench.data.test_sets.registry import open_test_set
from adcbench.inference.test_set import upscale_test_set
from adcbench.metrics import find_metric
from adcbench.metrics.engine.scoring import score
from adcbench.systems import find_system
from adcbench.systems import trained as shipped
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.system import System
from adcbench.systems.trained import student_of
from adcbench.training.config import Config, RunConfig
from adcbench.training.engine.logging import seconds_logged
from adcbench.training.experiments.trained_runs import SCORED_IN, SHARED, Scores, Trained, append_run, read_runs
from adcbench.training.perceptual import load_perceptual
from adcbench.training.run import run
from adcbench.training.settings import chosen
from adcbench.training.stages.adcsr import decoder, distil
from adcbench.training.stages.adcsr.distil import DistilStage

PAPER = "adcsr"  # whose claims they are
SEEDS = 5
TEST_SETS = ("DRealSR", "BSDS500-test")
FIXED = {"bicubic": "bicubic", "teacher": "osediff-mini-trained"}  # runs that are not trained here
_MODULES = ("adcbench.training.run", decoder.__name__, distil.__name__)


@dataclass(frozen=True)
class Variant:
    """The two stages of a variant; ``decoder`` is None where the reference's half decoder serves, or none at all."""

    decoder: RunConfig[decoder.DecoderStage] | None
    distil: RunConfig[DistilStage]


def variant(name: str, seed: int) -> Variant:
    """The settings of a run.

    Raises:
        AdcbenchError: no such variant; lists those there are.
    """
    own = name in decoder.SPEC.ablations
    return Variant(
        _seeded(chosen("decoder", "claims", name), seed) if own else None,
        _seeded(chosen("distil", "claims", name), seed),
    )


def config_of(stages: Variant) -> str:
    """A hash of all that defines a run: its settings, and the weights it starts from."""
    return short(digest(asdict(stages.distil), asdict(stages.decoder) if stages.decoder else None, _start()))


def _seeded(config: RunConfig[Config], seed: int) -> RunConfig[Config]:
    return replace(config, loop=replace(config.loop, seed=seed))


def train_claims(names: Sequence[str], root: Path, seeds: int = SEEDS) -> Iterator[str]:
    """Train and score every run that is not there yet, all names of a seed before the next; a line for each.

    Args:
        names: of runs: variants, and those in ``FIXED``.
        root: folder of the runs; checkpoints are removed when a run is scored.

    Raises:
        Blocked: the shipped weights, the photographs or a test set are not here.
    """
    for name in (name for name in names if name in FIXED):
        yield _fixed(name)
    for seed in range(seeds):
        for name in (name for name in names if name not in FIXED):
            yield train_one(name, seed, root)


def train_one(name: str, seed: int, root: Path) -> str:
    """One run, unless its scores are there for exactly these settings, or another process is at it."""
    stages = variant(name, seed)
    config = config_of(stages)
    folder = root / f"{name}-{seed}"
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / f"{folder.name}.lock", timeout=0):
            known = read_runs(PAPER).trained.get((name, seed))
            if known and known.config == config:
                return f"{name}, seed {seed}: done"
            _can_score()
            return _train_and_score(name, seed, stages, config, folder)
    except Timeout:
        return f"{name}, seed {seed}: another process trains it"


def _can_score() -> None:
    """Raise ``Blocked`` before hours of training, not after, where a test set or a metric's file is not here."""
    for test_set in TEST_SETS:
        open_test_set(test_set)
    for name in SCORED_IN:
        find_metric(name).check_here()


def _train_and_score(name: str, seed: int, stages: Variant, config: str, folder: Path) -> str:
    own, done = {}, {folder / "distil": stages.distil.loop}
    if stages.decoder:
        done[folder / "decoder"] = stages.decoder.loop
        own[decoder.PRODUCT] = run(stages.decoder, folder / "decoder", shipped.FOLDER) / decoder.PRODUCT
    products = run(stages.distil, folder / "distil", shipped.FOLDER, own)
    system = student_of(stages.distil.stage.student, products / distil.PRODUCT, f"adcsr-mini-{name}")
    steps = sum(loop.steps for loop in done.values())
    seconds = sum(seconds_logged(part, loop.batch) for part, loop in done.items())
    append_run(PAPER, _trained(system, name, seed, config, steps, round(seconds, 1)), scores_of(system, keep=False))
    rmtree(folder)
    return f"{name}, seed {seed}: {steps} steps in {seconds / 60:.1f} minutes"


def _start() -> str:
    """The weights that every run starts from, and the teacher's: another release makes all runs anew."""
    return (shipped.FOLDER / "hashes.json").read_text(encoding="utf-8")


@verified()
def scores_of(system: System, keep: bool = True) -> Scores:
    """Scores of a system on all test sets, by (test set, metric), then image.

    Args:
        keep: leave the outputs in the cache; those of a run that is never scored again are 100 MB of no use.
    """
    metrics = [find_metric(name) for name in SCORED_IN]
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for test_set in TEST_SETS:
        pairs = upscale_test_set(system, open_test_set(test_set))
        scored = score(pairs, metrics)
        scores |= {(test_set, metric.name): dict(scored.samples(metric.name)) for metric in metrics}
        for _, output, _ in pairs:
            if not keep:
                output.unlink(missing_ok=True)
    return scores


def _fixed(name: str) -> str:
    system = find_system(FIXED[name])
    config = short(digest(system.settings(), _start() if system.files else ""))
    known = read_runs(PAPER).trained.get((name, SHARED))
    if known and known.config == config:
        return f"{name}: done"
    append_run(PAPER, _trained(system, name, SHARED, config, 0, None), scores_of(system))
    return f"{name}: scored"


def _trained(system: System, name: str, seed: int, config: str, steps: int, seconds: float | None) -> Trained:
    """Where a run's scores come from."""
    files = system.find_weights().values()
    return Trained(
        run=name,
        seed=seed,
        config=config,
        steps=steps,
        seconds=seconds,
        params=sum(tensor.numel() for path in files for tensor in library_tensors(path).values()),
        torch=str(torch.__version__),
        threads=torch.get_num_threads(),
        device="cpu",
        sources=short(source_hash(*_MODULES)),
        note=load_perceptual("auto").provenance if seed != SHARED else "",
    )
