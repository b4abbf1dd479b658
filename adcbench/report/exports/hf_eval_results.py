"""Hugging Face's evaluation results: ``.eval_results/*.yaml`` of a model's repository.

A folder a system, whose ``.eval_results`` can be copied into the model's repository on the Hub. An entry has a
benchmark (a data set on the Hub, where the leaderboard lives), a task of it and a value, and no field for a metric, a
unit or a verdict: the task names table, test set, metric, side, and how much was redone and where, so that no
leaderboard mixes what is printed with what was measured; the rest stands in ``notes``. Spec: the Hub's docs, Evaluation
Results; written, read and checked with ``huggingface_hub``'s own ``EvalResultEntry``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from adcbench.core.errors import AdcbenchError, one_line
from adcbench.report.export import Format, Options, Result, slug
from adcbench.tables.table import Table

_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
_ID = "result"  # the note that an entry begins with
_SEPARATOR = "; "


def _hub() -> Any:
    """The library, with the format in it.

    Raises:
        AdcbenchError: the installed one is older than the format.
    """
    import huggingface_hub

    if not hasattr(huggingface_hub, "EvalResultEntry"):
        raise AdcbenchError(
            f"huggingface_hub {huggingface_hub.__version__} has no EvalResultEntry; pip install -U huggingface_hub"
        )
    return huggingface_hub


def _loaded(data: bytes) -> Any:
    import yaml

    return yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the same, in a tenth of the time


def draw(table: Table, results: Sequence[Result], options: Options) -> Mapping[str, bytes]:
    """One file a row, side, level, scale, device and dtype: within a file no task is there twice.

    Raises:
        AdcbenchError: the benchmark is no name of a data set, or the library is too old.
    """
    import yaml

    hub, files = _hub(), defaultdict(list)
    try:
        hub.utils.validate_repo_id(options.benchmark)
    except ValueError as error:
        raise AdcbenchError(f"--benchmark {options.benchmark!r} is no name of a data set: {one_line(error)}") from error
    for one in results:
        name = "_".join(map(slug, (table.id, one.key.row, "-".join(one.slot))))
        files[f"{slug(one.system)}/.eval_results/{name}.yaml"].append(_entry(hub, one, options))
    return {
        path: yaml.safe_dump(
            hub.eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=10_000
        ).encode()
        for path, entries in files.items()
    }


def _entry(hub: Any, one: Result, options: Options) -> Any:
    key = one.key
    source = _ARXIV.search(one.details.get("read_in", ""))
    notes = {_ID: one.id, "unit": one.unit, **one.details}
    return hub.EvalResultEntry(
        dataset_id=options.benchmark,
        task_id=".".join(map(slug, (key.table, key.test_set, key.metric, "-".join(one.slot)))),
        value=one.value,
        source_url=f"https://arxiv.org/abs/{source[1]}" if source else None,
        source_name=one.details["read_in"] if source else None,
        notes=_SEPARATOR.join(f"{name}: {text}" for name, text in notes.items() if text),
    )


def read(data: bytes) -> Mapping[str, float]:
    """Ids and values of a file's entries, through ``huggingface_hub``'s own reader."""
    entries = _hub().parse_eval_result_entries(_loaded(data))
    return {str(e.notes).partition(_SEPARATOR)[0].removeprefix(f"{_ID}: "): float(e.value) for e in entries}


def check(path: str, data: bytes) -> Sequence[str]:
    """What ``huggingface_hub`` finds wrong: an entry that it can't read or reads as another, a name no data set has."""
    import yaml

    hub = _hub()
    try:
        content = _loaded(data)
        entries = hub.parse_eval_result_entries(content)
        for entry in entries:
            hub.utils.validate_repo_id(entry.dataset_id)
    except (ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        return [f"{path}: {one_line(error)}"]
    same = hub.eval_result_entries_to_yaml(entries) == content
    numbers = all(isinstance(entry.value, int | float) for entry in entries)
    return [] if same and numbers else [f"{path}: an entry has a field that the format does not know, or no number"]


FORMAT = Format("hf-eval-results", "Hugging Face's .eval_results/*.yaml, checked by huggingface_hub", draw, read, check)
