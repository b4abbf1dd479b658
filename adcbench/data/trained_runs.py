"""Scores of trained runs, committed: what the claims are tested on at the mini scale.

Below ``tables/adcsr_claims/``: ``runs.csv.gz`` has a line for each run, seed, test set, image and metric, and
``runs.jsonl`` a line for each run and seed, with where its scores come from. A run is one recipe (``adcsr``,
``latent-link``, ...) trained with one seed. What is trained once and shared by all seeds (``teacher``) or not
trained at all (``bicubic``) has the seed ``SHARED``.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from filelock import FileLock

from adcbench.core.errors import AdcbenchError, some
from adcbench.core.files import write_whole
from adcbench.core.keys import digest, short
from adcbench.core.settings import cache_dir, tables_dir

COMMAND = "nox -s train-claims"
SCORED_IN = ("psnr", "ssim", "fd-efflite0", "spectrum")  # metrics
SHARED = -1  # the seed of what all seeds share
_FIELDS = ("run", "seed", "test_set", "image", "metric", "value")
Scores = Mapping[tuple[str, str], Mapping[str, float]]  # (test set, metric) -> image -> value
Slot = tuple[str, int]  # run and seed


@dataclass(frozen=True)
class Trained:
    """Where the scores of one run and seed come from.

    Args:
        run: its name, such as ``latent-link``.
        seed: of the training; 0 or more, or SHARED.
        config: hash of everything that defines the run: settings, and the weights it starts from.
        steps: of all its stages.
        seconds: wall time of all steps by the run's log, pauses included; None where it is not known.
        params: of the network that runs at inference.
        torch: its version.
        threads: of torch.
        device: ``cpu`` or ``cuda``.
        sources: hash of the code's source closure.
        note: anything a reader must know, such as the perceptual loss that stood in for LPIPS.
    """

    run: str
    seed: int
    config: str
    steps: int
    seconds: float | None
    params: int
    torch: str
    threads: int
    device: str
    sources: str
    note: str = ""


@dataclass(frozen=True)
class Runs:
    """All runs: where they come from, and their scores."""

    trained: Mapping[Slot, Trained]
    scores: Mapping[Slot, Scores]

    @property
    def test_sets(self) -> tuple[str, ...]:
        """Names of all test sets that a run was scored on."""
        return tuple(sorted({test_set for scores in self.scores.values() for test_set, _ in scores}))

    def seeds(self, run: str) -> tuple[int, ...]:
        """Seeds a run was done with, in order; ``(SHARED,)`` where all seeds share it."""
        return tuple(sorted(seed for name, seed in self.trained if name == run))

    def paired(self, first: str, second: str, test_set: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Scores of two runs, both (seeds, images), of the seeds that both were done with; (0, 0) if there are none.

        Raises:
            AdcbenchError: two of them were scored on different images.
        """
        both = sorted(set(self._by_seed(first, second)) & set(self._by_seed(second, first)))
        sides = [[self._of(run, seed, test_set, metric) for seed in both] for run in (first, second)]
        if not both or not all(image for side in sides for image in side):
            return np.zeros((0, 0)), np.zeros((0, 0))
        names = sorted(sides[0][0])
        for side, run in zip(sides, (first, second), strict=True):
            for seed, found in zip(both, side, strict=True):
                if sorted(found) != names:
                    odd = some(sorted(set(found) ^ set(names)))
                    raise AdcbenchError(
                        f"{_scores_path()}: {run} (seed {seed}) has other images of {test_set} in {metric} than "
                        f"{first} (seed {both[0]}): {odd}. Score it again: {COMMAND}"
                    )
        first_array, second_array = (np.array([[found[n] for n in names] for found in side]) for side in sides)
        return first_array, second_array

    def _by_seed(self, run: str, other: str) -> tuple[int, ...]:
        """Seeds at which a run can be compared: what all seeds share stands at each seed of the other."""
        own = self.seeds(run)
        return self.seeds(other) if own == (SHARED,) else own

    def _of(self, run: str, seed: int, test_set: str, metric: str) -> Mapping[str, float]:
        slot = (run, seed) if (run, seed) in self.scores else (run, SHARED)
        return self.scores[slot].get((test_set, metric), {})


def runs_dir(root: Path | None = None) -> Path:
    """The folder of both files."""
    return (root or tables_dir()) / "adcsr_claims"


def _scores_path(root: Path | None = None) -> Path:
    return runs_dir(root) / "runs.csv.gz"


def _trained_path(root: Path | None = None) -> Path:
    return runs_dir(root) / "runs.jsonl"


def read_runs(root: Path | None = None) -> Runs:
    """All committed runs; none where nothing was trained yet.

    Raises:
        AdcbenchError: a damaged file: names the file, the line and the remedy.
    """
    try:
        return _read_runs(root)
    except AdcbenchError:
        with _writing(root):  # another process may have been between its two files
            return _read_runs(root)


