"""Room is counted disk by disk, over all files that go there."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core import space
from adcbench.core.errors import AdcbenchError
from adcbench.core.space import check_space


def test_files_of_one_disk_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        free = 1000

    monkeypatch.setattr(space.shutil, "disk_usage", lambda folder: Disk())
    check_space([(tmp_path / "not" / "yet" / "a", 600), (tmp_path / "b", 400)])
    with pytest.raises(AdcbenchError, match=r"has 1 kB free, the files need 1 kB: free space, or set ADCBENCH_WEIGHTS"):
        check_space([(tmp_path / "not" / "yet" / "a", 600), (tmp_path / "b", 401)])
    check_space([])
