"""A user's code that fails: one line with its name, the cause and the place. What is not its fault passes."""

from __future__ import annotations

from functools import partial

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.own_code import calling, error_words, guarded, home, place_in_home


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


def fails(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("first\nsecond"), "X ValueError: first"),
        (ValueError(), "X ValueError"),
        (Unprintable(), "X Unprintable"),
        (SystemExit(3), "X SystemExit: 3"),
    ],
)
def test_whatever_it_raises_is_one_line_with_its_place(error: BaseException, says: str) -> None:
    with pytest.raises(AdcbenchError) as caught:
        guarded(fails, "X")(error)
    line = fails.__code__.co_firstlineno + 1
    assert str(caught.value) == f"{says} ({__file__}:{line})"


@pytest.mark.parametrize(
    "error", [AdcbenchError("ours"), KeyboardInterrupt(), MemoryError(), RuntimeError("CUDA out of memory. Tried")]
)
def test_what_is_not_its_fault_passes_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, calling("X"):
        raise error
    assert caught.value is error


def test_a_guarded_function_keeps_its_name_and_value() -> None:
    call = guarded(partial(int, base=2), "X")
    assert call("101") == 5
    assert (home(call), place_in_home(call)) == ("builtins", "int")
    assert (home(partial(fails)), place_in_home(partial(fails))) == (__name__, "fails")


def test_our_own_errors_are_their_text_alone() -> None:
    assert error_words(AdcbenchError("a file: what to do\nmore")) == "a file: what to do"
