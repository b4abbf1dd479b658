"""Commands about images: score, upscale, evaluate, fetch."""

from __future__ import annotations

import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from adcbench.cli.options import device_option, note_untrained
from adcbench.cli.scoring import finish, metrics_for, ready, score_samples
from adcbench.core.errors import AdcbenchError
from adcbench.core.needs import Need

if TYPE_CHECKING:
    from adcbench.systems.system import System

_FILE = click.Path(dir_okay=False, path_type=Path)
_METRICS = click.option("--metrics", default="psnr,ssim", show_default=True, help="Comma-separated names.")
_OUT = click.option("--out", type=_FILE, help="CSV to write: image,metric,score.")
_SYSTEM = click.option(
    "--system",
    "name",
    required=True,
    help="A name (see README), the folder of a training run, or package.module:factory.",
)
_DTYPE = click.option("--dtype", default="float32", show_default=True, help="float32, bfloat16 or float16.")
_SEED = click.option("--seed", default=0, show_default=True, help="Of the run; each image's is made of it.")
_ROUNDING = click.option(
    "--rounding", type=click.Choice(["round", "truncate"]), help="From floats to 8 bits. [default: as the authors]",
)  # fmt: skip


@click.command()
@click.option("--sr", required=True, type=click.Path(path_type=Path), help="Folder of super-resolved PNGs.")
@click.option("--hr", type=click.Path(path_type=Path), help="Folder of HR PNGs with the same names.")
@_METRICS
@device_option()
@_OUT
@click.option("--no-store", is_flag=True, help="Neither read nor keep scores in the store.")
def score(sr: Path, hr: Path | None, metrics: str, device: str, out: Path | None, no_store: bool) -> None:
    """Score a folder of outputs against HR, joined by name; prints means with 95 % intervals.

    Without --hr only metrics that look at the output alone can score: --metrics niqe,musiq. Each image is read once for
    all metrics. Images that can't be scored are listed, with exit code 1. Metrics whose files are missing are said
    first and listed at the end, with exit code 2; the others are scored all the same. SR that lies beside HR, by three
    quarters of a pixel or more in all images, is said on stderr.
    """
    from adcbench.data.media import pair
    from adcbench.metrics import find_metrics

    chosen = find_metrics(metrics, reference=hr is not None)
    score_samples(lambda: pair(sr, hr), chosen, device=device, out=out, no_store=no_store)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@_SYSTEM
@device_option()
@_DTYPE
@_SEED
@_ROUNDING
@click.option("--tile", type=click.IntRange(0), help="Side of tiles in LR pixels; 0: whole. [default: whole up to "
              "512x512 LR pixels, above that 256]")  # fmt: skip
@click.option("--overlap", type=click.IntRange(0), default=32, show_default=True, help="Of tiles, in LR pixels.")
@click.option("--compare", is_flag=True, help="Run whole as well, and say how far the tiled output is from it.")
@click.option("--weights", type=click.Path(file_okay=False, exists=True, path_type=Path),
              help="Folder with weight files of your own, under the system's file names.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Make outputs again that are there, whatever made them.")
