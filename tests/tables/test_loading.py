"""Files under ``reproductions/`` import each other, wherever their folder is; what they share is no table."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_tables import forget, make_table, use_tables

from adcbench.core.errors import AdcbenchError
from adcbench.tables.loading import find_files, load_file, load_table, table_ids

_SHARED = """from adcbench.tables import Column
COLUMNS = (Column("DRealSR", "PSNR", "dB", "higher", scored_by="psnr"),)
"""
_PAPER = """from .._shared import COLUMNS
ROWS = ("one", "two")
class Own: pass
"""
_TABLE = """from adcbench.tables import Table
from .._shared import COLUMNS
from ._paper import ROWS, Own
TABLE = Table({id!r}, "p", "1", "ours", "t", ROWS, COLUMNS)
OWN = Own
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "reproductions"
    write(folder, "_shared.py", _SHARED)
    write(folder, "paper/_paper.py", _PAPER)
    for name in ("table1", "table2"):
        write(folder, f"paper/{name}.py", _TABLE.format(id=f"paper/{name}"))
    use_tables(tmp_path, monkeypatch)
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_tables_share_what_stands_in_files_that_are_no_tables(root: Path) -> None:
    assert table_ids() == ("paper/table1", "paper/table2")
    assert load_table("paper/table1").rows == ("one", "two")
    assert load_table("paper/table1").columns == load_table("paper/table2").columns
    first, second = (load_file(root / "paper" / f"{name}.py") for name in ("table1", "table2"))
    assert first.OWN is second.OWN, "a shared file runs once"
    assert find_files("*/_paper.py") == [root / "paper" / "_paper.py"]


def test_each_folder_has_its_own_files(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_table("paper/table1")
    other = tmp_path / "elsewhere"
    for path in root.rglob("*.py"):
        write(other / "reproductions", str(path.relative_to(root)), path.read_text().replace('"one"', '"other"'))
    use_tables(other, monkeypatch)
    assert load_table("paper/table1").rows == ("other", "two")


def test_an_error_in_a_shared_file_names_both_lines(root: Path) -> None:
    path = write(root, "paper/_paper.py", "from .._shared import COLUMNS\n\nROWS = NOT_THERE\n")
    with pytest.raises(AdcbenchError) as found:
        load_table("paper/table1")
    assert (
        str(found.value)
        == f"{root}/paper/table1.py, line 3: {path}, line 3: NameError: name 'NOT_THERE' is not defined"
    )
    path.write_text("ROWS = (\n")
    forget()
    with pytest.raises(AdcbenchError, match=r"table1\.py, line 3: .*_paper\.py, line 1: SyntaxError"):
        load_table("paper/table1")
    path.write_text(_PAPER)  # nothing half made is kept
    forget()
    assert load_table("paper/table1").rows == ("one", "two")


def test_a_shared_file_that_is_not_there_is_named(root: Path) -> None:
    write(root, "paper/table1.py", "from ._nothing import X\n")
    with pytest.raises(AdcbenchError, match=r"table1\.py, line 1: ModuleNotFoundError: No module named '.*_nothing'"):
        load_table("paper/table1")


def test_a_table_defines_classes_of_its_own(root: Path) -> None:
    """A dataclass with postponed annotations looks its module up by name."""
    path = make_table(root, "paper/table3")
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    path.write_text(f"{text}{path.read_text()}\n@dataclass\nclass Own:\n    name: str\n")
    assert load_table("paper/table3").id == "paper/table3"
