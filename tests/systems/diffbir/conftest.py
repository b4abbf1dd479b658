"""Networks that the tests of DiffBIR share."""

from __future__ import annotations

import pytest
from diffbir_files import from_manifest

from adcbench.systems.diffbir import (
    MINI,
)
from adcbench.systems.diffbir.network import DiffBIR, load_network


@pytest.fixture(scope="module")
def certified() -> DiffBIR:
    return from_manifest("mini")


@pytest.fixture(scope="module")
def network() -> DiffBIR:
    return load_network(MINI, None)
