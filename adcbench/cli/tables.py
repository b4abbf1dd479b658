"""Commands about tables: reproduce, tables, explain, diff, drift, spread."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Literal

import click

from adcbench.cli.options import agree, device_option, note_untrained, yes_option
from adcbench.cli.scoring import metrics_for, missing_lines, ready
from adcbench.core.errors import AdcbenchError
from adcbench.core.needs import Need

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("tables", nargs=-1)
@click.option("--number", help="Every table of this number, such as 2 or C.2, instead of ids.")
@click.option(
    "--outputs", multiple=True, metavar="ROW@SET=DIR", help="Score a folder of SR PNGs as a row's released outputs."
)
@device_option(help="Where networks run: cpu, cuda.")
@click.option("--fetch", is_flag=True, help="First download what the tables need: says sizes, licences and time, asks.")
@yes_option
@click.option("--quiet", is_flag=True, help="No progress bars, no printed table.")
def reproduce(
    tables: tuple[str, ...], number: str | None, outputs: tuple[str, ...], device: str, fetch: bool, yes: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Measure what can be measured here, write tables/ and print the verdicts.

    The same command again goes on where it was stopped: what was downloaded, upscaled and scored is kept.
    """
    from adcbench.report.terminal import table_text
    from adcbench.report.view import view_of
    from adcbench.tables import Context
    from adcbench.tables.loading import load_table, numbered
    from adcbench.workflows import reproduce as pipeline

    ids = (*tables, *(numbered(number) if number else ()))
    if not ids:
        raise AdcbenchError("name a table id (see `adcbench tables`) or give --number")
    options = Context(outputs=_outputs(outputs), device=device, progress=not quiet)
    not_here = _prepare(ids, device, yes, progress=not quiet) if fetch else {}

    def one(table_id: str) -> None:
        cells = pipeline.reproduce(table_id, options)
        if not quiet:
            click.echo(table_text(view_of(load_table(table_id), cells)) + "\n")

    raise_all(not_here | each(ids, one))


def _prepare(ids: Iterable[str], device: str, yes: bool, progress: bool) -> dict[str, AdcbenchError]:
    """Download what tables need, once somebody agrees; what could not be had, to be said after what could is measured.

    Raises:
        AdcbenchError: unknown table, no connection allowed, no room on the disk, or nobody to agree.
    """
    from adcbench.core.offline import need_network
    from adcbench.core.space import check_space
    from adcbench.workflows import prepare, run_time

    plan = prepare.plan(ids)
    click.echo("\n".join(filter(None, (prepare.plan_text(plan), run_time.text(run_time.estimates(ids, device))))))
    if plan.downloads:
        need_network("the files above")
        check_space(plan.wanted_space())
        agree(yes)
    problem = prepare.not_brought(prepare.bring(plan, progress))
    return {"--fetch": problem} if problem else {}


def each(ids: Iterable[str], do: Callable[[str], None]) -> dict[str, AdcbenchError]:
    """Do something with each table; the errors, by id: one bad table does not stop the others."""
    problems = {}
    for table_id in dict.fromkeys(ids):
        try:
            do(table_id)
        except AdcbenchError as error:
            problems[table_id] = error
    return problems


def raise_all(problems: Mapping[str, AdcbenchError]) -> None:
    """Raise what went wrong with tables, as one error: a line a table; alone as it is."""
    if len(problems) == 1:
        raise next(iter(problems.values()))
    if problems:
        lines = "".join(f"\n- {table_id}: {error}" for table_id, error in problems.items())
        raise AdcbenchError(f"{len(problems)} tables are not done:{lines}")


def _outputs(texts: tuple[str, ...]) -> dict[tuple[str, str], Path]:
    folders = {}
    for text in texts:
        place, _, folder = text.partition("=")
        row, _, test_set = place.rpartition("@")
        if not (row and test_set and folder):
            raise AdcbenchError(f"--outputs {text!r}: write it as ROW@TEST_SET=DIR, such as 'StableSR@DRealSR=out/'")
        if not Path(folder).is_dir():
            raise AdcbenchError(f"--outputs {text!r}: no folder {folder}")
        folders[row, test_set] = Path(folder).resolve()
    return folders


