"""Errors a user is meant to read: each names the file or argument and the remedy."""


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
