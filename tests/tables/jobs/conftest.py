"""A small test set of clips, as a video table has."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_clips import small_udm10


@pytest.fixture
def udm10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return small_udm10(tmp_path, monkeypatch)
