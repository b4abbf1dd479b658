"""A user's own code, called: whatever it raises becomes one line that names it and the place where it happened."""

from __future__ import annotations

import functools
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import PACKAGE

T = TypeVar("T")
_LIBRARIES = (str(PACKAGE), sysconfig.get_paths()["stdlib"], "<frozen", "<string>")
_NO_MEMORY = ("out of memory", "can't allocate")


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Around a user's code; ``what`` begins the error's text: ``system 'my:own': its factory fails with``.

    Our own errors, Ctrl-C and a lack of memory pass as they are; ``sys.exit`` does not.

    Raises:
        AdcbenchError: the code raised something; names it and the innermost line of that code.
    """
    try:
        yield
    except (AdcbenchError, KeyboardInterrupt, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        if any(words in _text(error).lower() for words in _NO_MEMORY):
            raise
        raise AdcbenchError(f"{what} {error_words(error)}{_place(error)}") from error


def guarded(function: Callable[..., T], what: str) -> Callable[..., T]:
    """The same function, called as in ``calling``."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> T:
        with calling(what):
            return function(*arguments, **named)

    call.__module__, call.__qualname__ = home(function), place_in_home(function)
    return call


def home(function: object) -> str:
    """The module that defines a function, or what a ``partial`` calls; empty where that can't be told."""
    return getattr(getattr(function, "func", function), "__module__", "") or ""


def place_in_home(function: object) -> str:
    """Its name there, with the functions and classes around it: ``factory.<locals>.load``."""
    function = getattr(function, "func", function)
    return getattr(function, "__qualname__", "") or type(function).__qualname__


def error_words(error: BaseException) -> str:
    """An error in a line: its kind and the first line of its text; of our own errors the text alone."""
    text = next(iter(_text(error).strip().splitlines()), "")
    if isinstance(error, AdcbenchError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    """Its text; empty where making one fails too, which is a user's code as well."""
    try:
        return str(error)
    except Exception:
        return ""


def _place(error: BaseException) -> str:
    """Where in the user's code: the innermost line that is neither ours nor a library's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_LIBRARIES)]
    own = [frame for frame in frames if "site-packages" not in Path(frame.filename).parts] or frames
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
