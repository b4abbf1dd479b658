"""Commands run in this process, as tests of the command line do."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def error(*arguments: str | Path) -> str:
    """The message of a command that must fail with an error meant for users."""
    return message(run(*arguments))


def message(result: Result) -> str:
    assert isinstance(result.exception, AdcbenchError), result.output
    return str(result.exception)
