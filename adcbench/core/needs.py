"""What a run needs, all looked for before it begins: a user hears at once of everything that is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, TypeVar

from adcbench.core.errors import Blocked

Need: TypeAlias = Callable[[], object]  # raises ``Blocked`` where something is not here


class Checkable(Protocol):
    """A metric: ``check_here`` raises ``Blocked`` where a file, library or environment that it needs is not here."""

    @property
    def name(self) -> str: ...
    def check_here(self) -> None: ...


M = TypeVar("M", bound=Checkable)


def available(metrics: Iterable[M]) -> tuple[list[M], list[tuple[M, Blocked]]]:
    """Metrics that have all they need here, and the others with what they miss."""
    here: list[M] = []
    blocked: list[tuple[M, Blocked]] = []
    for metric in metrics:
        try:
            metric.check_here()
            here.append(metric)
        except Blocked as block:
            blocked.append((metric, block))
    return here, blocked


def missing(needs: Iterable[Need]) -> list[Blocked]:
    """What is not here of several needs."""
    blocks = []
    for need in needs:
        try:
            need()
        except Blocked as block:
            blocks.append(block)
    return blocks


def together(blocks: Sequence[Blocked]) -> Blocked:
    """One error that names each missing thing once, and the commands that bring them, to run in this order."""
    what = dict.fromkeys(block.missing for block in blocks)
    commands = dict.fromkeys(block.command for block in blocks if block.command)
    return Blocked("; ".join(what), " && ".join(commands))
