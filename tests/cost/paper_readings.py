"""A count's readings with those that the tables list for its network."""

from __future__ import annotations

from typing import Any

from adcbench.core.settings import reproductions_dir
from adcbench.cost.readings import readings
from adcbench.tables.loading import load_file


def shared_readings() -> Any:
    """The module ``reproductions/_readings.py``."""
    return load_file(reproductions_dir() / "_readings.py")


def paper_readings(payload: dict[str, Any]) -> dict[str, Any]:
    """By the published quantity they compete with."""
    return readings(payload, shared_readings().READINGS.get(payload["network"], ()))
