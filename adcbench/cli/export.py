"""The command that writes tables in public schemas."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from adcbench.core.errors import AdcbenchError, listed


@click.command()
@click.option("--format", "form", required=True, help="every-eval-ever or hf-eval-results; an unknown one lists all.")
@click.option("--table", "tables", multiple=True, help="Only this table; may be given again. [default: all]")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write below.")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="The day that records name as that of their making "
              "(UTC). [default: of the last commit of tables/ or reproductions/]")  # fmt: skip
@click.option("--benchmark", default="adcbench/adcbench", show_default=True,
              help="hf-eval-results: the Hub data set that stands for these tables.")  # fmt: skip
def export(form: str, tables: tuple[str, ...], out: Path, date: datetime | None, benchmark: str) -> None:
    """Write all cells in a public schema: published and measured values in files of their own.

    Every file is checked against the schema once it is written; exit code 1 if it finds anything. The same tables give
    the same bytes. docs/export.md says what stands where.
    """
    from adcbench.report import export as report
    from adcbench.report.view import read_view
    from adcbench.tables.loading import table_ids

    formats = report.find_formats()
    if form not in formats:
        raise AdcbenchError(f"unknown format {form!r}. Formats: {', '.join(formats)}")
    chosen = formats[form]
    day = int(date.replace(tzinfo=UTC).timestamp()) if date else report.day_of_tables() if chosen.dated else 0
    views = [read_view(table_id) for table_id in dict.fromkeys(tables or table_ids())]
    done = report.export(views, chosen, out, report.Options(day, benchmark))
    click.echo(report.export_text(done))
    if others := report.beside(done):
        names = listed(map(str, others))
        click.echo(f"{len(others)} other files lie beside these, of another table or an export before: {names}")
    faults = [fault for path in done.files for fault in chosen.check(str(path), path.read_bytes())]
    click.echo("\n".join(faults) if faults else f"all {len(done.files)} are right: {chosen.about}")
    sys.exit(1 if faults else 0)


COMMANDS = (export,)
