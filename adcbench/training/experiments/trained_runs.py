"""Scores of trained runs, committed: what a paper's claims are tested on at the mini scale.

Below ``runs/<paper>/``: ``runs.csv.gz`` has a line for each run, seed, test set, image and metric, and
``runs.jsonl`` a line for each run and seed, with where its scores come from. A run is one variant (``adcsr``,
``latent-link``, ...) trained with one seed. What is trained once and shared by all seeds (``teacher``) or not
trained at all (``bicubic``) has the seed ``SHARED``.

Both files only grow. A later result of a run and seed is a line of its own, which names the line that it replaces;
the older one stays, with its scores. Each line also has a hash of all lines before it, so that an edited one shows.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from adcbench.core.datafiles import Kinds, check_kinds, restore
from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import locked, read_whole, write_whole
from adcbench.core.keys import digest, short
from adcbench.core.settings import cache_dir, runs_dir

COMMAND = "nox -s train-claims"
SCORED_IN = ("psnr", "ssim", "fd-efflite0", "spectrum")  # metrics
SHARED = -1  # the seed of what all seeds share
_FIELDS = ("run", "seed", "test_set", "image", "metric", "value")
_HEAD = f"# {COMMAND}\n{','.join(_FIELDS)}\n"
_LARGEST = 1 << 30  # bytes of what was added at once, unpacked; the first 97 runs have 6 million
_KINDS: Kinds = {"str": str, "int": int, "float | None": (float, type(None))}
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
    """All runs: where they come from, and their scores.

    Args:
        trained, scores: the latest result of each run and seed.
        replaced: the results that later ones replaced, in order.
        folder: where they are, for errors.
    """

    trained: Mapping[Slot, Trained]
    scores: Mapping[Slot, Scores]
    replaced: tuple[Trained, ...] = ()
    folder: Path = Path()

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
            for seed, scores in zip(both, side, strict=True):
                if sorted(scores) != names:
                    odd = listed(sorted(set(scores) ^ set(names)))
                    raise AdcbenchError(
                        f"{_scores(self.folder)}: {run} (seed {seed}) has other images of {test_set} in {metric} than "
                        f"{first} (seed {both[0]}): {odd}. Score it again: {COMMAND}"
                    )
        first_array, second_array = (np.array([[scores[n] for n in names] for scores in side]) for side in sides)
        return first_array, second_array

    def _by_seed(self, run: str, other: str) -> tuple[int, ...]:
        """Seeds at which a run can be compared: what all seeds share stands at each seed of the other."""
        own = self.seeds(run)
        return self.seeds(other) if own == (SHARED,) else own

    def _of(self, run: str, seed: int, test_set: str, metric: str) -> Mapping[str, float]:
        slot = (run, seed) if (run, seed) in self.scores else (run, SHARED)
        return self.scores[slot].get((test_set, metric), {})


def runs_folder(paper: str, root: Path | None = None) -> Path:
    """The folder of both files of a paper; ``root``: of all papers."""
    return (root or runs_dir()) / paper


def read_runs(paper: str, root: Path | None = None) -> Runs:
    """All committed runs of a paper; none where nothing was trained yet.

    Raises:
        AdcbenchError: a damaged file: names the file, the line and the remedy.
    """
    folder = runs_folder(paper, root)
    try:
        return _read_runs(folder)
    except AdcbenchError:
        with _writing(folder):  # another process may have been between its two files
            return _read_runs(folder)


def _read_runs(folder: Path) -> Runs:
    results, members = _read_results(_results(folder)), _read_members(_scores(folder))
    paired = _scores_of(results, members)
    if paired is None or sum(len(scores) for scores, _ in members) != len(results):
        raise AdcbenchError(
            f"{folder}: runs.csv.gz and runs.jsonl do not fit each other: a write was cut off, or a file was "
            f"edited. Run the last run again: {COMMAND}. {restore(folder)}"
        )
    latest = {_slot(one.trained): number for number, one in enumerate(results)}
    replaced = tuple(one.trained for number, one in enumerate(results) if latest[_slot(one.trained)] != number)
    slots = sorted(latest)
    trained = {slot: results[latest[slot]].trained for slot in slots}
    return Runs(trained, {slot: paired[latest[slot]] for slot in slots}, replaced, folder)


def append_run(paper: str, trained: Trained, scores: Scores, root: Path | None = None) -> None:
    """Add a run's scores; an earlier result of the same run and seed stays in the files, and is named as replaced.

    Each file is replaced whole, by what it was and what is new. Several processes may add runs at the same time. A
    write that was cut off between the two files is put right by adding the run again.

    Raises:
        AdcbenchError: a value that is not finite, no scores, a bad name or seed, damaged files, or no space left.
    """
    slot, folder = _slot(trained), runs_folder(paper, root)
    rounded = {place: {image: _fixed(v) for image, v in values.items()} for place, values in scores.items()}
    _check(slot, rounded)
    with _writing(folder):
        results, members = _read_results(_results(folder)), _read_members(_scores(folder))
        kept = _without_cut_off(results, members)
        if _scores_of(results, kept) is None:
            raise AdcbenchError(f"{folder}: runs.csv.gz lacks scores of runs.jsonl, or has others. {restore(folder)}")
        older = [one for one in results if _slot(one.trained) == slot]
        line = asdict(trained) | {"scores": _hash(rounded), "replaces": _line_hash(older[-1].line) if older else ""}
        lines = [one.line for one in results]
        line["before"] = _line_hash("".join(lines))
        before = _bytes(_scores(folder))[: kept[-1][1] if kept else 0]
        text = ("" if before else _HEAD) + _csv_text(slot, rounded)
        write_whole(_scores(folder), before + gzip.compress(text.encode(), mtime=0))
        write_whole(_results(folder), "".join([*lines, json.dumps(line) + "\n"]).encode())


def _scores(folder: Path) -> Path:
    return folder / "runs.csv.gz"


def _results(folder: Path) -> Path:
    return folder / "runs.jsonl"


@dataclass(frozen=True)
class _Result:
    """A line of ``runs.jsonl``: the text itself, what it says, and the hash of its scores."""

    line: str
    trained: Trained
    scores: str


Member = tuple[Mapping[Slot, Scores], int]  # scores that were added at once, and the byte behind them


def _slot(trained: Trained) -> Slot:
    return trained.run, trained.seed


def _scores_of(results: Sequence[_Result], members: Sequence[Member]) -> list[Scores] | None:
    """The scores of each result; None where the files don't fit each other."""
    waiting: dict[Slot, list[Scores]] = defaultdict(list)
    for added, _ in reversed(members):
        for slot, scores in added.items():
            waiting[slot].append(scores)
    paired = []
    for one in results:
        scores_left = waiting[_slot(one.trained)]
        if not scores_left or _hash(scores_left[-1]) != one.scores:
            return None
        paired.append(scores_left.pop())
    return paired


