"""Networks that the tests of StableSR share."""

from __future__ import annotations

from pathlib import Path

import pytest
from stablesr_files import official_files

from adcbench.systems.stablesr import MINI
from adcbench.systems.stablesr.network import StableSR, load_network


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return official_files(tmp_path_factory.mktemp("stablesr"), "mini")


@pytest.fixture(scope="module")
def network(files: dict[str, Path]) -> StableSR:
    return load_network(MINI, files)
