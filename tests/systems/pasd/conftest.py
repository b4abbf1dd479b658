"""Networks that the tests of PASD share."""

from __future__ import annotations

import pytest
from pasd_files import loaded

from adcbench.systems.pasd import MINI
from adcbench.systems.pasd.network import PASD, load_network


@pytest.fixture(scope="module")
def live() -> PASD:
    """The mini network with the fixtures' weights."""
    return loaded("mini")


@pytest.fixture(scope="module")
def network() -> PASD:
    return load_network(MINI, None)
