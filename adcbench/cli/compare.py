"""The command that says whether A is better than B."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adcbench.cli.options import device_option, note_untrained
from adcbench.cli.scoring import finish, metrics_for, ready
from adcbench.core.errors import AdcbenchError
from adcbench.core.needs import Need

if TYPE_CHECKING:
    from adcbench.data.test_sets.test_set import TestSet
    from adcbench.systems.system import System


@click.command()
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option("--testset", "test_set", help="drealsr, embedded, udm10, ...; an unknown name lists all.")
@click.option("--metrics", help="Comma-separated names. [default: all of the papers' image tables]")
@click.option("--limit", default=0, help="Only so many images, spread evenly over the set.")
@device_option()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write: metric,image,A,B.")
@click.option("--table", help="Compare all measured rows of a table instead, from its committed scores.")
@click.option("--metric", help="Of --table: only this metric's columns (corrected over the whole table all the same).")
def compare(
    a: str | None, b: str | None, test_set: str | None, metrics: str | None, limit: int, device: str,
    out: Path | None, table: str | None, metric: str | None,
) -> None:  # fmt: skip
    """Is A better than B? Per image, with intervals and tests; the answer is the last sentence.

    A and B are each a system (a name, package.module:factory, or the folder of a training run), an output that the
    test set's authors released (OSEDiff), or a folder of PNGs. A folder that is called like one of the others is
    ./NAME. Images that can't be scored are listed, with exit code 1; missing metrics too, with exit code 2 where
    --metrics names them.

    A difference is shown if Wilcoxon's signed-rank p, Holm-corrected over the metrics, is below 0.05, the paired
    95 % interval of the mean leaves out 0, and most images agree with the mean.
    """
    if table:
        if a or b or test_set or metrics or out:
            raise AdcbenchError(
                "--table compares a table's committed rows: of the other options it takes --metric only"
            )
        _rows(table, metric)
        return
    if not (a and b and test_set) or metric:
        raise AdcbenchError("name A, B and --testset; or a table with --table (see adcbench compare --help)")
    from adcbench.data.test_sets.registry import find_test_set, open_test_set
    from adcbench.report.comparison import comparison_text, write_comparison
    from adcbench.results.compare import compare_outputs, find_outputs
    from adcbench.tables.papers import image_scores

    found_set = find_test_set(test_set)
    chosen = metrics_for(found_set, metrics or "", tuple(image_scores().values()))
    systems = [side_system(name, found_set) for name in (a, b)]
    opened = cache(partial(open_test_set, found_set.name))
    needs: list[Need] = [*(system.find_weights for system in systems if system), opened]
    _, blocked = ready(chosen, needs, [out])
    sides = [find_outputs(n, opened(), s, limit=limit, device=device) for n, s in zip((a, b), systems, strict=True)]
    comparison = compare_outputs(sides[0], sides[1], found_set.name, chosen, device=device)
    write = [partial(write_comparison, out, comparison)] if out else []
    finish([comparison_text(comparison)], comparison.problems, blocked if metrics else [], *write)


def side_system(name: str, test_set: TestSet) -> System | None:
    """The system of one side; None where it is outputs, released with the test set or in a folder.

    Raises:
        AdcbenchError: it is none of them.
    """
    from adcbench.systems import find_system, system_names
    from adcbench.systems.trained.runs import is_run

    run = is_run(Path(name))
    if name in test_set.outputs or (name not in system_names() and Path(name).is_dir() and not run):
        return None
    try:
        system = find_system(name)
    except AdcbenchError as error:
        if ":" in name or run:
            raise
        released = f", released output ({', '.join(test_set.outputs)})" if test_set.outputs else ""
        raise AdcbenchError(
            f"{name!r} is no system{released} or folder of {test_set.name}. Systems: {', '.join(system_names())}"
        ) from error
    note_untrained([system])
    return system


def _rows(table_id: str, metric: str | None) -> None:
    from adcbench.core.cells import BROUGHT
    from adcbench.report.files import read_cells
    from adcbench.report.ranking import ranking_text
    from adcbench.report.view import view_of
    from adcbench.results.ranks import test_table
    from adcbench.tables.loading import load_table

    table, cells = load_table(table_id), read_cells(table_id)
    click.echo(ranking_text(table, test_table(table, cells), metric))
    for line in view_of(table, cells).brought:
        click.echo(f"outputs {BROUGHT}: {line}")


COMMANDS = (compare,)
