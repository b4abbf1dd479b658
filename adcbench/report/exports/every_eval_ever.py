"""Every Eval Ever, the EvalEval coalition's schema for evaluation results: one JSON log a row of a table and side.

The schema is ``every_eval_ever.schema.json`` beside this file: ``eval.schema.json`` of version 0.3.0 of the package
every-eval-ever (MIT, see the notice beside it), unchanged. Paths are those of its data store:
``data/adcbench/<developer>/<system>/<uuid>.json``. Its ``documentation`` is what papers print, its ``evaluation_run``
what was measured here or logged image by image. Scores of single images are not exported: the schema of samples is
made for prompts and answers.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from adcbench import __version__
from adcbench.core.datafiles import json_value
from adcbench.core.errors import AdcbenchError, one_line
from adcbench.data.test_sets.registry import find_test_set
from adcbench.metrics import find_metric
from adcbench.report.export import Format, Options, Result, Side, slug
from adcbench.tables.papers import Paper, load_papers
from adcbench.tables.table import COMPLEXITY, Column, Table

SCHEMA = Path(__file__).with_suffix(".schema.json")
_COLLECTION, _UNKNOWN = "adcbench", "unknown"


def draw(table: Table, results: Sequence[Result], options: Options) -> Mapping[str, bytes]:
    """One log a row and side."""
    logs: dict[tuple[str, Side], list[Result]] = defaultdict(list)
    for one in results:
        logs[one.key.row, one.side].append(one)
    files = {}
    for (row, side), found in logs.items():
        log = _log(table, row, side, found, options)
        name = f"data/{_COLLECTION}/{log['model_info']['id']}/{_uuid(log['evaluation_id'])}.json"
        files[name] = (json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    return files


def _uuid(text: str) -> uuid.UUID:
    """A name of version 4, as the data store wants it, that the text alone decides."""
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)


def _log(table: Table, row: str, side: Side, found: Sequence[Result], options: Options) -> dict[str, Any]:
    paper = next((paper for name, paper in load_papers().items() if table.id.startswith(f"{name}/")), None)
    ours = all(one.details.get("scale") == "mini" for one in found)  # what adcbench trained
    unknown = f"{_COLLECTION if ours else _UNKNOWN}/{slug(found[0].system)}"
    model = paper.repositories.get(row, unknown) if paper else unknown
    return {
        "schema_version": _schema()["version"],
        "evaluation_id": f"{_COLLECTION}-{slug(table.id)}-{slug(row)}-{side}/{model}/{options.date}",
        "retrieved_timestamp": str(options.date),
        "source_metadata": _source(table, paper, row, side, ours=ours),
        "eval_library": _library(side),
        "model_info": {
            "name": row,
            "id": model,
            "additional_details": {
                "deployment_type": "self_deployed" if side == "measured" else _UNKNOWN,
                "model_availability": _UNKNOWN,
                "system": found[0].system,
            },
        },
        "evaluation_results": [_result(one) for one in found],
    }


def _source(table: Table, paper: Paper | None, row: str, side: Side, *, ours: bool) -> dict[str, Any]:
    """Who reports: the paper what it prints, adcbench what it measured.

    First party is a paper about its own system, and adcbench about the mini scale, which it trained.
    """
    own = row in paper.own if paper and side == "published" else ours
    published = side != "measured" and paper is not None
    return {
        "source_name": f"{table.paper}: {table.title}",
        "source_type": "documentation" if side == "published" else "evaluation_run",
        "source_organization_name": paper.title if published and paper else _COLLECTION,
        "evaluator_relationship": "first_party" if own else "third_party",
        "additional_details": {"side": side, "table": table.id, "row": row},
    }


def _library(side: Side) -> dict[str, str]:
    """What computed the numbers: of a printed one nobody says."""
    measured = side == "measured"
    return {"name": _COLLECTION, "version": __version__} if measured else {"name": _UNKNOWN, "version": _UNKNOWN}


def _result(one: Result) -> dict[str, Any]:
    score: dict[str, Any] = {"score": one.value, "details": dict(one.details)}
    if one.interval:
        low, high = one.interval
        bounds = {"lower": low, "upper": high, "confidence_level": 0.95, "method": "bootstrap over images"}
        score["uncertainty"] = {"confidence_interval": bounds, "num_samples": one.samples}
    return {
        "evaluation_result_id": one.id,
        "evaluation_name": f"super-resolution.{slug(one.key.test_set)}",
        "source_data": _data(one.key.test_set),
        "metric_config": _metric(one),
        "score_details": score,
    }


def _metric(one: Result) -> dict[str, Any]:
    column = one.column
    content = {
        "metric_id": slug(column.metric),
        "metric_name": column.metric,
        "metric_kind": slug(column.metric),
        "metric_unit": one.unit,
        "lower_is_better": column.better == "lower",
        **_range(column),
        "additional_details": {"column": column.kind, "better": column.better or "not said"},
    }
    return {name: value for name, value in content.items() if value != ""}


def _range(column: Column) -> dict[str, float | str]:
    """The range of a metric's values; the schema writes no bound as a word. Nothing where it is not known."""
    if column.kind in ("counted", "timed"):
        low, high = 0.0, math.inf
    elif column.scored_by:
        facts = find_metric(column.scored_by).facts
        low, high = facts.low, facts.high
    else:
        return {}
    return {"score_type": "continuous", "min_score": _bound(low), "max_score": _bound(high)}


def _bound(value: float) -> float | str:
    if math.isfinite(value):
        return round(value, 3) + 0.0  # ranges have some slack for rounding
    return "Infinity" if value > 0 else "-Infinity"


@lru_cache
def _data(test_set: str) -> dict[str, Any]:
    """Where the test set comes from: an address where it is known, else words."""
    if test_set == COMPLEXITY:
        return {
            "dataset_name": COMPLEXITY,
            "source_type": "other",
            "additional_details": {"what": "counted or timed: no test set"},
        }
    try:
        known = find_test_set(test_set)
    except AdcbenchError:  # a paper's, which no registry of ours has
        return {"dataset_name": test_set, "source_type": "other"}
    if known.repository:
        url = f"https://github.com/{known.repository}/tree/{known.commit}"
        return {"dataset_name": known.name, "source_type": "url", "url": [url]}
    details = {"additional_details": {"source": known.source}} if known.source else {}
    return {"dataset_name": known.name, "source_type": "other", **details}


def read(data: bytes) -> Mapping[str, float]:
    """Ids and values of a log's results."""
    evaluations = json_value(data.decode())["evaluation_results"]
    return {one["evaluation_result_id"]: float(one["score_details"]["score"]) for one in evaluations}


@lru_cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


@lru_cache
def _validator() -> Any:
    import fastjsonschema

    return fastjsonschema.compile(_schema())


def check(path: str, data: bytes) -> Sequence[str]:
    """What the schema finds wrong with a log, or its path with the name of its evaluation."""
    validate = _validator()
    try:
        log = json_value(data.decode())
        validate(log)
    except ValueError as error:  # of fastjsonschema too
        return [f"{path}: {one_line(error)}"]
    right = path.endswith(f"data/{_COLLECTION}/{log['model_info']['id']}/{_uuid(log['evaluation_id'])}.json")
    return [] if right else [f"{path}: its place is not that of evaluation {log['evaluation_id']}"]


FORMAT = Format(
    "every-eval-ever", "the EvalEval coalition's JSON, checked by its schema 0.3.0", draw, read, check, dated=True
)
