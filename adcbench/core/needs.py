"""What a run needs, all looked for before it begins: a user hears at once of everything that is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adcbench.core.errors import Blocked


def missing(needs: Iterable[Callable[[], object]]) -> list[Blocked]:
    """What is not here of things that each raise ``Blocked`` where they are not."""
    found = []
    for need in needs:
        try:
            need()
        except Blocked as block:
            found.append(block)
    return found


def together(blocks: Sequence[Blocked]) -> Blocked:
    """One error that names each missing thing once, and the commands that bring them, to run in this order."""
    what = dict.fromkeys(block.missing for block in blocks)
    commands = dict.fromkeys(block.command for block in blocks if block.command)
    return Blocked("; ".join(what), " && ".join(commands))
