"""Score two folders in every way that is known, one cause at a time, then two, and see which gives a printed value."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.needs import available, together
from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric
from adcbench.metrics.variants import both, difference, head_of, relatives, variant_of
from adcbench.results.causes import CAUSES
from adcbench.results.compare import shown_name
from adcbench.results.diagnosis import REPRODUCES, Diagnosis, Way, chance, cut_off, judge, likely_pairs
from adcbench.workflows.diagnose.handling import Files, Handled
from adcbench.workflows.diagnose.handlings import all_handlings

PAIRS, PAIRS_OF_NETWORKS = 20, 4  # most pairs of causes that are tried


@dataclass
class _Trial:
    """What is known so far of one run.

    Args:
        metrics: those that are here, by cause: ``""`` is the one asked for.
        handled: what came of each handling that changed something, by cause.
        failed: way -> why it gave no value.
    """

    files: Files
    device: str
    use_store: bool
    metrics: dict[str, Metric] = field(default_factory=dict)
    handled: dict[str, Handled] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def used(self) -> Metric:
        """The metric as asked for, or the first of its relatives that is here."""
        return self.metrics.get("") or next(iter(self.metrics.values()))

    def score(self, ways: Mapping[tuple[str, ...], Metric], handled: Handled | None = None) -> list[Way]:
        """The ways that gave a value, of the files as they are or after a handling."""
        done = handled or Handled(self.files.samples, "")
        try:
            scored = score(
                done.samples, list(ways.values()), part=done.part, over=done.over, device=self.device,
                use_store=self.use_store, lossy_ok=self.files.lossy_ok,
            )  # fmt: skip
        except Blocked:
            raise
        except AdcbenchError as error:
            self.failed.update({_name(causes): str(error) for causes in ways})
            return []
        made = []
        for causes, metric in ways.items():
            if scored.of(metric.name):
                made.append(_way(causes, metric, scored, self.handled))
            else:
                self.failed[_name(causes)] = scored.why_none(metric.name, self.files.what)
        return made


def _name(causes: Iterable[str]) -> str:
    return " + ".join(causes)


def _way(causes: tuple[str, ...], metric: Metric, scored: Scored, handled: Mapping[str, Handled]) -> Way:
    values = [value for _, value in scored.samples(metric.name)]
    words = [
        handled[cause].what if cause in handled else CAUSES.get(cause) or difference(head_of(metric), metric)
        for cause in causes
    ]
    value = sum(values) / len(values)
    return Way(causes, value, scored.of(metric.name), "; ".join(filter(None, words)), len(scored.lost(metric.name)))


def cause_of(metric: Metric, asked: Metric) -> str:
    """What a metric is called beside the one asked for: its variant; a head, and one of the same code, by its name."""
    same = head_of(metric).name == head_of(asked).name
    return variant_of(metric) if same and variant_of(metric) else metric.name


def diagnose(
    files: Files, metric: Metric, printed: str, *, device: str = "cpu", pairs: int | None = None, use_store: bool = True
) -> Diagnosis:
    """Score the files in every known way and judge each by the printed digits.

    One cause at a time: every variant of the metric, metrics of the same code, and every handling of the files. Where
    none of them reproduces the value, pairs of causes, those first whose moves add up nearest to it.

    Args:
        printed: as it stands in print, such as 28.17: its digits are its precision.
        device: where networks run.
        pairs: most pairs that are tried. [default: 20, of a network 4]

    Raises:
        Blocked: neither the metric nor a variant of it is here.
        AdcbenchError: no way gave a value; ``printed`` is no number.
    """
    asked = metric if files.hr else metric.without_reference()
    others = relatives(metric)
    if not files.hr:
        others = [one.without_reference() for one in others if not one.needs_reference]
    here, blocked = available([asked, *others])
    if not here:
        raise together([block for _, block in blocked])
    trial = _Trial(files, device, use_store)
    trial.metrics = {"" if one.name == metric.name else cause_of(one, metric): one for one in here}
    most = (PAIRS_OF_NETWORKS if metric.is_network else PAIRS) if pairs is None else pairs
    column = shown_name(metric)
    with tempfile.TemporaryDirectory(prefix="adcbench-diagnose-") as folder:
        ways = trial.score({(cause,) if cause else (): one for cause, one in trial.metrics.items()})
        handled = _handled(trial, asked, Path(folder))
        ways += [way for way in handled if len(way.causes) == 1]
        of_others = [way for way in handled if len(way.causes) == 2]  # the metric as asked for is not here
        if not ways and not of_others:
            raise AdcbenchError(next(iter(trial.failed.values()), f"no {files.what} to score"))
        ways.sort(key=lambda way: bool(way.causes))
        single = [*ways, *(way for way in cut_off(ways, printed) if len(way.causes) == 1)]
        explained = any(one.word == REPRODUCES for one in judge(single, printed, column))
        possible = [] if explained else [p for p in likely_pairs(ways, printed) if _both(trial, p)]
        double = [*of_others, *_pairs(trial, possible[:most])]
        cut = [] if explained else [way for way in cut_off(ways, printed) if len(way.causes) == 2]
        with_cut = [] if explained else [way for way in ways if way.causes]  # each was tried with its digits cut off
    return Diagnosis(
        metric, printed, f"{files.sr}" + f" against {files.hr}" * bool(files.hr), len(files.samples), files.what,
        tuple(judge([*single, *double, *cut], printed, column)), files.alone, len(double) + len(with_cut),
        len(possible) + len(of_others) + len(with_cut), chance([*double, *with_cut], printed), tuple(blocked),
        tuple(trial.failed.items()),
        tuple(f"{cause}: {done.what}" for cause, done in trial.handled.items() if done.found),
    )  # fmt: skip


def _handled(trial: _Trial, metric: Metric, folder: Path) -> list[Way]:
    """Each handling that is no variant of the metric, scored with it, or with its first relative that is here.

    The relative is then a cause too: its values are not the metric's.
    """
    used = trial.used
    relative = () if "" in trial.metrics else (next(iter(trial.metrics)),)
    own = {variant_of(one) for one in (metric, *relatives(metric))}
    ways = []
    for handling in all_handlings():
        if handling.cause in own or not handling.concerns(used):
            continue
        try:
            done = handling.apply(trial.files, folder / handling.cause)
        except Blocked:
            raise
        except (AdcbenchError, ValueError) as error:
            trial.failed[handling.cause] = str(error)
            continue
        if done:
            trial.handled[handling.cause] = done
            ways += trial.score({(*relative, handling.cause): used}, done)
    return ways


def _both(trial: _Trial, pair: tuple[str, str]) -> tuple[Metric, Handled | None] | None:
    """The metric and the handling of two causes at once; None where they can't both be."""
    metrics = [trial.metrics[cause] for cause in pair if cause in trial.metrics]
    handled = [trial.handled[cause] for cause in pair if cause in trial.handled]
    metric = both(*metrics) if len(metrics) == 2 else next(iter(metrics), trial.used)
    done = handled[0].with_other(handled[1], trial.files) if len(handled) == 2 else next(iter(handled), None)
    return (metric, done) if metric and (done or not handled) else None


def _pairs(trial: _Trial, chosen: Sequence[tuple[str, str]]) -> list[Way]:
    """Ways with two causes: all on the same samples are scored together."""
    on: list[tuple[Handled | None, dict[tuple[str, ...], Metric]]] = []
    for pair in chosen:
        metric, done = _both(trial, pair) or (None, None)
        assert metric
        ways = next((ways for handled, ways in on if handled == done and metric not in ways.values()), None)
        if ways is None:
            ways = {}
            on.append((done, ways))
        ways[pair] = metric
    return [way for done, ways in on for way in trial.score(ways, done)]
