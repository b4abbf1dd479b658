"""Every Eval Ever: whose numbers they are, where the test set comes from, and what its schema refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adcbench.report.export import Options, results
from adcbench.report.exports.every_eval_ever import FORMAT, SCHEMA
from adcbench.report.view import read_view

OPTIONS = Options(date=1_790_000_000)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    view = read_view("adcsr/table1")
    return dict(FORMAT.draw(view.table, results(view), OPTIONS))


@pytest.fixture(scope="module")
def logs(files: dict[str, bytes]) -> dict[tuple[str, str], dict[str, Any]]:
    found = [json.loads(data) for data in files.values()]
    return {(one["model_info"]["name"], one["source_metadata"]["additional_details"]["side"]): one for one in found}


def test_a_paper_about_its_own_system_is_first_party_and_we_are_third(logs: dict[tuple[str, str], Any]) -> None:
    said = {place: log["source_metadata"]["evaluator_relationship"] for place, log in logs.items()}
    assert said["AdcSR", "published"] == "first_party"
    assert said["OSEDiff", "published"] == said["OSEDiff", "measured"] == "third_party"
    kinds = {place: log["source_metadata"]["source_type"] for place, log in logs.items()}
    assert kinds["OSEDiff", "published"] == "documentation" and kinds["OSEDiff", "measured"] == "evaluation_run"
    assert logs["OSEDiff", "published"]["eval_library"]["name"] == "unknown"


def test_a_model_is_its_authors_repository_and_nobody_s_where_none_is_known(logs: dict[tuple[str, str], Any]) -> None:
    ids = {row: log["model_info"]["id"] for (row, _), log in logs.items()}
    assert ids["OSEDiff"] == "cswry/OSEDiff" and ids["Bicubic"] == "unknown/bicubic"
    view = read_view("embedded")
    drawn = FORMAT.draw(view.table, results(view), OPTIONS)
    assert any(path.startswith("data/adcbench/adcbench/adcsr-mini-trained/") for path in drawn)


def test_a_measurement_has_interval_level_device_and_provenance(logs: dict[tuple[str, str], Any]) -> None:
    psnr = next(r for r in logs["OSEDiff", "measured"]["evaluation_results"] if "PSNR" in r["evaluation_result_id"])
    assert psnr["source_data"]["url"][0].startswith("https://github.com/cswry/OSEDiff/tree/")
    assert psnr["metric_config"]["metric_unit"] == "dB" and not psnr["metric_config"]["lower_is_better"]
    score = psnr["score_details"]
    bounds = score["uncertainty"]["confidence_interval"]
    assert bounds["lower"] < score["score"] < bounds["upper"] and score["uncertainty"]["num_samples"] == 93
    assert score["details"]["level"] == "scores" and score["details"]["device"] == "cpu"
    assert json.loads(score["details"]["provenance"])["outputs"] == "released OSEDiff"


def test_no_bound_is_null_which_the_package_s_own_model_refuses(logs: dict[tuple[str, str], Any]) -> None:
    for log in logs.values():
        for one in log["evaluation_results"]:
            config = one["metric_config"]
            assert ("score_type" in config) == ("min_score" in config) == ("max_score" in config)
            assert None not in config.values()


def test_the_schema_refuses_what_is_wrong(files: dict[str, bytes]) -> None:
    path, data = next(iter(files.items()))
    assert not FORMAT.check(f"out/{path}", data)
    log = json.loads(data)
    for change, said in (
        ({"evaluation_results": [{**log["evaluation_results"][0], "score_details": {"score": "27.92"}}]}, "score"),
        ({"retrieved_timestamp": 1_790_000_000}, "retrieved_timestamp must be string"),
        ({"verdict": "match"}, "must not contain"),
        ({"evaluation_id": "another"}, "its place is not that of evaluation another"),
    ):
        faults = FORMAT.check(path, json.dumps(log | change).encode())
        assert len(faults) == 1 and faults[0].startswith(f"{path}: ") and said in faults[0]


def test_the_schema_is_the_public_one_with_its_licence() -> None:
    assert json.loads(SCHEMA.read_text())["version"] == "0.3.0"
    notice = SCHEMA.with_name("every_eval_ever.LICENSE").read_text()
    assert "MIT License" in notice and "EvalEval" in notice
