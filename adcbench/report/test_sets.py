"""``adcbench testsets``: every test set on a line."""

from __future__ import annotations

from tabulate import tabulate

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.test_sets.registry import all_test_sets, open_test_set
from adcbench.data.test_sets.test_set import TestSet

_HEADER = ("name", "holds", "HR", "released outputs", "state", "to get it")


def test_sets_text() -> str:
    """Name on the command line, what it holds, whether with HR, outputs that authors released, whether it is here.

    Raises:
        AdcbenchError: a package's test set can't be loaded.
    """
    rows = [(s.folder, f"{s.size} {s.holds}", "yes" if s.has_truth else "no", ", ".join(s.outputs), *_state(s))
            for s in all_test_sets()]  # fmt: skip
    return tabulate(rows, _HEADER, tablefmt="simple", disable_numparse=True)


def _state(test_set: TestSet) -> tuple[str, str]:
    """Whether it is here by names and sizes, and the command that brings it or puts it right."""
    if test_set.inside:
        return "in a package", ""
    try:
        open_test_set(test_set.folder)
    except Blocked:
        return "missing", test_set.command
    except AdcbenchError:
        return "differs from its manifest", test_set.command
    return "here", ""
