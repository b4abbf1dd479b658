"""Networks that the tests of SeeSR share."""

from __future__ import annotations

from pathlib import Path

import pytest
from seesr_files import official, save_all


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_all(official("mini"), tmp_path_factory.mktemp("seesr"))
