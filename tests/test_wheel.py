"""The built wheel works outside the repository: it carries the tables and published values."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from adcbench.core.settings import CHECKOUT


@pytest.mark.skipif(CHECKOUT is None, reason="needs the checkout to build from")
def test_a_wheel_explains_cells_outside_the_repository(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "ADCBENCH_CACHE": str(tmp_path / "cache")}
    environment.pop("ADCBENCH_TABLES", None)
    command = [sys.executable, "-m", "adcbench.cli"]
    options = {"cwd": tmp_path, "env": environment, "check": True, "capture_output": True, "text": True}
    explained = subprocess.run([*command, "explain", "adcsr/table1", "AdcSR", "DRealSR", "PSNR"], **options).stdout
    assert "published 28.10" in explained
    assert "455.539" in subprocess.run([*command, "reproduce", "adcsr/table3"], **options).stdout  # M parameters
    assert (tmp_path / "tables" / "adcsr_table3" / "table.tex").is_file()
