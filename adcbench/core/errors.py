"""Errors a user is meant to read: each names the file or argument and the remedy."""

from collections.abc import Iterable

_SHOWN = 10


def listed(names: Iterable[str]) -> str:
    """The first ten of a list of names, and how many more there are, for an error's text."""
    names = list(names)
    more = f", ... and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def one_line(error: BaseException) -> str:
    """An error's text without its line breaks, for another error's text; its kind where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


class AdcbenchError(Exception):
    """A problem the user can act on. The command line prints its message alone, with exit code 2."""


class Blocked(AdcbenchError):
    """A measurement that can't be made here.

    Args:
        missing: what is not here ("the DRealSR test set", "a CUDA device").
        command: the shell command that unblocks it; empty where no command can.
    """

    def __init__(self, missing: str, command: str = "") -> None:
        super().__init__(f"{missing}. To unblock: {command}" if command else missing)
        self.missing = missing
        self.command = command
