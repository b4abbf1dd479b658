"""Fixtures of the tests of clip."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from vsreval_fake import _FAKE


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    for name, text in _FAKE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("ADCBENCH_VSREVAL_PYTHON", str(python))
