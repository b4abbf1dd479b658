"""A user's own metric: found, checked and guarded, so that whatever it does wrong is one line that names it."""

from __future__ import annotations

import functools
import importlib
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.own_code import calling
from adcbench.core.weight_files import WeightFile
from adcbench.metrics.metric import Facts, Metric, Scorer, SetScore, Takes
from adcbench.metrics.tools import Tool

_OF_TOOLS = tuple(name for name in vars(Tool) if not name.startswith("_"))


def own_metric(name: str, target: str) -> Metric:
    """A user's metric.

    Args:
        name: what it is called here, for errors.
        target: ``package.module:metric``.

    Raises:
        AdcbenchError: it can't be imported, is no Metric, or is none that anything could work with.
    """
    module, _, attribute = target.partition(":")
    if not module or not attribute:
        raise AdcbenchError(f"metric {name!r}: {target!r} is not package.module:metric")
    with calling(f"metric {name!r}: cannot load {target}:"):
        own = getattr(importlib.import_module(module), attribute)
    if not isinstance(own, Metric):
        raise AdcbenchError(f"metric {name!r}: {target} is a {type(own).__name__}, not an adcbench Metric")
    if not (own.function or own.load):
        raise AdcbenchError(f"metric {name!r}: it has neither a function nor a load")
    if wrong := [*_wrong_fields(own)]:
        raise AdcbenchError(f"metric {name!r}: {'; '.join(wrong)}")
    return _guarded(own, name, target)


def _guarded(own: Metric, name: str, target: str) -> Metric:
    what = f"metric {name!r}:"
    return replace(
        own,
        origin=target,
        function=own.function and Guarded(own.function, f"{what} its function", _number),
        load=own.load and Guarded(own.load, f"{what} its load", functools.partial(_scorer, own.takes == "set"), False),
        over_set=own.over_set and Guarded(own.over_set, f"{what} its over_set", _set_score),
        locate=own.locate and Guarded(own.locate, f"{what} its locate", _same, False),
    )


def _wrong_fields(own: Metric) -> Iterator[str]:
    """Fields of a user's metric that nothing could work with."""
    if not isinstance(own.name, str) or not re.fullmatch(r"[^\s,|]+", own.name):
        yield f"its name is {own.name!r}, not a word"
    if own.takes not in get_args(Takes):
        yield f"it takes {own.takes!r}, not one of {', '.join(get_args(Takes))}"
    for field in ("function", "load", "over_set", "locate"):
        if (value := getattr(own, field)) is not None and not callable(value):
            yield f"its {field} is {value!r}, which can't be called"
    if own.function and own.load:
        yield "it has a function and a load; keep one"
    if own.of_clips and not own.function:
        yield "a metric of clips needs a function"
    if (own.takes == "set") != (own.over_set is not None) or (own.takes == "set" and not own.load):
        yield "a metric over a set takes 'set' and has a load, which gives features, and an over_set; others have none"
    yield from _wrong_types(own)
    if not _is_picklable(own):
        yield "its load and over_set must be functions that a module defines by name: another process looks for them"


def _wrong_types(own: Metric) -> Iterator[str]:
    if not isinstance(own.settings, Mapping) or not all(isinstance(key, str) for key in own.settings):
        yield f"its settings are {own.settings!r}, not a mapping of names to values"
    for field, kind in (("libraries", str), ("files", WeightFile)):
        value = getattr(own, field)
        if not isinstance(value, tuple | list) or not all(isinstance(one, kind) for one in value):
            yield f"its {field} are {value!r}, not a tuple of {kind.__name__}"
    if isinstance(own.batch, bool) or not isinstance(own.batch, int) or own.batch < 1:
        yield f"its batch is {own.batch!r}, not a whole number from 1"
    for field in ("unit", "notes"):
        if not isinstance(getattr(own, field), str):
            yield f"its {field} is {getattr(own, field)!r}, not a text"
    if not isinstance(own.facts, Facts):
        yield f"its facts are {own.facts!r}, not Facts"
    tools = [*own.tools.values()] if isinstance(own.tools, Mapping) else [own.tools]
    for tool in (*tools, *([] if own.asks is None else [own.asks])):
        if not all(hasattr(tool, name) for name in _OF_TOOLS):
            yield f"its tool {tool!r} is no metrics.tools.Tool"


def _is_picklable(own: Metric) -> bool:
    """Whether the networks' process can be given what it needs of it."""
    try:
        pickle.dumps(own.load and own)
    except Exception:  # objects of users refuse in many ways
        return False
    return True


class Guarded:
    """A user's function; what it raises, and gives that it must not, is one line. Other processes can be given it.

    A ``ValueError`` refuses an image, as of every metric; where that can be (``refuses``) whatever else comes is one
    too, so that other metrics keep their scores.
    """

    def __init__(
        self, function: Callable[..., Any], what: str, made: Callable[[str, Any], Any], refuses: bool = True
    ) -> None:
        functools.update_wrapper(self, function, functools.WRAPPER_ASSIGNMENTS, updated=())
        self.func, self.what, self.made, self.refuses = function, what, made, refuses

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        try:
            with calling(f"{self.what} fails with"):
                return self.made(self.what, self.func(*arguments, **named))
        except Blocked:
            raise
        except AdcbenchError as error:
            if not self.refuses:
                raise
            refusal = error.__cause__ if isinstance(error.__cause__, ValueError) else error
            raise ValueError(str(refusal)) from error


def _same(what: str, value: Any) -> Any:
    return value


def _number(what: str, value: Any) -> float:
    try:
        if isinstance(value, str) or np.ndim(value):
            raise TypeError
        return float(value)
    except TypeError:
        raise AdcbenchError(f"{what} gives {_shown(value)}, not a number") from None


def _set_score(what: str, value: Any) -> SetScore:
    if not isinstance(value, SetScore):
        raise AdcbenchError(f"{what} gives {_shown(value)}, not a SetScore")
    return value


def _scorer(of_set: bool, what: str, scorer: Any) -> Scorer:
    if not callable(scorer):
        raise AdcbenchError(f"{what} gives {_shown(scorer)}, which can't be called")

    def values(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        return _values(of_set, what, len(sr), scorer(sr, hr))

    return Guarded(values, f"{what}'s network", _same)


def _values(of_set: bool, what: str, count: int, given: Any) -> np.ndarray:
    values = np.asarray(given)
    shape = values.shape[:2] if of_set and values.ndim == 3 else values.shape
    if shape != ((count, 2) if of_set else (count,)) or values.dtype.kind not in "fiub":
        wanted = f"features of shape ({count}, 2, d)" if of_set else f"{count} numbers"
        raise AdcbenchError(f"{what}'s network gives {_shown(values)} for {count} images, not {wanted}")
    return values


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
