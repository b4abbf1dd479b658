"""Drift: is what we committed still what the code gives, on this machine and with these libraries?

``check_all`` is the fast speed, on every push: the committed tables measured again (``committed.py``) and the goldens
of this kind of machine (``goldens.py``). On a GPU the goldens alone. ``versions.py`` compares the goldens of
environments with other versions of the libraries, once a week. Measuring nothing is a failure, never a pass.
"""

from __future__ import annotations

from adcbench.drift.check import Check


def check_all(device: str = "cpu") -> tuple[Check, ...]:
    """All checks that fit a device: everything on ``cpu``, the goldens on ``cuda``."""
    from adcbench.drift.committed import check_tables
    from adcbench.drift.goldens import check_goldens

    return (*(check_tables() if device == "cpu" else ()), check_goldens(device))


__all__ = ["Check", "check_all"]
