"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adcbench.core.device import check_device
from adcbench.core.errors import AdcbenchError

if TYPE_CHECKING:
    from adcbench.systems.system import System

F = TypeVar("F", bound=Callable[..., Any])


def device_option(default: str = "cpu", help: str = "cpu, cuda, cuda:1.") -> Callable[[F], F]:
    """``--device``, checked before a command begins; ``default`` may be empty where a command can do without."""

    def check(_context: click.Context, _option: click.Parameter, device: str) -> str:
        if device != default:
            check_device(device)
        return device

    return click.option("--device", default=default, show_default=bool(default), callback=check, help=help)


yes_option = click.option("--yes", is_flag=True, help="Do not ask: sizes and licences are agreed to.")


def agree(yes: bool) -> None:
    """Go on only if somebody agrees to what was said; ``yes``: somebody has.

    Raises:
        AdcbenchError: nobody is there to ask.
        click.Abort: somebody declined.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise AdcbenchError(
            "no terminal to ask in; to agree to these sizes and licences, add --yes. Nothing was downloaded"
        )
    click.confirm("Download?", abort=True)


def note_untrained(systems: Iterable[System]) -> None:
    """Of systems that nobody trained that is printed on stderr, since their outputs are files like any others."""
    for system in systems:
        if system.scale == "mini" and not system.files:
            text = f"{system.name} is untrained, for tests and timing: its pictures and scores mean nothing"
            click.echo(text, err=True)
