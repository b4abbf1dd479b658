"""What benchmarks share: the host's name is dropped, and measured figures stand in extra_info."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info.pop("node", None)


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the papers' sizes were asked for (--full)."""
    return bool(request.config.getoption("--full"))
