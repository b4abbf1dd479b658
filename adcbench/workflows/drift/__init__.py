"""Drift: is what we committed still what the code gives, on this machine and with these libraries?

``check_all`` is the fast speed, on every push: the committed tables measured again (``committed.py``) and the goldens
of this kind of machine (``goldens.py``). On a GPU the goldens alone. ``versions.py`` compares the goldens of
environments with other versions of the libraries, once a week. Measuring nothing is a failure, never a pass.
"""

from __future__ import annotations

from adcbench.workflows.drift.check import Check


def check_all(device: str = "cpu") -> tuple[Check, ...]:
    """All checks that fit a device: everything on ``cpu``, the goldens on ``cuda``.

    Raises:
        Blocked: nothing is committed here to compare with, as outside a checkout.
    """
    from adcbench.core.errors import Blocked
    from adcbench.core.settings import CHECKOUT, tables_dir
    from adcbench.report.files import is_committed
    from adcbench.tables.loading import table_ids
    from adcbench.workflows.drift.committed import check_tables
    from adcbench.workflows.drift.goldens import check_goldens

    if CHECKOUT is None and not (device == "cpu" and any(map(is_committed, table_ids()))):
        raise Blocked(f"anything committed to compare with: no checkout of adcbench, no tables in {tables_dir()}")
    return (*(check_tables() if device == "cpu" else ()), check_goldens(device))


__all__ = ["Check", "check_all"]
