"""The command that says why a printed value comes out otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adcbench.cli.options import device_option
from adcbench.cli.scoring import check_outputs, store_or_not
from adcbench.core.errors import AdcbenchError

if TYPE_CHECKING:
    from adcbench.metrics.metric import Metric


@click.command()
@click.option("--metric", "name", required=True, help="Its name, as for score and score-video.")
@click.option("--printed", required=True, help="The value to explain, with all its printed digits.")
@click.option("--sr", type=click.Path(path_type=Path), help="Folder of super-resolved images, or of clips.")
@click.option("--hr", type=click.Path(path_type=Path), help="Folder of HR with the same names.")
@click.option("--got", help="Without --sr: the value that you got.")
@click.option("--clip", is_flag=True, help="--sr and --hr are the frames of one clip each.")
@click.option("--pairs", type=click.IntRange(0), help="Most pairs of causes to try where none alone reproduces the "
              "value. [default: 20; of a network 4]")  # fmt: skip
@click.option("--allow-lossy", is_flag=True, help="Score clips that may not be lossless.")
@device_option()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write: every way with its value.")
@click.option("--no-store", is_flag=True, help="Neither read nor keep scores in the store.")
def diagnose(
    name: str, printed: str, sr: Path | None, hr: Path | None, got: str | None, clip: bool, pairs: int | None,
    allow_lossy: bool, device: str, out: Path | None, no_store: bool,
) -> None:  # fmt: skip
    """Which way of scoring gives a printed value? Every known one is tried, and the digits decide.

    Ways are the metric's variants, metrics of the same code, and other handlings of the files: joined by position,
    shifted, resized, a frame late. Where no single one reproduces the value, pairs are tried. What is missing here is
    listed at the end, with exit code 2; samples that can't be scored make it 1.

    With --got instead of --sr nothing is scored: causes are ranked by their effects on our own test sets.
    """
    from adcbench.metrics import find_metrics
    from adcbench.results.diagnosis import printed_number

    metric, *others = find_metrics(name)
    if others:
        raise AdcbenchError(f"--metric {name}: one at a time")
    printed_number(printed)
    if (sr is None) == (got is None):
        raise AdcbenchError("give --sr, and --hr where the metric compares with it; or, without images, --got")
    if got is not None:
        if hr or clip:
            raise AdcbenchError("--got is for two numbers without images: leave out --hr and --clip, or give --sr")
        _without_images(metric, got, printed, out)
        return
    assert sr
    if hr is None and metric.needs_reference:
        raise AdcbenchError(f"{metric.name} compares with HR: give --hr")
    _with_images(metric, printed, sr, hr, clip, pairs, allow_lossy, device, out, no_store)


def _with_images(
    metric: Metric, printed: str, sr: Path, hr: Path | None, clip: bool, pairs: int | None, allow_lossy: bool,
    device: str, out: Path | None, no_store: bool,
) -> None:  # fmt: skip
    from adcbench.report.diagnosis import diagnosis_text, write_diagnosis
    from adcbench.workflows.diagnose.folders import diagnose as workflow
    from adcbench.workflows.diagnose.handling import find_files

    with store_or_not(no_store):
        check_outputs([out])
        files = find_files(sr, hr, clip or metric.of_clips, allow_lossy)
        diagnosis = workflow(files, metric, printed, device=device, pairs=pairs, use_store=not no_store)
    click.echo(diagnosis_text(diagnosis))
    if out:
        write_diagnosis(out, diagnosis)
    sys.exit(2 if diagnosis.blocked else 0 if diagnosis.whole else 1)


def _without_images(metric: Metric, got: str, printed: str, out: Path | None) -> None:
    from adcbench.report.effects import effects_text, write_effects
    from adcbench.results.compare import shown_name
    from adcbench.results.effects import explanations
    from adcbench.workflows.diagnose.numbers import known_effects

    check_outputs([out])
    explained = explanations(known_effects(metric), got, printed)
    if not explained:
        raise AdcbenchError(
            f"no effect on {shown_name(metric)} was measured on our sets, so two numbers alone say nothing; "
            "give the images: --sr and --hr"
        )
    click.echo(effects_text(metric, got, printed, explained))
    if out:
        write_effects(out, explained)


COMMANDS = (diagnose,)