def _without_cut_off(results: Sequence[_Result], members: Sequence[Member]) -> list[Member]:
    """The members that results are of: a write that was cut off left one more at the end."""
    left = Counter(_slot(one.trained) for one in results)
    kept = []
    for added, end in members:
        left.subtract(added.keys())
        if any(left[slot] < 0 for slot in added):
            break
        kept.append((added, end))
    return kept


def _writing(folder: Path) -> AbstractContextManager[None]:
    return locked(cache_dir() / f"runs-{short(digest(str(folder.resolve())))}")


def _check(slot: Slot, scores: Scores) -> None:
    run, seed = slot
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", run) or seed < SHARED:
        raise AdcbenchError(f"run {run!r}, seed {seed}: a name has a-z, 0-9, '-' and '.', a seed is 0 or more")
    if not scores or not all(scores.values()):
        raise AdcbenchError(f"run {run!r}, seed {seed}: no scores to add; score at least one image in each metric")
    bad = [f"{metric} of {image}" for (_, metric), values in scores.items() for image, v in values.items()
           if not math.isfinite(v)]  # fmt: skip
    if bad:
        raise AdcbenchError(f"run {run!r}, seed {seed}: not a finite number: {listed(bad)}. Train or score it again")


def _fixed(value: float) -> float:
    """As committed: eight significant digits, so that files hardly change with the machine."""
    return float(f"{value:.8g}")


