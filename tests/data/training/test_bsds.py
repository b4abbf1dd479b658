"""BSDS500 validates and tests, and never trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.training.bsds import bsds500


def test_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match="0 of 100 images"):
        bsds500("val")
    folder = tmp_path / "bsds500" / "val"
    folder.mkdir(parents=True)
    for number in range(100):
        (folder / f"{number}.jpg").touch()
    assert bsds500("val") == sorted(folder.iterdir())
    (folder / "7.jpg").unlink()
    with pytest.raises(Blocked, match="99 of 100 images"):
        bsds500("val")


def test_its_training_part_is_not_given_out() -> None:
    part: Any = "train"
    with pytest.raises(AdcbenchError, match="never trains"):
        bsds500(part)
