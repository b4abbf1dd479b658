"""What else is done to the files before a metric sees them: a file each, with its ``HANDLINGS``, found by itself."""

from __future__ import annotations

import importlib
import pkgutil

from adcbench.workflows.diagnose.handling import Handling


def all_handlings() -> list[Handling]:
    """Those of every file here, in the order of their names."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [handling for module in modules for handling in module.HANDLINGS]
