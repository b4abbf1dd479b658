"""The edge between the program and a person: streams that take any text, and every error as one line.

Exit codes: 0 done; 1 done, but for some items (or the reader of the output went away, as click has it); 2 something
that a user can act on; 70 a fault of adcbench itself, whose traceback is kept in a file; 130 stopped.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import write_whole
from adcbench.core.out_of_memory import is_out_of_memory
from adcbench.core.settings import PACKAGE, cache_dir

INCOMPLETE, REFUSED, FAULT, STOPPED = 1, 2, 70, 130
_OF_STREAMS = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT)
_LIBRARIES = warnings.formatwarning


def guarded(command: Callable[[], object]) -> int:
    """Run a command line; its exit code. What went wrong is one line on stderr."""
    _open_streams()
    warnings.formatwarning = _warning
    try:
        command()
        sys.stdout.flush()
    except (KeyboardInterrupt, click.exceptions.Abort):
        return _say("stopped. What was computed is kept; run the same command to go on", STOPPED)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AdcbenchError as error:
        return _say(f"{'missing: ' if isinstance(error, Blocked) else ''}{error}", REFUSED)
    except Exception as error:
        return _unforeseen(error)
    return 0


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _OF_STREAMS and error.filename is None:
        _give_up_stdout()
        return INCOMPLETE if error.errno == errno.EPIPE else _say(f"can't print to stdout: {error.strerror}", REFUSED)
    if is_out_of_memory(error):
        return _say(f"out of memory ({_first_line(error)}); stop other programs, or ask for less at a time", REFUSED)
    if isinstance(error, OSError) and error.strerror:
        return _say(f"{_named(error)}: {error.strerror}", REFUSED)
    kept = _keep("".join(traceback.format_exception(error)))
    what = f"{type(error).__name__}: {_first_line(error)}" if str(error) else type(error).__name__
    return _say(f"a fault of adcbench{_place(error)}: {what}. Please report it{kept}", FAULT)


def _named(error: OSError) -> str:
    """Which file an error of the system is about; the working directory's errors name none."""
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    if names:
        return " and ".join(names)
    try:
        return str(Path.cwd())
    except OSError:
        return "the working directory"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no details")[:300]


def _place(error: Exception) -> str:
    """Where in our code it happened, the innermost line."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(f"{PACKAGE}{os.sep}")]
    return f" at {Path(ours[-1].filename).relative_to(PACKAGE.parent)}:{ours[-1].lineno}" if ours else ""


def _keep(text: str) -> str:
    """Keep a traceback; the words that say where."""
    path = cache_dir() / "last_fault.txt"
    try:
        write_whole(path, f"{' '.join(sys.argv)}\n\n{text}".encode("utf-8", "backslashreplace"))
    except AdcbenchError:
        return f":\n{text}"
    return f" with {path}"


def _say(text: str, code: int) -> int:
    with suppress(OSError):
        click.echo(f"adcbench: {text}", err=True)
    return code


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning of ours as one line, without the place in the code; those of libraries as Python has them."""
    if filename.startswith(f"{PACKAGE}{os.sep}"):
        return f"adcbench: {message}\n"
    return _LIBRARIES(message, category, filename, lineno, line)


def _open_streams() -> None:
    """Make stdout and stderr take anything: closed ones lead nowhere, and what a terminal can't show is escaped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        with suppress(AttributeError):  # a stream that somebody put in place, as tests do
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _give_up_stdout() -> None:
    """Lead stdout nowhere, so that nothing fails again at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
