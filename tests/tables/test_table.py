"""Table files and published values: they load, fit each other, and say what the sources print."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from adcbench.core.cells import UNKNOWN, CellKey, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.tables.loading import load_readings, load_table, numbered, table_ids
from adcbench.tables.table import COMPLEXITY

HEADER = "table,row,test_set,metric,value,unit,source,kind,confidence,chosen,note"
CSV_FILES = sorted(reproductions_dir().rglob("published.csv"))
UNPRINTED = [t for t in table_ids() if "ablation_" in t] + [f"adcvsr/table{n}" for n in (5, 6, 7, 8)]

every_table = pytest.mark.parametrize("table_id", table_ids())
every_csv = pytest.mark.parametrize("path", CSV_FILES, ids=lambda path: path.parent.name)

# typed by hand from the written-out tables, not copied from published.csv
PRINTED = [
    ("adcsr/table1", "StableSR", "DRealSR", "PSNR", "28.03"),
    ("adcsr/table1", "DiffBIR", "DRealSR", "MUSIQ", "61.07"),
    ("adcsr/table1", "SeeSR", "DRealSR", "SSIM", "0.7691"),
    ("adcsr/table1", "PASD", "DRealSR", "FID", "156.13"),
    ("adcsr/table1", "ResShift", "DRealSR", "NIQE", "8.12"),
    ("adcsr/table1", "SinSR", "DRealSR", "CLIPIQA", "0.6383"),
    ("adcsr/table1", "OSEDiff", "DRealSR", "PSNR", "27.92"),
    ("adcsr/table1", "OSEDiff", "DRealSR", "MANIQA", "0.5899"),
    ("adcsr/table1", "S3Diff", "DRealSR", "DISTS", "0.2099"),
    ("adcsr/table1", "AdcSR", "DRealSR", "MANIQA", "0.5927"),
    ("adcsr/table1", "AdcSR", "DRealSR", "FID", "134.05"),
    ("adcsr/table1", "StableSR", COMPLEXITY, "Time", "11.50"),
    ("adcsr/table1", "PASD", COMPLEXITY, "MACs", "29125"),
    ("adcsr/table1", "S3Diff", COMPLEXITY, "MACs", "2627"),
    ("adcsr/table1", "ResShift", COMPLEXITY, "Params", "119"),
    ("adcsr/table1", "OSEDiff", COMPLEXITY, "Params", "1775"),
    ("adcsr/table1", "AdcSR", COMPLEXITY, "FPS", "34.79"),
    ("adcsr/table_c1", "StableSR", "DIV2K-Val", "FID", "24.44"),
    ("adcsr/table_c1", "AdcSR", "DIV2K-Val", "MUSIQ", "68.00"),
    ("adcsr/table_c2", "ResShift", "RealSR", "LPIPS", "0.3460"),
    ("adcsr/table_c2", "AdcSR", "RealSR", "DISTS", "0.2129"),
    ("adcsr/table_c3", "AdcSR", "mobile", "Time", "65"),
    ("adcsr/table2", "VAE encoder kept", COMPLEXITY, "Params", "490"),
    ("adcsr/table3", "Without connection optimisation", "DRealSR", "CLIPIQA", "0.6756"),
    ("adcvsr/table1", "RealBasicVSR", "UDM10", "PSNR", "24.39"),
    ("adcvsr/table1", "HYPIR", "VideoLQ", "E_warp", "23.45"),
    ("adcvsr/table1", "SeedVR2", COMPLEXITY, "Time", "60.61"),
    ("adcvsr/table1", "AdcVSR", "UDM10", "DOVER", "0.4878"),
    ("adcvsr/table1", "RealBasicVSR", COMPLEXITY, "Steps", "-"),
    ("adcvsr/table2", "3D (A Pruned DOVE)", COMPLEXITY, "Params", "8.36"),
    ("adcvsr/table3", "Single-Head, Dual-Domain", "YouHQ40", "E_warp", "6.32"),
    ("adcvsr/table4", "No Teacher (HR GT Only)", "MVSR4x", "PSNR", "24.85"),
    ("related/rsd_table17", "Real-ESRGAN", "DRealSR", "SSIM", "0.8053"),
    ("related/rsd_table17", "FeMaSR", "RealSR", "NIQE", "5.7885"),
    ("related/bsrgan_comparison", "RealSR-JPEG", "RealSRSet", "NIQE (oldphoto2)", "4.45"),
]

# cells where sources contradict each other, with the values that must be kept
CONTRADICTED = [
    ("adcsr/table1", "AdcSR", COMPLEXITY, "Params", {"456", "340"}),
    ("adcsr/table1", "OSEDiff", COMPLEXITY, "Params", {"1775", "1311"}),
    ("adcsr/table1", "AdcSR", COMPLEXITY, "MACs", {"496", "111"}),
    ("adcsr/table1", "OSEDiff", COMPLEXITY, "MACs", {"2265", "513"}),
    ("adcsr/table1", "S3Diff", COMPLEXITY, "MACs", {"2627", "2621"}),
    ("adcsr/table1", "SinSR", COMPLEXITY, "Params", {"119", "174", "174.7"}),
    ("adcsr/table1", "StableSR", "DRealSR", "PSNR", {"28.03", "27.63"}),
    ("adcsr/table1", "StableSR", "DRealSR", "LPIPS", {"0.3284", "0.3317"}),
    ("adcsr/table1", "OSEDiff", "DRealSR", "PSNR", {"27.92", "28.02"}),
    ("adcsr/table1", "OSEDiff", "DRealSR", "LPIPS", {"0.2968", "0.3087"}),
    ("adcsr/table1", "OSEDiff", "DRealSR", "DISTS", {"0.2165", "0.2239"}),
    ("adcsr/table1", "OSEDiff", "DRealSR", "FID", {"135.30", "135.296586"}),
    ("adcsr/table1", "OSEDiff", "DRealSR", "MUSIQ", {"64.65", "64.66"}),
    ("adcsr/table1", "OSEDiff", COMPLEXITY, "Time", {"0.11", "0.35"}),
    ("adcsr/table1", "SinSR", COMPLEXITY, "Time", {"0.13", "0.16"}),
    ("adcsr/table1", "S3Diff", "DRealSR", "PSNR", {"27.54", "27.39"}),
    ("adcsr/table1", "AdcSR", "DRealSR", "MANIQA", {"0.5927", "0.5916", "0.5915"}),
    ("adcsr/table_c2", "AdcSR", "RealSR", "CLIPIQA", {"0.6731", "0.6730"}),
    ("adcvsr/table1", "DOVE", "UDM10", "LPIPS", {"0.2645", "0.2648"}),
    ("adcvsr/table1", "STAR", "UDM10", "E_warp", {"2.51", "2.37"}),
    ("adcvsr/table1", "AdcVSR", COMPLEXITY, "Params", {"0.57", "0.55"}),
    ("adcvsr/table2", "2D + 1D (Ours)", COMPLEXITY, "Params", {"0.55", "0.57"}),
]


def chosen(readings: tuple[Reading, ...]) -> Reading:
    """The one reading a verdict uses."""
    (one,) = [reading for reading in readings if reading.chosen]
    return one


@every_table
def test_table_is_well_formed(table_id: str) -> None:
    """Its id is its path, and no cell is there twice."""
    table = load_table(table_id)
    assert table.id == table_id
    assert len(set(table.keys)) == len(table.keys) == len(table.rows) * len(table.columns) > 0


@every_table
def test_every_cell_has_a_job_or_a_reason(table_id: str) -> None:
    table = load_table(table_id)
    jobs = {key for job in table.jobs for key in job.keys(table)}
    assert jobs <= set(table.keys)
    settings = {(c.test_set, c.metric) for c in table.columns if c.kind == "setting"}
    wanted = (key for key in table.keys if key[2:] not in settings)
    bare = [key for key in wanted if key not in jobs and not any(b.covers(key) for b in table.blocks)]
    assert not bare, f"neither job nor block: {bare}"


@every_table
def test_docstring_names_the_command(table_id: str) -> None:
    text = (reproductions_dir() / f"{table_id}.py").read_text(encoding="utf-8")
    assert f"adcbench reproduce {table_id}\n" in text.split('"""')[1]


