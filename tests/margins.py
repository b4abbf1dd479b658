"""How near every comparison of floats comes to its limit, so that none holds on one kind of processor only.

``nox -s margins`` runs the tests under each of ``settings()`` and prints what comes nearest. For that, where
ADCBENCH_MARGINS=FILE is set, each test appends to FILE its largest error within a limit and its smallest beyond one
(of comparisons that must fail), both in limits.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch

FACTOR = 3.0  # what rounding moves stays this far from its limit
MOVED = 0.01  # of the limit: what moves less between processors is no rounding but a fact, such as a printed digit
CAPABILITIES = {  # one processor as torch, oneDNN and MKL each are told to see it
    "default": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512"},
}
HERE = Path(__file__).parent
_current: dict[str, Any] | None = None


def settings() -> dict[str, dict[str, str]]:
    """Environment by name: each instruction set that this processor has, with one and with two threads."""
    has = torch.backends.cpu.get_cpu_capability().lower()
    names = list(CAPABILITIES)
    return {
        f"{name}, {threads} thread{'s' * (threads > 1)}": {
            **CAPABILITIES[name],
            "ADCBENCH_TEST_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        for name in names[: names.index(has) + 1]
        for threads in (1, 2)
    }


# --- noting: tests/conftest.py registers this module as a plugin ---


def record(ratio: float) -> None:
    """Note one comparison: its error in limits."""
    if _current is None or not ratio:
        return
    if _current["within"] < ratio <= 1:
        _current.update(within=ratio, line=_line())
    elif 1 < ratio < _current["beyond"]:
        _current.update(beyond=ratio, line_beyond=_line())


def _line() -> str:
    """Where in the tests the comparison stands."""
    frame = sys._getframe(2)
    while frame and not _in_a_test(Path(frame.f_code.co_filename)):
        frame = frame.f_back  # type: ignore[assignment]
    return f"{Path(frame.f_code.co_filename).relative_to(HERE)}:{frame.f_lineno}" if frame else ""


def _in_a_test(path: Path) -> bool:
    return HERE in path.parents and path.name not in ("margins.py", "parity.py")


def _ratio(found: Any, expected: Any, rtol: float, atol: float) -> float:
    a, b = (np.asarray(x.detach().cpu().double() if hasattr(x, "detach") else x, float) for x in (found, expected))
    if a.shape != b.shape and 1 not in (a.size, b.size):
        return float("inf")
    off = np.abs(a - b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.where(off > 0, off / (atol + rtol * np.abs(b)), 0), initial=0))


def _noted(compare: Callable[..., Any], rtol: float | None, atol: float) -> Callable[..., Any]:
    """The comparison, noted; rtol None: torch's own limits by type."""

    @functools.wraps(compare)
    def wrapper(found: Any, expected: Any, **limits: Any) -> Any:
        relative, absolute = limits.get("rtol"), limits.get("atol")
        if rtol is None and relative is None and absolute is None:
            relative, absolute = (1e-7, 1e-7) if getattr(found, "dtype", None) == torch.float64 else (1.3e-6, 1e-5)
        relative, absolute = rtol or 0 if relative is None else relative, atol if absolute is None else absolute
        record(_ratio(found, expected, relative, absolute))
        return compare(found, expected, **limits)

    return wrapper


def watch() -> None:
    """Note every comparison from now on."""
    scalar: Any = type(pytest.approx(1.0))
    equal, off = scalar.__eq__, parity.off

    def noted(self: Any, actual: Any) -> bool:
        if isinstance(actual, (int, float, np.number)) and self.tolerance > 0:
            record(abs(float(actual) - float(self.expected)) / self.tolerance)
        return equal(self, actual)

    def noted_off(*arguments: Any) -> float:
        ratio = off(*arguments)
        record(ratio)
        return ratio

    scalar.__eq__, parity.off = noted, noted_off
    torch.allclose = _noted(torch.allclose, 1e-5, 1e-8)
    torch.testing.assert_close = _noted(torch.testing.assert_close, None, 0)
    np.allclose = _noted(np.allclose, 1e-5, 1e-8)
    np.testing.assert_allclose = _noted(np.testing.assert_allclose, 1e-7, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Append one line for each test that compared floats."""
    global _current
    _current = {"test": item.nodeid, "within": 0.0, "beyond": float("inf"), "line": "", "line_beyond": ""}
    try:
        return (yield)
    finally:
        if _current["line"] or _current["line_beyond"]:
            with Path(os.environ["ADCBENCH_MARGINS"]).open("a") as file:
                file.write(json.dumps(_current) + "\n")
        _current = None


# --- the survey ---


def nearest(files: Sequence[Path]) -> list[tuple[float, str, str, str]]:
    """What moves with the processor, nearest to its limit first: (error in limits or its inverse, side, line, test)."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files:
        for line in file.read_text().splitlines():
            row = json.loads(line)
            found[row["test"]].append(row | {"beyond": 1 / row["beyond"]})
    rows = []
    for test, runs in found.items():
        for side, line in (("within", "line"), ("beyond", "line_beyond")):
            worst, best = (pick(runs, key=lambda run: run[side]) for pick in (max, min))
            moved = worst[side] - best[side] if len(runs) == len(files) else worst[side]
            if moved > MOVED:
                rows.append((worst[side], side, worst[line], test))
    return sorted(rows, reverse=True)


def report(files: Sequence[Path], show: int = 15) -> bool:
    """Print the nearest as Markdown; whether all keep ``FACTOR``."""
    rows = nearest(files)
    print("| error, in limits | side | where | test |\n|---|---|---|---|")
    for ratio, side, line, test in rows[:show]:
        shown = f"{ratio:.2f}" if side == "within" else f"1/{ratio:.2f}"
        print(f"| {shown} | {side} | {line} | {test.partition('::')[2]} |")
    return all(ratio * FACTOR <= 1 for ratio, *_ in rows)


def survey(tests: Sequence[str]) -> bool:
    """Run tests under each setting; whether all passed and keep ``FACTOR``."""
    passed, files = True, []
    with tempfile.TemporaryDirectory() as folder:
        for name, variables in settings().items():
            files.append(Path(folder) / f"{name}.jsonl")
            files[-1].touch()
            print(name, flush=True)
            environment = os.environ | variables | {"ADCBENCH_MARGINS": str(files[-1])}
            command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-seed=0", *tests]
            passed &= subprocess.run(command, env=environment, cwd=HERE.parent, check=False).returncode == 0
        return report(files) and passed


if __name__ == "__main__":
    sys.exit(not survey(sys.argv[1:]))
