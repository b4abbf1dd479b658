"""What benchmarks share: the host's name is dropped, and measured figures stand in extra_info."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

# A child's ru_maxrss starts with its parent's memory, so the child reads its own high-water mark
_WATCHED = """
import atexit, re, sys
sys.argv = ["adcbench", *sys.argv[1:]]
mark = lambda: re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
atexit.register(lambda: print("peak", mark(), file=sys.stderr))
from adcbench.cli import main
main()
"""


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info.pop("node", None)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Not here: a benchmark runs on the threads that the machine or OMP_NUM_THREADS gives."""


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the papers' sizes were asked for (--full)."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def run_adcbench() -> Callable[..., int]:
    """Runs the command line in a fresh process, which must succeed; returns its peak memory in bytes (Linux)."""

    def run(*arguments: str) -> int:
        done = subprocess.run([sys.executable, "-c", _WATCHED, *arguments], capture_output=True, text=True, check=True)
        return 1024 * int(done.stderr.rsplit("peak ", 1)[1])

    return run
