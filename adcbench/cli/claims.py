"""The command about claims."""

from __future__ import annotations

import click


@click.command()
@click.option("--write", is_flag=True, help="Write tables/claims.md and tables/adcsr_claims/mini.md too.")
def claims(write: bool) -> None:
    """The ledger of claims: as printed, counted at full scale, and re-trained at mini scale."""
    from adcbench.report.ledger import ledger, ledger_text, write_ledger

    lines, runs = ledger()
    click.echo(ledger_text(lines, runs))
    if write:
        click.echo("written: " + ", ".join(map(str, write_ledger(lines, runs))))


COMMANDS = (claims,)