def _hash(scores: Scores) -> str:
    return short(digest(sorted((*place, sorted(values.items())) for place, values in scores.items())))


def _line_hash(text: str) -> str:
    return short(hashlib.sha256(text.encode()).hexdigest())


def _csv_text(slot: Slot, scores: Scores) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for (test_set, metric), values in sorted(scores.items()):
        writer.writerows((*slot, test_set, image, metric, repr(v)) for image, v in sorted(values.items()))
    return text.getvalue()


def _bytes(path: Path) -> bytes:
    return read_whole(path) if path.exists() else b""


def _read_members(path: Path) -> list[Member]:
    """What was added to the scores, one gzip member each; the first may have several runs."""
    data, members = _bytes(path), list[Member]()
    at, number = 0, 1
    while at < len(data):
        unpacked = zlib.decompressobj(wbits=31)
        try:
            text = unpacked.decompress(data[at:], _LARGEST).decode()
        except (zlib.error, ValueError) as error:
            raise _damaged(path, f"not readable ({error})") from error
        if not unpacked.eof:
            raise _damaged(path, "not readable (cut off, or far larger than scores are)")
        at = len(data) - len(unpacked.unused_data)
        lines = text.splitlines()
        if number == 1:
            if tuple(lines[1].split(",") if len(lines) > 1 else ()) != _FIELDS:
                raise _damaged(path, f"line 2 must be {','.join(_FIELDS)}")
            lines, number = lines[2:], 3
        members.append((_parsed(path, lines, number), at))
        number += len(lines)
    return members


def _parsed(path: Path, lines: Sequence[str], first: int) -> dict[Slot, Scores]:
    by_slot: dict[Slot, dict[tuple[str, str], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    rows = csv.reader(lines)
    try:
        for row in rows:
            run, seed, test_set, image, metric, text = row
            value, images = float(text), by_slot[run, int(seed)][test_set, metric]
            if image in images or not math.isfinite(value):
                raise ValueError("there twice" if image in images else "not finite")
            images[image] = value
    except (ValueError, csv.Error) as error:
        raise _damaged(path, f"line {first + rows.line_num - 1}: {error}") from error
    return {slot: dict(scores) for slot, scores in by_slot.items()}


def _read_results(path: Path) -> list[_Result]:
    """All lines, each checked against those before it."""
    try:
        text = _bytes(path).decode()
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    results: list[_Result] = []
    latest: dict[Slot, str] = {}
    before, chained = hashlib.sha256(), False
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        try:
            one, links = _result(line)
            if links is None and chained:
                raise ValueError("has no hash of the lines before it")
            if links and links[1] != short(before.hexdigest()):
                raise ValueError("does not follow the lines before it: one of them was edited, or taken away")
            slot = _slot(one.trained)
            if (links[0] if links else "") != latest.get(slot, ""):
                what = "is there twice" if slot in latest else "replaces what is not there"
                raise ValueError(f"run {slot[0]!r}, seed {slot[1]} {what}")
        except (ValueError, TypeError, RecursionError) as error:
            raise _damaged(path, f"line {number}: {error}") from error
        latest[slot], chained = _line_hash(line), links is not None
        before.update(line.encode())
        results.append(one)
    return results


def _result(text: str) -> tuple[_Result, tuple[str, str] | None]:
    """A line, with what it replaces and the hash of those before it: early lines have neither."""
    line = json.loads(text)
    wanted = {one.name for one in fields(Trained)} | {"scores"}
    if not isinstance(line, dict) or set(line) not in (wanted, wanted | {"replaces", "before"}):
        raise ValueError(f"needs exactly the keys {', '.join(sorted(wanted))}, replaces, before")
    links = (line.pop("replaces"), line.pop("before")) if "before" in line else None
    scores = line.pop("scores")
    check_kinds(line, {one.name: _KINDS[str(one.type)] for one in fields(Trained)})
    return _Result(text, Trained(**line), scores), links


def _damaged(path: Path, why: str) -> AdcbenchError:
    return AdcbenchError(f"{path}: damaged: {why}. {restore(path.parent)}")
