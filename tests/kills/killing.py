"""Kill a piece of work at each of its writes: before a file takes its name, and right after.

``points`` counts the writes of some work, ``killed_at`` runs it until one of them. A kill is an exception that nothing
catches; with ADCBENCH_KILLS=full it is SIGKILL in a process of its own, which leaves temporary files behind as well.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

FULL = os.environ.get("ADCBENCH_KILLS") == "full"
_replace = Path.replace


class Killed(BaseException):
    """The end of a process."""


def points(work: Callable[[], object]) -> int:
    """Do some work; at how many points it can be killed: two for each file that takes its name."""
    count = 0

    def counted(path: Path, target: Path) -> Path:
        nonlocal count
        count += 2
        return _replace(path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", counted)
        work()
    return count


def killed_at(point: int, work: Callable[[], object]) -> None:
    """Do some work until one of its points, where it is killed: even ones lie before a write, odd ones after it."""
    if FULL:
        _in_a_process(point, work)
        return
    with pytest.MonkeyPatch.context() as patch:
        _arm(patch, point, _raise)
        with pytest.raises(Killed):
            work()


def _arm(patch: pytest.MonkeyPatch, point: int, kill: Callable[[], None]) -> None:
    writes = 0

    def replace(path: Path, target: Path) -> Path:
        nonlocal writes
        if 2 * writes == point:
            kill()
        found = _replace(path, target)
        if 2 * writes + 1 == point:
            kill()
        writes += 1
        return found

    patch.setattr(Path, "replace", replace)


def _raise() -> None:
    raise Killed


def _in_a_process(point: int, work: Callable[[], object]) -> None:
    child = os.fork()
    if not child:
        try:
            with pytest.MonkeyPatch.context() as patch:
                _arm(patch, point, lambda: os.kill(os.getpid(), signal.SIGKILL))
                work()
        finally:
            os._exit(1)  # it was not killed
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
