"""The command line: ``adcbench COMMAND``. A file per group; each command imports only what it needs."""

from __future__ import annotations

import sys

import click

from adcbench import __version__
from adcbench.cli import claims, compare, costs, diagnose, export, images, independent, tables, train, videos, weights
from adcbench.cli.boundary import guarded
from adcbench.core.runlog import log_run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Re-derive the tables of AdcSR and AdcVSR, cell by cell, with a verdict."""


for _module in (tables, images, videos, compare, diagnose, weights, costs, claims, independent, export, train):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main() -> None:
    """Entry point; see ``boundary`` for what a person sees of errors."""

    def command() -> None:
        log_run(sys.argv[1:])
        cli.main(prog_name="adcbench", standalone_mode=False)

    sys.exit(guarded(command))
