"""How near every comparison of floats comes to its limit, so that none holds on one kind of processor only.

With ADCBENCH_MARGINS=FILE each test appends to FILE its largest error within a limit and its smallest beyond one
(of comparisons that must fail), both in limits. ``nox -s margins`` runs the tests under each of ``SETTINGS``;
``python tests/margins.py FILES`` then prints the nearest, and fails where one is nearer than ``FACTOR``.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
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
SETTINGS = {
    f"{name}-{threads}": {**variables, "ADCBENCH_TEST_THREADS": threads, "OMP_NUM_THREADS": threads}
    for name, variables in CAPABILITIES.items()
    for threads in ("1", "2")
}
HERE = Path(__file__).parent
_current: dict[str, Any] | None = None


def record(ratio: float) -> None:
    """Note one comparison: its error in limits."""
    if _current is None or not ratio:
        return
    if ratio <= 1 and ratio > _current["within"]:
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


def _watched(compare: Callable[..., Any], rtol: float | None, atol: float) -> Callable[..., Any]:
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


def _watched_parity(off: Callable[..., float]) -> Callable[..., float]:
    @functools.wraps(off)
    def wrapper(*arguments: Any) -> float:
        found = off(*arguments)
        record(found)
        return found

    return wrapper


def watch() -> None:
    """Note every comparison from now on."""
    parity.off = _watched_parity(parity.off)
    scalar: Any = type(pytest.approx(1.0))
    equal = scalar.__eq__

    def noted(self: Any, actual: Any) -> bool:
        if isinstance(actual, (int, float, np.number)) and self.tolerance > 0:
            record(abs(float(actual) - float(self.expected)) / self.tolerance)
        return equal(self, actual)

    scalar.__eq__ = noted
    torch.allclose = _watched(torch.allclose, 1e-5, 1e-8)
    torch.testing.assert_close = _watched(torch.testing.assert_close, None, 0)
    np.allclose = _watched(np.allclose, 1e-5, 1e-8)
    np.testing.assert_allclose = _watched(np.testing.assert_allclose, 1e-7, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Append one line a test that compared floats."""
    global _current
    _current = {"test": item.nodeid, "within": 0.0, "beyond": float("inf"), "line": "", "line_beyond": ""}
    try:
        return (yield)
    finally:
        if _current["line"] or _current["line_beyond"]:
            with Path(os.environ["ADCBENCH_MARGINS"]).open("a") as file:
                file.write(json.dumps(_current) + "\n")
        _current = None


def report(files: list[Path], show: int = 40) -> int:
    """Print the comparisons nearest to their limits over all files; how many are nearer than ``FACTOR``."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files:
        for line in file.read_text().splitlines():
            row = json.loads(line)
            found[row["test"]].append({**row, "file": file.stem})
    rows = []
    for test, runs in found.items():
        within, beyond = [run["within"] for run in runs], [1 / run["beyond"] for run in runs]
        for nearest, values, key in ((max(within), within, "line"), (max(beyond), beyond, "line_beyond")):
            moved = max(values) - min(values) if len(values) == len(files) else nearest
            if moved > MOVED:
                rows.append((nearest, moved, key, max(runs, key=lambda run: values[runs.index(run)])[key], test))
    rows.sort(reverse=True)
    print("error in limits | moved by | the other way | where | test")
    for nearest, moved, key, where, test in rows[:show]:
        print(f"{nearest:.3f} | {moved:.3f} | {'beyond' if key != 'line' else 'within'} | {where} | {test}")
    return sum(nearest * FACTOR > 1 for nearest, *_ in rows)


if __name__ == "__main__":
    sys.exit(bool(report([Path(name) for name in sys.argv[1:]])))