@click.command()
@click.argument("ids", nargs=-1, metavar="[TABLE]...")
@click.option("--write", is_flag=True, help="Derive every file again (LaTeX, Markdown, CSV) from the committed rows.")
@click.option("--intervals", is_flag=True, help="With 95 % intervals over images.")
@click.option("--marks", is_flag=True, help="Mark values that differ (s) from their column's best, or not (ns).")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Write LaTeX, Markdown and CSV below "
              "this folder, and leave the tables' own files alone.")  # fmt: skip
def tables(ids: tuple[str, ...], write: bool, intervals: bool, marks: bool, to: Path | None) -> None:
    """List all tables with the number of cells of each verdict; or print those named."""
    from adcbench.report.ledger import ledger, write_ledger
    from adcbench.report.readme import write_readme
    from adcbench.report.sources import keep_sources
    from adcbench.report.terminal import overview, table_text
    from adcbench.report.view import read_view, read_views
    from adcbench.report.writers import write_texts
    from adcbench.tables.loading import table_ids
    from adcbench.workflows import reproduce as pipeline

    def one(table_id: str) -> None:
        view = read_view(table_id, intervals=intervals, marks=marks)
        if write and not to:
            pipeline.rebuild(table_id)
        if to or (write and (intervals or marks)):
            write_texts(view, to)
        if ids:
            click.echo(table_text(view) + "\n")

    problems = each(ids or (table_ids() if write or to else ()), one)
    if write and not ids and not to and not problems:  # these are of all tables
        keep_sources()
        write_readme()
        write_ledger(*ledger())
    if not ids:
        views, unreadable = read_views()
        click.echo(overview(views.values()))
        problems |= unreadable
    raise_all(problems)


@click.command()
@click.argument("table")
@click.argument("row")
@click.argument("test_set")
@click.argument("metric")
def explain(table: str, row: str, test_set: str, metric: str) -> None:
    """Everything about one cell: readings, measurements, verdict, provenance, worst images.

    Counts, times and steps belong to no test set: there TEST_SET is complexity.
    """
    from adcbench.report import explain as report

    click.echo(report.explain(report.find_key(table, row, test_set, metric)))


@click.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
def diff(old: Path, new: Path) -> None:
    """What changed between two folders of tables: verdicts, values, and which images moved.

    Exit code 1 if anything did.
    """
    from adcbench.report.files import folder, read_cells
    from adcbench.results.diff import compare
    from adcbench.tables.loading import table_ids

    changes: list[str] = []
    both = [t for t in table_ids() if folder(t, old).is_dir() or folder(t, new).is_dir()]
    if not both:
        raise AdcbenchError(f"neither {old} nor {new} holds a table's folder, such as adcsr_table1/")
    problems = each(both, lambda t: changes.extend(compare(read_cells(t, old), read_cells(t, new))))
    click.echo("\n".join(changes) if changes else "no differences")
    raise_all(problems)
    sys.exit(1 if changes else 0)


@click.command()
@click.argument("name")
@click.argument("test_set")
@click.option("--level", type=click.Choice(["inference", "scores"]), default="inference", show_default=True,
              help="What is done again: running the system NAME, or scoring the outputs NAME.")  # fmt: skip
@click.option("--metrics", default="", help="Comma-separated columns or names. [default: those whose weights are here]")
@click.option("--dtypes", default="", help="Comma-separated precisions to run in besides float32.")
@click.option("--seeds", default=5, show_default=True, help="How many seeds, where the system uses one.")
@device_option(default="", help="Another device to try besides the CPU, such as cuda.")
@click.option("--other", "others", multiple=True, metavar="CHANGE=SYSTEM",
              help="A system that should compute the same: 'weights in float16=my_pkg.net:factory'.")  # fmt: skip