def _read_runs(root: Path | None) -> Runs:
    trained, hashes = _read_trained(_trained_path(root))
    scores = _read_scores(_scores_path(root))
    for slot in sorted({*trained, *scores}):
        if slot not in trained or slot not in scores or _hash(scores[slot]) != hashes[slot]:
            raise AdcbenchError(
                f"{runs_dir(root)}: runs.csv.gz and runs.jsonl do not fit each other at run {slot[0]!r}, seed "
                f"{slot[1]}: a write was cut off, or a file was edited. Run it again ({COMMAND}), or restore both "
                f"files: git checkout {runs_dir(root)}"
            )
    return Runs(trained, scores)


def append_run(trained: Trained, scores: Scores, root: Path | None = None) -> None:
    """Add a run's scores; an earlier result of the same run and seed is replaced.

    Each file is replaced whole. Several processes may add runs at the same time. A write that was cut off between
    the two files is put right by adding the run again.

    Raises:
        AdcbenchError: a value that is not finite, no scores, a bad name or seed, damaged files, or no space left.
    """
    slot = trained.run, trained.seed
    rounded = {place: {image: _fixed(v) for image, v in found.items()} for place, found in scores.items()}
    _check(slot, rounded)
    with _writing(root):
        known, hashes = _read_trained(_trained_path(root))
        rows = {**_read_scores(_scores_path(root)), slot: rounded}
        hashes[slot] = _hash(rounded)
        lines = [asdict(one) | {"scores": hashes[s]} for s, one in sorted({**known, slot: trained}.items())]
        write_whole(_scores_path(root), gzip.compress(_csv_text(rows).encode(), mtime=0))
        write_whole(_trained_path(root), "".join(json.dumps(line) + "\n" for line in lines).encode())


def _writing(root: Path | None) -> FileLock:
    lock = cache_dir() / f"runs-{short(digest(str(runs_dir(root).resolve())))}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock)


def _check(slot: Slot, scores: Scores) -> None:
    run, seed = slot
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", run) or seed < SHARED:
        raise AdcbenchError(f"run {run!r}, seed {seed}: a name has a-z, 0-9, '-' and '.', a seed is 0 or more")
    if not scores or not all(scores.values()):
        raise AdcbenchError(f"run {run!r}, seed {seed}: no scores to add; score at least one image in each metric")
    bad = [f"{metric} of {image}" for (_, metric), found in scores.items() for image, v in found.items()
           if not math.isfinite(v)]  # fmt: skip
    if bad:
        raise AdcbenchError(f"run {run!r}, seed {seed}: not a finite number: {some(bad)}. Train or score it again")


def _fixed(value: float) -> float:
    """As committed: eight significant digits, so that files hardly change with the machine."""
    return float(f"{value:.8g}")


def _hash(scores: Scores) -> str:
    return short(digest(sorted((*place, sorted(found.items())) for place, found in scores.items())))


def _csv_text(rows: Mapping[Slot, Scores]) -> str:
    text = io.StringIO()
    text.write(f"# {COMMAND}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FIELDS)
    for (run, seed), scores in sorted(rows.items()):
        for (test_set, metric), found in sorted(scores.items()):
            writer.writerows((run, seed, test_set, image, metric, repr(v)) for image, v in sorted(found.items()))
    return text.getvalue()


def _read_scores(path: Path) -> dict[Slot, dict[tuple[str, str], dict[str, float]]]:
    found: dict[Slot, dict[tuple[str, str], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    if not path.is_file():
        return found
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(path, f"not readable ({error})") from error
    if tuple(lines[1].split(",") if len(lines) > 1 else ()) != _FIELDS:
        raise _damaged(path, f"line 2 must be {','.join(_FIELDS)}")
    for number, row in enumerate(csv.reader(lines[2:]), start=3):
        try:
            run, seed, test_set, image, metric, text = row
            value, images = float(text), found[run, int(seed)][test_set, metric]
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from error
        if image in images or not math.isfinite(value):
            raise _damaged(path, f"line {number}: {'there twice' if image in images else 'not finite'}")
        images[image] = value
    return found


def _read_trained(path: Path) -> tuple[dict[Slot, Trained], dict[Slot, str]]:
    found: dict[Slot, Trained] = {}
    hashes: dict[Slot, str] = {}
    wanted = {one.name for one in fields(Trained)} | {"scores"}
    for number, text in enumerate(_lines(path), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from error
        if not isinstance(line, dict) or set(line) != wanted:
            raise _damaged(path, f"line {number}: needs exactly the keys {', '.join(sorted(wanted))}")
        slot = line["run"], line["seed"]
        if slot in found:
            raise _damaged(path, f"line {number}: run {slot[0]!r}, seed {slot[1]} is there twice")
        hashes[slot] = line.pop("scores")
        found[slot] = Trained(**line)
    return found, hashes


def _lines(path: Path) -> Iterable[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else ()


def _damaged(path: Path, why: str) -> AdcbenchError:
    return AdcbenchError(f"{path}: damaged: {why}. Restore it: git checkout {path.parent}")
