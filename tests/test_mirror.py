"""A reader finds the test of a file by its path: adcbench/ROOM/x.py, tests/ROOM/test_x.py or test_x_*.py."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "adcbench"
MIRRORED = sorted(
    path.relative_to(TESTS).as_posix()
    for path in TESTS.rglob("test_*.py")
    if (PACKAGE / path.relative_to(TESTS).parts[0]).is_dir()
)


def names(folder: Path) -> set[str]:
    """What tests of a folder's modules are called: each by its name, or by the folder's and its own."""
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return {folder.name} | modules | {f"{folder.name}_{module}" for module in modules}


@pytest.mark.parametrize("file", MIRRORED)
def test_a_file_of_tests_stands_at_the_path_of_a_module(file: str) -> None:
    folder, stem = PACKAGE / Path(file).parent, Path(file).stem
    assert any(stem == f"test_{name}" or stem.startswith(f"test_{name}_") for name in names(folder)), (
        f"tests/{file} names no module of adcbench/{Path(file).parent}; what it tests is elsewhere, or has moved"
    )


def test_no_two_files_have_one_name() -> None:
    """pytest imports them by their names alone."""
    found = Counter(path.name for path in TESTS.rglob("*.py") if path.name not in ("conftest.py", "make.py"))
    assert not [name for name, times in found.items() if times > 1]
