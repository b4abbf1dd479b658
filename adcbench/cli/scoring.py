"""What all commands that score have in common: look for everything first, score what can be, say the rest at the end.

Exit codes: 0 done; 1 some images or clips could not be scored; 2 something that was asked for is missing here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import check_writable
from adcbench.core.needs import Checkable, Need, available, missing, together
from adcbench.data.media import Part, Sample
from adcbench.data.media.images import IMAGE_SUFFIXES
from adcbench.data.media.videos import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from adcbench.data.test_sets.test_set import TestSet
    from adcbench.metrics.engine.over_frames import Over
    from adcbench.metrics.metric import Metric

M = TypeVar("M", bound=Checkable)


def ready(
    metrics: Sequence[M], needs: Iterable[Need] = (), outputs: Iterable[Path | None] = ()
) -> tuple[list[M], list[tuple[M, Blocked]]]:
    """Metrics that have what they need here, and the others with what they miss, which is said on stderr.

    Args:
        needs: what nothing can be done without.
        outputs: files to write at the end (None: not asked for); their folders are made.

    Raises:
        Blocked: a need or every metric is missing; names all that is, what blocked metrics need too.
        AdcbenchError: an output can't be written, has the name of a picture, or is named twice.
    """
    check_outputs(outputs)
    here, blocked = available(metrics)
    lacking = missing(needs)
    if lacking or not here:
        raise together([*lacking, *(block for _, block in blocked)])
    if blocked:
        click.echo("\n".join(missing_lines(blocked)), err=True)
    return here, blocked


def check_outputs(outputs: Iterable[Path | None]) -> None:
    """Find out before work begins whether files can be written at its end (None: not asked for); makes their folders.

    Raises:
        AdcbenchError: one can't be written, has the name of a picture, or is named twice.
    """
    files = [*filter(None, outputs)]
    for path in files:
        if path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
            raise AdcbenchError(
                f"{path}: scores are written as CSV, and this names a picture or video; name a .csv file"
            )
        check_writable(path)
    if len({path.resolve() for path in files}) < len(files):
        raise AdcbenchError(f"{files[0]}: two outputs would be written there; name two files")


def metrics_for(test_set: TestSet, names: str, others: Sequence[str] = ()) -> list[Metric]:
    """The metrics of a command on a test set: those named, or of ``others``, where none is, all that the set allows.

    Raises:
        AdcbenchError: a name is unknown, or of a metric that compares with HR, which the test set lacks.
    """
    from adcbench.metrics import find_metrics

    chosen = find_metrics(names or ",".join(others))
    if test_set.has_truth:
        return chosen
    alone = [metric for metric in chosen if not metric.needs_reference]
    if names and len(alone) < len(chosen):
        wrong = ", ".join(metric.name for metric in chosen if metric.needs_reference)
        raise AdcbenchError(
            f"{wrong}: compares with HR, and {test_set.name} has none; name metrics that look at the output alone, "
            "such as --metrics niqe"
        )
    return [metric.without_reference() for metric in alone]


def note_shift(samples: Iterable[Sample], metrics: Iterable[Metric]) -> None:
    """A line on stderr where SR lies beside HR in all samples, since no score says so."""
    from adcbench.metrics.alignment import shift_warning

    if text := shift_warning(samples, metrics):
        click.echo(f"adcbench: {text}", err=True)


def missing_lines(blocked: Iterable[tuple[Checkable, Blocked]]) -> list[str]:
    """A line for each metric that is missing here."""
    return [f"missing: {metric.name}: {block}" for metric, block in blocked]


def finish(
    lines: Iterable[str],
    problems: Sequence[str],
    blocked: Sequence[tuple[Checkable, Blocked]],
    *writes: Callable[[], None],
) -> None:
    """Print scores and what is missing, then write files, then exit."""
    click.echo("\n".join([*lines, *missing_lines(blocked)]))
    for write in writes:
        write()
    sys.exit(2 if blocked else 1 if problems else 0)


def score_samples(
    samples: Callable[[], Sequence[Sample]],
    metrics: Sequence[Metric],
    *,
    part: Part = Part(),  # noqa: B008  (immutable)
    over: Over = "clips",
    lossy_ok: bool = False,
    device: str = "cpu",
    out: Path | None = None,
    frame_scores: Path | None = None,
    no_store: bool = False,
) -> None:
    """Score samples, found when metrics are known to be here, with those that are; print, write, and exit.

    Args:
        part, over: see ``metrics.engine.scoring.score``.
        out, frame_scores: CSVs to write of samples and of frames.
        no_store: neither read nor keep scores in the store.
    """
    from adcbench.metrics.engine.scoring import score
    from adcbench.report.scores import score_lines, write_frame_scores, write_scores

    with store_or_not(no_store):
        here, blocked = ready(metrics, outputs=[out, frame_scores])
        opened = samples()
        scored = score(opened, here, part=part, over=over, lossy_ok=lossy_ok, device=device, use_store=not no_store)
        note_shift(opened, here)
        write = [partial(write_scores, out, scored)] if out else []
        write += [partial(write_frame_scores, frame_scores, scored)] if frame_scores else []
        finish(score_lines(here, scored), scored.problems, blocked, *write)


def store_or_not(no_store: bool) -> AbstractContextManager[None]:
    """Where nothing is read from the store or written to it if a user says so, not even hashes of files."""
    return store.turned_off() if no_store else nullcontext()
