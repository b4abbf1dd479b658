"""Folders and switches by the environment, and that a changed variable is put back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adcbench.core import settings
from adcbench.core.settings import empty_folder, environment


@pytest.mark.parametrize("folder", ["cache", "data", "weights", "tables", "runs"])
def test_a_variable_names_the_folder(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ADCBENCH_{folder.upper()}", str(tmp_path / "a" / ".." / "b"))
    assert getattr(settings, f"{folder}_dir")() == (tmp_path / "b").resolve()


def test_data_and_weights_are_in_the_cache_unless_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path))
    for name in ("DATA", "WEIGHTS"):
        monkeypatch.setenv(f"ADCBENCH_{name}", "")  # empty is as if it were not there
    assert settings.data_dir() == tmp_path.resolve() / "data"
    assert settings.weights_dir() == tmp_path.resolve() / "weights"


@pytest.mark.parametrize("before", [None, "old"])
def test_a_variable_is_put_back_after_an_error(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADCBENCH_X", raising=False)
    if before is not None:
        monkeypatch.setenv("ADCBENCH_X", before)
    with pytest.raises(ValueError, match="on purpose"), environment("ADCBENCH_X", "new"):
        assert os.environ["ADCBENCH_X"] == "new"
        raise ValueError("on purpose")
    assert os.environ.get("ADCBENCH_X") == before


def test_an_empty_folder_is_gone_afterwards() -> None:
    before = settings.cache_dir()
    with empty_folder("ADCBENCH_CACHE"):
        here = settings.cache_dir()
        assert here != before and not list(here.iterdir())
        (here / "file").touch()
    assert not here.exists() and settings.cache_dir() == before


@pytest.mark.parametrize(("value", "offline"), [("", False), ("0", False), ("1", True), ("no", True)])
def test_offline_unless_empty_or_0(value: str, offline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_OFFLINE", value)
    assert settings.offline() == offline
