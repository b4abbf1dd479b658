"""A kind of job that is not ours, such as a table file's own: guarded, so that what it does wrong is one line."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from adcbench.core.cells import CellKey, Level, Measurement, Reduce, Scale
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import has_source
from adcbench.core.own_code import calling

if TYPE_CHECKING:
    from adcbench.tables.jobs.job import Job

_OURS = "adcbench."
_ONE_OF = {"level": get_args(Level), "scale": get_args(Scale), "reduce": get_args(Reduce)}
_TEXTS = ("device", "dtype", "signature", "not_comparable", "cause")


def guard(kind: type[Job]) -> None:
    """Guard the methods that a kind of job brings itself, unless it is one of ours."""
    if kind.__module__.startswith(_OURS):
        return
    for name, check in _GIVES.items():
        if callable(method := vars(kind).get(name)):
            setattr(kind, name, _guarded(method, name, check))


def _guarded(method: Callable[..., Any], name: str, check: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(job: Job, *arguments: Any, **named: Any) -> Any:
        what = f"{type(job).__name__} of {job.row!r}: its {name}"
        with calling(f"{what} fails with"):
            given = method(job, *arguments, **named)
            given = [*given] if name in _MEASURE and isinstance(given, Iterable) else given
        keys = job.keys(arguments[0]) if name in _MEASURE and arguments else ()
        if wrong := check(given, keys):
            raise AdcbenchError(f"{what} gives {wrong}")
        return given

    return call


def _text(given: Any, _: Any) -> str:
    return "" if isinstance(given, str) else f"{given!r:.80}, not a text"


def _texts(given: Any, _: Any) -> str:
    right = isinstance(given, tuple | list) and all(isinstance(one, str) for one in given)
    return "" if right else f"{given!r:.80}, not a list of texts"


def _modules(given: Any, _: Any) -> str:
    if wrong := _texts(given, _):
        return wrong
    return next((f"{name!r}, of which there is no source" for name in given if not has_source(name)), "")


def _tolerance(given: Any, _: Any) -> str:
    return "" if _is_number(given) else f"{given!r:.80}, not a number"


def _measured(given: Any, keys: Iterable[CellKey]) -> str:
    """What is wrong with the pairs that a measure gives; empty where nothing is."""
    if not isinstance(given, list):
        return f"{given!r:.80}, not pairs of a cell and its measurement"
    for pair in given:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[1], Measurement | Blocked):
            return f"{pair!r:.80}, not a pair of a cell and its measurement"
        if pair[0] not in keys:
            return f"{pair[0]!s:.80}, a cell that it does not fill"
        if isinstance(pair[1], Measurement) and (wrong := _wrong(pair[1])):
            return f"a measurement whose {wrong}"
    return ""


def _wrong(measurement: Measurement) -> str:
    """What no file could keep of a measurement."""
    for field, known in _ONE_OF.items():
        if getattr(measurement, field) not in known:
            return f"{field} is {getattr(measurement, field)!r:.80}, not one of {', '.join(known)}"
    for field in _TEXTS:
        if not isinstance(getattr(measurement, field), str):
            return f"{field} is {getattr(measurement, field)!r:.80}, not a text"
    if _texts(measurement.unscored, ()):
        return f"unscored is {measurement.unscored!r:.80}, not names"
    if not isinstance(measurement.samples, tuple | list) or not all(map(_is_sample, measurement.samples)):
        return f"samples are {measurement.samples!r:.80}, not pairs of a name and a number"
    if len({name for name, _ in measurement.samples}) < len(measurement.samples):
        return "samples have a name twice"
    return _wrong_provenance(measurement)


def _wrong_provenance(measurement: Measurement) -> str:
    kept = measurement.provenance
    try:
        right = isinstance(kept, Mapping) and json.loads(json.dumps(dict(kept))).keys() == kept.keys()
    except (TypeError, ValueError):
        right = False
    if not right:
        return f"provenance is {kept!r:.80}, not a mapping that JSON can hold"
    return "provenance has no n, the size of the set" if measurement.reduce == "set" and not kept.get("n") else ""


def _is_sample(sample: Any) -> bool:
    return (
        isinstance(sample, tuple | list) and len(sample) == 2 and isinstance(sample[0], str) and _is_number(sample[1])
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_MEASURE = ("measure", "run")
_GIVES: Mapping[str, Callable[[Any, Any], str]] = {
    "measure": _measured, "run": _measured, "modules": _modules, "files": _texts, "described": _texts,
    "stands_for": _text, "released_system": _text, "released_outputs": _text, "fault": _text,
    "tolerance": _tolerance,
}  # fmt: skip
