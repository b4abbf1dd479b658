"""The command about independent readings."""

from __future__ import annotations

import click


@click.command()
@click.option("--system", default="", help="Only of this system, as the tables' rows are called.")
@click.option("--test-set", "test_set", default="", help="Only on this test set; complexity: costs.")
@click.option("--metric", default="", help="Only in this metric.")
@click.option("--kind", default="", help="Only of this kind, such as speed or re-run; an unknown one lists all.")
@click.option("--format", "form", type=click.Choice(["text", "csv", "markdown"]), default="text", show_default=True)
def readings(system: str, test_set: str, metric: str, kind: str, form: str) -> None:
    """What other people measured of the systems in the tables, beside the printed values.

    Independent readings are in no paper's cell and in no verdict. Whether one agrees with the printed value goes by the
    printed digits; for times by a factor, on the paper's device only (docs/independent_readings.md).
    """
    from adcbench.report.independent_table import FORMATS, independent_lines

    lines = independent_lines(system=system, test_set=test_set, metric=metric, kind=kind)
    click.echo(FORMATS[form](lines), nl=False)


COMMANDS = (readings,)
