"""The command line: ``adcbench COMMAND``. Each command imports only what it needs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from adcbench import __version__
from adcbench.core.errors import AdcbenchError
from adcbench.core.runlog import log_run

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Re-derive the tables of AdcSR and AdcVSR, cell by cell, with a verdict."""


@cli.command()
@click.argument("tables", nargs=-1)
@click.option("--number", help="Every table of this number, such as 2 or C.2, instead of ids.")
@click.option(
    "--outputs", multiple=True, metavar="ROW@SET=DIR", help="Score a folder of SR PNGs as a row's released outputs."
)
@click.option("--device", default="cpu", show_default=True, help="Where networks run: cpu, cuda.")
@click.option("--quiet", is_flag=True, help="No progress bars, no printed table.")
def reproduce(tables: tuple[str, ...], number: str | None, outputs: tuple[str, ...], device: str, quiet: bool) -> None:
    """Measure what can be measured here, write tables/ and print the verdicts."""
    from adcbench import reproduce as pipeline
    from adcbench.core.tables import load_table, numbered
    from adcbench.jobs import Options
    from adcbench.report.terminal import table_text

    ids = (*tables, *(numbered(number) if number else ()))
    if not ids:
        raise AdcbenchError("name a table id (see `adcbench tables`) or give --number")
    options = Options(outputs=_outputs(outputs), device=device, progress=not quiet)
    for table_id in ids:
        cells = pipeline.reproduce(table_id, options)
        if not quiet:
            click.echo(table_text(load_table(table_id), cells) + "\n")


def _outputs(texts: tuple[str, ...]) -> dict[tuple[str, str], Path]:
    found = {}
    for text in texts:
        place, _, folder = text.partition("=")
        row, _, test_set = place.rpartition("@")
        if not (row and test_set and folder):
            raise AdcbenchError(f"--outputs {text!r}: write it as ROW@TESTSET=DIR, such as 'StableSR@DRealSR=out/'")
        if not Path(folder).is_dir():
            raise AdcbenchError(f"--outputs {text!r}: no folder {folder}")
        found[row, test_set] = Path(folder).resolve()
    return found


@cli.command()
@click.option("--write", is_flag=True, help="Derive every file again (LaTeX, Markdown, CSV) from the committed rows.")
def tables(write: bool) -> None:
    """List all tables with the number of cells of each verdict."""
    from adcbench import reproduce as pipeline
    from adcbench.core.tables import table_ids
    from adcbench.report.readme import write_readme
    from adcbench.report.terminal import overview

    if write:
        for table_id in table_ids():
            pipeline.rebuild(table_id)
        write_readme()
    click.echo(overview())


@cli.command()
@click.argument("table")
@click.argument("row")
@click.argument("test_set")
@click.argument("metric")
def explain(table: str, row: str, test_set: str, metric: str) -> None:
    """Everything about one cell: readings, measurements, verdict, provenance, worst images."""
    from adcbench.report import explain as report

    click.echo(report.explain(report.find_key(table, row, test_set, metric)))


@cli.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
def diff(old: Path, new: Path) -> None:
    """What changed between two folders of tables: verdicts, values, and which images moved.

    Exit code 1 if anything did.
    """
    from adcbench.core.tables import table_ids
    from adcbench.report.files import folder, read_cells
    from adcbench.results.diff import compare

    both = [t for t in table_ids() if folder(t, old).is_dir() or folder(t, new).is_dir()]
    if not both:
        raise AdcbenchError(f"neither {old} nor {new} holds a table's folder, such as adcsr_table1/")
    changes = [line for t in both for line in compare(read_cells(t, old), read_cells(t, new))]
    click.echo("\n".join(changes) if changes else "no differences")
    sys.exit(1 if changes else 0)


@cli.command()
@click.option("--sr", required=True, type=click.Path(path_type=Path), help="Folder of super-resolved PNGs.")
@click.option("--hr", required=True, type=click.Path(path_type=Path), help="Folder of HR PNGs with the same names.")
@click.option("--metrics", default="psnr,ssim", show_default=True, help="Comma-separated names.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write: image,metric,score.")
@click.option("--no-store", is_flag=True, help="Neither read nor keep scores in the store.")
def score(sr: Path, hr: Path, metrics: str, out: Path | None, no_store: bool) -> None:
    """Score a folder of outputs against HR, joined by name; prints means with 95 % intervals."""
    from adcbench.data.pairs import pair
    from adcbench.metrics import find_metric
    from adcbench.metrics.scoring import score_pairs
    from adcbench.results.bootstrap import interval

    chosen = [find_metric(name.strip().lower()) for name in metrics.split(",") if name.strip()]
    found = score_pairs(pair(sr, hr), chosen, use_store=not no_store)
    if out:
        _write_scores(out, [(image, metric, value) for metric, rows in found.items() for image, value in rows])
    for metric in chosen:
        values = [value for _, value in found[metric.name]]
        low, high = interval(values)
        mean = sum(values) / len(values)
        spread = f"(n={len(values)}, 95 % {low:.4f} to {high:.4f})"
        click.echo(f"{metric.name} {mean:.4f} {metric.unit} {spread}  [{metric.signature}]")