def upscale(
    source: Path, target: Path, name: str, device: str, dtype: str, seed: int,
    rounding: Literal["round", "truncate"] | None, tile: int | None, overlap: int, compare: bool,
    weights: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Upscale an image or a folder of images x4 to PNGs of the same names.

    Reads PNG, JPEG, WebP and BMP, turned upright. Greyscale becomes RGB and an opaque alpha channel is dropped;
    transparent pixels, 16 bits a channel, CMYK and animations are errors. Colours are not converted: an ICC profile
    goes into the output. Bad images are listed at the end, with exit code 1.

    Every output has a stamp that says what made it. One that is there is skipped if it is what would be made: same
    system, version, weights, settings and input. Anything else is left alone and listed, with exit code 2; damaged
    files are made again.

    Tiles change what looks at the whole image: attention, normalisation, and colour matching, which AdcSR does
    within each tile. Flat tiles can shift in colour: prefer whole images, or large tiles.
    """
    from adcbench.inference.folder import Settings, upscale_files, with_weights
    from adcbench.systems import find_system

    system = find_system(name)
    note_untrained([system])
    if weights:
        system = with_weights(system, weights)
    settings = Settings(device, dtype, seed, rounding, tile, overlap, compare, overwrite)
    outcome = upscale_files(system, source, target, settings)
    click.echo(str(outcome))
    sys.exit(outcome.exit_code)


@click.command()
@_SYSTEM
@click.option("--testset", "test_set", help="drealsr, embedded, udm10, ...; an unknown name lists all.")
@_METRICS
@device_option()
@_DTYPE
@_SEED
@_ROUNDING
@_OUT
@click.option("--limit", default=0, help="Only so many images or clips, spread evenly over the set.")
@click.option("--window", default=0, type=click.IntRange(0),
              help="Frames of a clip that a system of clips is given at a time; 0: all.")  # fmt: skip
@click.option("--check", is_flag=True, help="Check the system against the contract first; exit code 1 if it fails.")
def evaluate(
    name: str, test_set: str | None, metrics: str, device: str, dtype: str, seed: int,
    rounding: Literal["round", "truncate"] | None, out: Path | None, limit: int, window: int,
    check: bool,
) -> None:  # fmt: skip
    """Score a system, built in or your own, on a test set: upscaled once, kept, compared with HR.

    A system of images gets the frames of clips one by one, one of clips an image as a clip of one frame.
    What is missing here is said before anything runs. A missing metric is listed again at the end, with exit code 2,
    and the others are scored; images that can't be scored are listed, with exit code 1.
    """
    from adcbench.data.test_sets.registry import find_test_set, open_test_set
    from adcbench.report.scores import score_lines, write_scores
    from adcbench.systems import find_system
    from adcbench.workflows import evaluate as workflow

    system = find_system(name)
    note_untrained([system])
    if not test_set:
        if not check:
            raise AdcbenchError("give --testset, --check, or both")
        _check(system, device)
        return
    opened = cache(partial(open_test_set, test_set))
    needs: list[Need] = [system.find_weights, opened]
    wanted = metrics_for(find_test_set(test_set), metrics)
    here, blocked = ready(wanted, needs, [out])
    if check:
        _check(system, device)
    scored = workflow.evaluate(
        system, opened(), here, device=device, dtype=dtype, seed=seed, rounding=rounding, limit=limit, window=window
    )
    write = [partial(write_scores, out, scored)] if out else []
    finish(score_lines(here, scored), scored.problems, blocked, *write)


def _check(system: System, device: str) -> None:
    from adcbench.inference.contract import check

    problems = check(system, device)
    if problems:
        click.echo("\n".join(f"{system.name}: {problem}" for problem in problems))
        sys.exit(1)
    click.echo(f"{system.name} keeps the contract")


@click.command()
@click.argument("name")
@click.option("--from", "source", type=click.Path(path_type=Path),
              help="photographs: folder with the Debian packages, or their files, instead of apt-get.")  # fmt: skip
def fetch(name: str, source: Path | None) -> None:
    """Make a test set complete: download it, verified and resumable, or record what you put there.

    NAME is drealsr, realsr, one of your own, ... (`adcbench testsets` lists all); or photographs, to train on at the
    mini scale.

    Checkpoints: adcbench weights fetch.
    """
    from adcbench.data.test_sets.fetch import fetch as fetch_test_set
    from adcbench.data.test_sets.registry import find_test_set
    from adcbench.data.training.photographs import fetch_photographs
    from adcbench.systems import system_names

    if name.lower() == "photographs":
        click.echo(f"photographs: {fetch_photographs(source)}")
        return
    if source:
        raise AdcbenchError(f"--from is for photographs, not for {name}")
    if name in system_names():
        raise AdcbenchError(f"{name} is a system, not a test set. Its checkpoints: adcbench weights fetch {name}")
    test_set = find_test_set(name)
    click.echo(f"{test_set.name}: {fetch_test_set(test_set)}")


@click.command()
def testsets() -> None:
    """List all test sets, ours and those of installed packages: how many samples, with HR or not, here or missing."""
    from adcbench.report.test_sets import test_sets_text

    click.echo(test_sets_text())


COMMANDS = (score, upscale, evaluate, fetch, testsets)
