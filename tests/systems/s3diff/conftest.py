"""Networks that the tests of S3Diff share."""

from __future__ import annotations

from pathlib import Path

import pytest
from s3diff_files import official, write

from adcbench.systems.s3diff import MINI
from adcbench.systems.s3diff.network import S3Diff, load_network


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write(official("mini"), tmp_path_factory.mktemp("s3diff"))


@pytest.fixture(scope="module")
def network(files: dict[str, Path]) -> S3Diff:
    return load_network(MINI, files)
