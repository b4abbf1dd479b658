"""Hugging Face's evaluation results: a task mixes no sides, a file has no task twice, and what the library refuses."""

from __future__ import annotations

import pytest
import yaml

from adcbench.report.export import Options, results
from adcbench.report.exports.hf_eval_results import FORMAT
from adcbench.report.view import read_view


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    view = read_view("adcsr/table1")
    return dict(FORMAT.draw(view.table, results(view), Options(benchmark="someone/sr-tables")))


def test_a_file_has_no_task_twice_and_a_task_mixes_no_sides(files: dict[str, bytes]) -> None:
    for path, data in files.items():
        entries = yaml.safe_load(data)
        tasks = [one["dataset"]["task_id"] for one in entries]
        assert len(set(tasks)) == len(tasks)
        side = "published" if path.endswith("_published.yaml") else "measured" if "_measured-" in path else "re-agg"
        assert all(side in task for task in tasks)
        assert {one["dataset"]["id"] for one in entries} == {"someone/sr-tables"}


def test_an_entry_says_what_the_format_has_no_field_for(files: dict[str, bytes]) -> None:
    measured = yaml.safe_load(files["osediff/.eval_results/adcsr-table1_osediff_measured-scores-full-cpu-float64.yaml"])
    assert measured[0]["value"] == 27.92428049 and "source" not in measured[0]
    for part in ("unit: dB", "level: scores", "device: cpu", "verdict: match", "signature: psnr |", "provenance: {"):
        assert part in measured[0]["notes"]
    published = yaml.safe_load(files["osediff/.eval_results/adcsr-table1_osediff_published.yaml"])
    assert published[0]["value"] == 27.92 and "printed: 27.92" in published[0]["notes"]
    cited = [one for data in files.values() for one in yaml.load(data, yaml.CSafeLoader) if "source" in one]
    assert cited and all(one["source"]["url"].rpartition("/")[2] in one["source"]["name"] for one in cited)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"  value: 27.92\n", b""),
        (b"  value: 27.92\n", b"  value: 27.92\n  verdict: match\n"),
        (b"value: 27.92\n", b"value: good\n"),
        (b"id: someone/sr-tables", b"id: some one/sr/tables"),
        (b"- dataset:", b"- ? ["),
    ],
)
def test_the_library_refuses_what_is_wrong(files: dict[str, bytes], old: bytes, new: bytes) -> None:
    path = "osediff/.eval_results/adcsr-table1_osediff_published.yaml"
    assert not FORMAT.check(path, files[path]) and old in files[path]
    faults = FORMAT.check(path, files[path].replace(old, new, 1))
    assert len(faults) == 1 and faults[0].startswith(f"{path}: ") and "\n" not in faults[0]
