"""The command line: ``adcbench COMMAND``. A file per group; each command imports only what it needs."""

from __future__ import annotations

import sys

import click

from adcbench import __version__
from adcbench.cli import claims, compare, costs, images, tables, train, videos, weights
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.runlog import log_run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Re-derive the tables of AdcSR and AdcVSR, cell by cell, with a verdict."""


for _module in (tables, images, videos, compare, weights, costs, claims, train):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main() -> None:
    """Entry point: errors a user can act on are one message and exit code 2."""
    try:
        log_run(sys.argv[1:])
        cli.main(prog_name="adcbench", standalone_mode=False)
    except AdcbenchError as error:
        click.echo(f"adcbench: {'missing: ' if isinstance(error, Blocked) else ''}{error}", err=True)
        sys.exit(2)
    except click.exceptions.Abort:
        click.echo("adcbench: stopped. What was computed is kept; run the same command to go on", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
