"""Commands about tables: reproduce, tables, explain, diff, drift, spread."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from adcbench.core.errors import AdcbenchError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
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


@click.command()
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


@click.command()
@click.argument("table")
@click.argument("row")
@click.argument("test_set")
@click.argument("metric")
def explain(table: str, row: str, test_set: str, metric: str) -> None:
    """Everything about one cell: readings, measurements, verdict, provenance, worst images."""
    from adcbench.report import explain as report

    click.echo(report.explain(report.find_key(table, row, test_set, metric)))


@click.command()
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


@click.command()
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


@click.command()
def drift() -> None:
    """Rebuild, re-score and re-run, and compare with the committed tables. Exit code 1 if a value moved."""
    from adcbench.drift import check_all

    checks = check_all()
    click.echo("\n".join(map(str, checks)))
    sys.exit(0 if all(check.passed for check in checks) else 1)


COMMANDS = (reproduce, tables, explain, diff, spread, drift)
