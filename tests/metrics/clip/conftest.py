"""Fixtures of the tests of clip."""

from __future__ import annotations

from pathlib import Path

import pytest
from vsreval_fake import write_fake


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_VSREVAL_PYTHON", str(write_fake(tmp_path)))