@click.option("--limit", default=0, help="Only so many images, spread evenly over the set.")
@click.option("--write", is_flag=True, help="Put the result into reproductions/spread.csv.")
def spread(
    name: str, test_set: str, level: Literal["inference", "scores"], metrics: str, dtypes: str, seeds: int,
    device: str, others: tuple[str, ...], limit: int, write: bool,
) -> None:  # fmt: skip
    """How far doing the same again moves means. The verdict close goes by it.

    Level inference: a system on other threads, in another precision, device, seed, or another system that should
    compute the same; and, shown but no spread, with another rounding to 8 bits. Level scores: the outputs of a
    system, of a test set's authors (OSEDiff) or in a folder, scored again with what differs between machines.
    Missing metrics are listed, with exit code 2 where --metrics names them.
    """
    from adcbench.cli.compare import side_system
    from adcbench.data.test_sets.registry import find_test_set, open_test_set
    from adcbench.results.compare import find_outputs, shown_name
    from adcbench.systems import find_system
    from adcbench.tables.papers import image_scores
    from adcbench.workflows.spread import inference_moves, scores_moves, spread_lines, spread_path, write_spread

    if write:
        spread_path()  # before hours of measuring
    columns = {column.lower(): metric for column, metric in image_scores().items()}
    names = [columns.get(one.strip().lower(), one) for one in metrics.split(",") if one.strip()]
    found_set = find_test_set(test_set)
    chosen = metrics_for(found_set, ",".join(names), tuple(image_scores().values()))
    system = find_system(name) if level == "inference" else side_system(name, found_set)
    opened = cache(partial(open_test_set, found_set.name))
    needs: list[Need] = [*([system.find_weights] if system else []), opened]
    here, blocked = ready(chosen, needs)
    wanted = {shown_name(metric): metric for metric in here}
    if system and level == "inference":
        tried = [dtype.strip() for dtype in dtypes.split(",") if dtype.strip()]
        same = {change: find_system(name) for change, name in map(_other, others)}
        note_untrained([system, *same.values()])
        moves = inference_moves(
            system, opened(), wanted, dtypes=tried, seeds=seeds, device=device, others=same, limit=limit
        )
        subject = f"{name} on {found_set.name}" + f", {limit} images" * bool(limit)
    else:
        side = find_outputs(name, opened(), system, limit=limit)
        moves = scores_moves(side.pairs, wanted, device=device)
        subject = f"{side.name} ({side.what}) on {found_set.name}, {len(side.pairs)} images, scored again"
    click.echo("\n".join([*spread_lines(moves), *missing_lines(blocked)]))
    if write:
        typed = {"level": level if level != "inference" else "", "metrics": metrics, "dtypes": dtypes,
                 "seeds": seeds if seeds != 5 else "", "device": device, "limit": limit or ""}  # fmt: skip
        options = "".join(f" --{option} {value}" for option, value in typed.items() if value)
        options += "".join(f" --other {shlex.quote(other)}" for other in others)
        command = f"adcbench spread {name} {found_set.folder}{options} --write"
        click.echo(f"written to {write_spread(level, subject, moves, command)}")
    sys.exit(2 if blocked and names else 0)


def _other(text: str) -> tuple[str, str]:
    change, _, name = text.partition("=")
    if not (change and name):
        raise AdcbenchError(f"--other {text!r}: write it as CHANGE=SYSTEM, such as 'ncnn=my_pkg.net:factory'")
    return change, name


@click.command()
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
              help="cpu: tables and goldens; cuda: goldens on the GPU.")  # fmt: skip
@click.option("--record", is_flag=True, help="Record this machine's goldens instead of comparing with them.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="With --record: the file to write.")
@click.option("--versions", type=_FOLDER, help="Compare the environments that `nox -s drift-matrix` measured.")
def drift(device: str, record: bool, to: Path | None, versions: Path | None) -> None:
    """Rebuild, re-score and re-run, and compare with what is committed.

    Exit code 1 if a value moved or nothing could be measured.
    """
    from adcbench.workflows.drift import check_all
    from adcbench.workflows.drift.goldens import golden_dir, write_golden
    from adcbench.workflows.drift.values import kind_of_machine, measure
    from adcbench.workflows.drift.versions import compare_folder, write_report

    if record:
        path = to or golden_dir() / f"{kind_of_machine(device)}.json"  # before it is measured
        golden = measure(device)
        write_golden(golden, path)
        click.echo("\n".join([f"{len(golden.values)} values written to {path}", *golden.blocked, *golden.failed]))
        sys.exit(0 if golden.values and not golden.failed else 1)
    if versions:
        matrix = compare_folder(versions, golden_dir())
        click.echo(write_report(matrix, versions))
        sys.exit(0 if matrix.passed else 1)
    checks = check_all(device)
    click.echo("\n".join(map(str, checks)))
    sys.exit(0 if all(check.passed for check in checks) else 1)


COMMANDS = (reproduce, tables, explain, diff, spread, drift)
