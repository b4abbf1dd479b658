"""The ranges of settings as types, and their check: what ``--show`` prints is what training takes."""

from __future__ import annotations

import reprlib
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from adcbench.core.errors import AdcbenchError

Settings = TypeVar("Settings")

Count = Annotated[int, Field(ge=1, le=10**9)]
Whole = Annotated[int, Field(ge=0, le=10**9)]  # steps, and whatever may be none
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]  # of a loss, or a rate
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Decay = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


def checked(kind: type[Settings], values: dict[str, Any], name: str) -> Settings:
    """Settings of a kind from plain values.

    Args:
        kind: a dataclass whose fields have the types above.
        name: of the part: ``stage``, ``data`` or ``loop``.

    Raises:
        AdcbenchError: values of another type or outside of their range: names each, and what it may be.
    """
    adapted: Any = kind
    try:
        made: Settings = _adapter(adapted).validate_python(plain(values))
        return made
    except ValidationError as error:
        raise AdcbenchError("; ".join(_said(name, one) for one in error.errors(include_url=False))) from error


def check_ranges(settings: Any, name: str) -> None:
    """Refuse settings, made by whatever code, that ``checked`` would not make.

    Raises:
        AdcbenchError: see ``checked``.
    """
    checked(type(settings), asdict(settings), name)


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def shown(value: Any) -> str:
    """A value for an error's text: short, whatever it is."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python prints no whole number of over 4300 digits
        return "a number of thousands of digits"


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _said(name: str, error: Any) -> str:
    where = ".".join(map(str, (name, *error["loc"])))
    return f"{where} is {shown(error['input'])}; it must be {error['msg'].removeprefix('Input should be ')}"