@every_table
def test_published_values_name_cells_and_units_of_the_table(table_id: str) -> None:
    """load_readings refuses a stray row and a cell without exactly one chosen reading."""
    table = load_table(table_id)
    for key, readings in load_readings(table_id).items():
        units = {reading.unit for reading in readings}
        assert units == {table.column(key.test_set, key.metric).unit}, key
        assert len({(r.value, r.kind) for r in readings}) == len(readings), key


@every_table
def test_claims_are_about_printed_cells(table_id: str) -> None:
    readings = load_readings(table_id)
    for claim in load_table(table_id).claims:
        for place in (claim.large, claim.small):
            assert chosen(readings[CellKey(table_id, *place)]).value != UNKNOWN, claim
        assert float(claim.printed) > 0 and claim.source


@every_csv
def test_published_csv_uses_the_agreed_words(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        assert file.readline().rstrip("\n") == HEADER
        rows = list(csv.DictReader(file, fieldnames=HEADER.split(",")))
    assert rows
    known = set(table_ids())
    for row in rows:
        assert row["table"] in known and row["value"] and row["source"], row
        assert row["kind"] in ("primary", "second-hand", "third-party", "brief"), row
        assert row["confidence"] in ("high", "medium", "low"), row
        assert row["chosen"] in ("yes", "no"), row
        assert "stored copy" not in row["source"] and "/work" not in row["source"], row


@pytest.mark.parametrize("table_id, row, test_set, metric, value", PRINTED)
def test_value_as_printed(table_id: str, row: str, test_set: str, metric: str, value: str) -> None:
    readings = load_readings(table_id)[CellKey(table_id, row, test_set, metric)]
    assert chosen(readings).value == value


@pytest.mark.parametrize("table_id, row, test_set, metric, values", CONTRADICTED)
def test_contradicting_readings_are_kept(table_id: str, row: str, test_set: str, metric: str, values: set[str]) -> None:
    readings = load_readings(table_id)[CellKey(table_id, row, test_set, metric)]
    assert values <= {reading.value for reading in readings}
    assert chosen(readings).value in values and chosen(readings).note, "the chosen reading says why"


@pytest.mark.parametrize(
    "table_id, cells",
    [
        ("adcvsr/table1", 187),
        ("adcvsr/table2", 9),
        ("adcvsr/table3", 6),
        ("adcvsr/table4", 15),
        ("adcsr/table1", 9 * 9 + 9 * 4 + 1),
        ("adcsr/table_c2", 81),
        ("adcsr/table_c1", 78),  # S3Diff's DISTS, FID and NIQE are not known
        ("adcsr/table2", 8),
        ("adcsr/table3", 8),
        ("related/rsd_table17", 108),
        ("related/bsrgan_comparison", 6),
    ],
)
def test_number_of_published_cells(table_id: str, cells: int) -> None:
    values = [chosen(readings).value for readings in load_readings(table_id).values()]
    assert sum(value != UNKNOWN for value in values) == cells


@pytest.mark.parametrize("table_id", UNPRINTED)
def test_unprinted_tables_are_unknown(table_id: str) -> None:
    readings = load_readings(table_id)
    assert readings and {chosen(r).value for r in readings.values()} == {UNKNOWN}
    assert all(chosen(r).confidence == "low" for r in readings.values())


def test_two_papers_have_a_table_2() -> None:
    assert numbered("2") == ("adcsr/table2", "adcvsr/table2")
    assert numbered("C.2") == ("adcsr/table_c2",)
    with pytest.raises(AdcbenchError, match="no table has number '99'"):
        numbered("99")


def test_unknown_table_lists_those_there_are() -> None:
    with pytest.raises(AdcbenchError, match="adcvsr/table8"):
        load_table("adcsr/table99")


LINE = "toy,A,DRealSR,PSNR,1.0,dB,someone,primary,high,yes,\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((LINE, LINE.replace("someone", "another")), "exactly one reading"),
        ((LINE, LINE), "line 3: this reading .* is there twice"),
        ((LINE.replace(",A,", ",B,"),), "not a cell"),
        ((LINE.replace("1.0", "<1.0"),), "line 2: '<1.0' is neither a number nor"),
        ((LINE.replace("yes", "maybe"),), "published.csv: damaged: line 2: chosen must be yes or no"),
        ((LINE.replace("primary", "heard"),), "published.csv: damaged: line 2: .* kind one of primary"),
        ((LINE.replace(",high", ""),), "published.csv: damaged: line 2: 10 values for 11 columns"),
    ],
)
def test_bad_published_csv_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], message: str
) -> None:
    """Two chosen readings of one cell, a row that names no cell, and what can be no row are errors."""
    (tmp_path / "toy.py").write_text(
        "from adcbench.tables import Column, Table\n"
        "TABLE = Table('toy', 'ours', '', 'ours', 'Toy', ('A',), (Column('DRealSR', 'PSNR', 'dB', 'higher'),))\n"
    )
    (tmp_path / "published.csv").write_text(HEADER + "\n" + "".join(lines))
    monkeypatch.setattr("adcbench.tables.loading.reproductions_dir", lambda: tmp_path)
    load_table.cache_clear()
    with pytest.raises(AdcbenchError, match=message):
        load_readings("toy")
    load_table.cache_clear()