def _write_scores(path: Path, rows: list[tuple[str, str, float]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("image", "metric", "score"))
            writer.writerows((image, metric, f"{value:.10g}") for image, metric, value in sorted(rows))
    except OSError as error:
        raise AdcbenchError(
            f"cannot write {path}: {error}. The scores are kept in the store; run again with another --out"
        ) from error


@cli.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download a test set (drealsr, realsr) or a system's checkpoints (adcsr), verified and resumable."""
    from adcbench.core.settings import weights_dir
    from adcbench.data.fetch import fetch as fetch_testset
    from adcbench.data.fetch import fetch_weights
    from adcbench.data.testsets import TESTSETS
    from adcbench.models import SYSTEMS, find_system

    sets = {testset.folder: testset for testset in TESTSETS.values()}
    if name.lower() in sets:
        click.echo(f"{sets[name.lower()].name}: {fetch_testset(sets[name.lower()])}")
    elif name in SYSTEMS and find_system(name).files:
        fetch_weights(find_system(name).files, weights_dir() / name)
        click.echo(f"checkpoints of {name} are in {weights_dir() / name}")
    else:
        systems = [system for system in SYSTEMS if find_system(system).files]
        raise AdcbenchError(f"nothing to fetch is called {name!r}. There are: {', '.join([*sets, *systems])}")


@cli.command()
@click.argument("networks", nargs=-1, required=True)
@click.option("--fvcore", is_flag=True, help="Check the counts with fvcore on CPU (minutes; kept in the store).")
def count(networks: tuple[str, ...], fvcore: bool) -> None:
    """Parameters and MACs of networks, by component, in both conventions."""
    from adcbench.cost.counts import cached_count
    from adcbench.cost.fvcore_check import check
    from adcbench.report.terminal import cost_text, fvcore_text

    for network in networks:
        click.echo(cost_text(cached_count(network)))
        if fvcore:
            click.echo(fvcore_text(check(network)))


@cli.command()
@click.argument("systems", nargs=-1, required=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--dtype", default="float32", show_default=True)
@click.option("--size", default=128, show_default=True, help="Side of the LR image, in pixels.")
def latency(systems: tuple[str, ...], device: str, dtype: str, size: int) -> None:
    """Time systems alternately in processes of their own, and keep every raw value in the store."""
    from adcbench.cost.latency import measure
    from adcbench.report.terminal import latency_text

    click.echo(latency_text(measure(systems, device=device, dtype=dtype, size=size)))


@cli.command()
@click.argument("system")
@click.argument("test_set")
@click.option("--dtypes", default="", help="Comma-separated precisions to try besides float32.")
@click.option("--seeds", default=5, show_default=True, help="How many seeds, where the system uses one.")
@click.option("--write", is_flag=True, help="Put the result into reproductions/spread.csv.")
def spread(system: str, test_set: str, dtypes: str, seeds: int, write: bool) -> None:
    """How far re-runs of a system move its means: rounding, precision, seed. The verdict close uses it."""
    from adcbench.spread import measure_spread, write_spread

    means = measure_spread(system, test_set, dtypes=[d.strip() for d in dtypes.split(",") if d.strip()], seeds=seeds)
    for variant, values in means.items():
        click.echo(f"{variant}: " + ", ".join(f"{metric} {value:.5f}" for metric, value in values.items()))
    if write:
        click.echo(f"written to {write_spread(system, test_set, means)}")


@cli.command()
def drift() -> None:
    """Rebuild, re-score and re-run, and compare with the committed tables. Exit code 1 if a value moved."""
    from adcbench.drift import check_all

    checks = check_all()
    click.echo("\n".join(map(str, checks)))
    sys.exit(0 if all(check.passed for check in checks) else 1)


def main() -> None:
    """Entry point: errors a user can act on are one message and exit code 2."""
    try:
        log_run(sys.argv[1:])
        cli.main(prog_name="adcbench", standalone_mode=False)
    except AdcbenchError as error:
        click.echo(f"adcbench: {error}", err=True)
        sys.exit(2)
    except click.exceptions.Abort:
        click.echo("adcbench: stopped. What was computed is kept; run the same command to go on", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
