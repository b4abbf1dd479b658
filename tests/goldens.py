"""Golden tests compare with what others published: where CI says so, one that is skipped has failed.

``ADCBENCH_CI=1``: every golden test must run, but for those whose marker names what CI does not fetch
(``golden(unfetched="...")``). ``ADCBENCH_CI=all``: every one, without exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# the test sets that a workflow must fetch before the tests: nox -s fetch -- NAME
FETCHED = ("drealsr", "realsrset", "avt")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A skipped golden test as a failure that says what was missing."""
    report = yield
    marker, where = item.get_closest_marker("golden"), os.environ.get("ADCBENCH_CI", "")
    if marker and where and report.skipped and not (where == "1" and marker.kwargs.get("unfetched")):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a golden test was skipped where ADCBENCH_CI={where}: {report.longrepr[-1]}"
    return report
