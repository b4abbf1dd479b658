"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from adcbench.core.device import check_device

F = TypeVar("F", bound=Callable[..., Any])


def device_option(default: str = "cpu", help: str = "cpu, cuda, cuda:1.") -> Callable[[F], F]:
    """``--device``, checked before a command begins; ``default`` may be empty where a command can do without."""

    def check(_context: click.Context, _option: click.Parameter, device: str) -> str:
        if device != default:
            check_device(device)
        return device

    return click.option("--device", default=default, show_default=bool(default), callback=check, help=help)
