"""Every committed table in every public schema: whole, right, the same bytes again, print and measurement apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from small_table import TABLE, cell, measured, table_cells

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.report import export as module
from adcbench.report.export import Exported, Format, Options, day_of_tables, export, find_formats, left_out, results
from adcbench.report.view import TableView, read_views, view_of

FORMATS = find_formats()
OPTIONS = Options(date=1_790_000_000)


@pytest.fixture(scope="module")
def views() -> Mapping[str, TableView]:
    found, unreadable = read_views()
    assert not unreadable
    return found


def read_back(form: Format, folder: Path) -> dict[str, float]:
    """Ids and values of all results in a folder; an id that is there twice is an error."""
    found: dict[str, float] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        here = form.read(path.read_bytes())
        assert here and not here.keys() & found.keys(), path
        found |= here
    return found


def test_formats_are_found_in_their_files() -> None:
    assert set(FORMATS) == {"every-eval-ever", "hf-eval-results"}


@pytest.fixture(scope="module", params=FORMATS)
def everything(
    request: pytest.FixtureRequest, views: Mapping[str, TableView], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Format, Path, Exported]:
    """All committed tables in one format: the format, the folder, what was written."""
    form, folder = FORMATS[request.param], tmp_path_factory.mktemp(request.param)
    return form, folder, export(views.values(), form, folder, OPTIONS)


def test_every_committed_table_comes_back_whole(
    everything: tuple[Format, Path, Exported], views: Mapping[str, TableView]
) -> None:
    form, folder, done = everything
    wanted = {one.id: one.value for view in views.values() for one in results(view)}
    assert read_back(form, folder) == wanted
    assert done.sides.total() == len(wanted) and done.cells == sum(len(view.cells) for view in views.values())


def test_every_file_fits_the_schema(everything: tuple[Format, Path, Exported]) -> None:
    form, _, done = everything
    try:
        assert not [fault for path in done.files for fault in form.check(str(path), path.read_bytes())]
    except Blocked as error:
        pytest.skip(str(error))


def test_the_same_tables_give_the_same_bytes(
    everything: tuple[Format, Path, Exported], views: Mapping[str, TableView], tmp_path: Path
) -> None:
    form, folder, _ = everything
    again = export([views["adcsr/table1"]], form, tmp_path, OPTIONS).files
    assert again
    for path in again:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()


def test_every_cell_is_exported_or_counted_as_left_out(views: Mapping[str, TableView]) -> None:
    for view in views.values():
        here = {one.key for one in results(view)}
        gone = left_out(view)
        assert len(here) + gone.total() == len(view.cells)
        assert gone["settings"] == sum(one.cell.kind == "setting" for one in view.cells)
        sides = Counter(one.side for one in results(view))
        own = [m for one in view.cells for m in one.cell.measurements if m.level != "re-aggregated"]
        assert sides["measured"] == len(own), view.table.id


def test_published_and_measured_values_are_never_in_each_other_s_place() -> None:
    view = view_of(TABLE, table_cells())
    found = {(one.key.row, one.key.metric, one.side): one for one in results(view)}
    assert found["two", "PSNR", "published"].value == 28.10
    assert found["two", "PSNR", "measured"].value == 28.2
    assert "level" not in found["two", "PSNR", "published"].details
    assert "printed" not in found["two", "PSNR", "measured"].details
    assert found["two", "PSNR", "measured"].details["verdict"] == "differs"
    log = found["two", "LPIPS", "re-aggregated"]
    assert (log.value, log.details["verdict"]) == (0.2904, "agrees"), "a log is nobody's measurement here"
    assert ("two", "LPIPS", "measured") not in found and ("one", "LPIPS", "measured") not in found
    assert found["one", "LPIPS", "published"].details["blocked_by"] == "no data"


def test_a_cell_that_prints_no_number_is_left_out_and_counted(tmp_path: Path) -> None:
    view = view_of(TABLE, [*table_cells()[:-1], cell("three", "LPIPS", "-")])
    assert left_out(view) == {"neither printed nor measured": 1}
    done = export([view], FORMATS["hf-eval-results"], tmp_path, OPTIONS)
    assert module.export_text(done) == (
        f"{len(done.files)} files with 9 results of 6 cells: 5 published, 3 measured, 1 re-aggregated. "
        "Cells left out: 1 neither printed nor measured."
    )


def test_measurements_of_a_cell_at_two_levels_are_two_results() -> None:
    view = view_of(TABLE, [cell("one", "PSNR", "27.92", measured(27.9), measured(26.5, "inference"))])
    ids = [one.id for one in results(view)]
    assert len(set(ids)) == len(ids) == 3


def test_tables_that_no_git_dates_need_a_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path))
    with pytest.raises(AdcbenchError, match="give --date YYYY-MM-DD"):
        day_of_tables()
