"""Pickles of numpy arrays: read as they were, and nothing but arrays is made of one."""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.array_pickles import read_arrays

ARRAYS = {
    "Net_0": {"Conv_0": {"kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "bias": np.ones(4, np.float16)}},
    "step": np.asfortranarray(np.arange(6).reshape(2, 3)),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_arrays_come_back_by_their_place(protocol: int, module: str) -> None:
    data = pickle.dumps(ARRAYS, protocol)
    if protocol < 4:  # else names have their length before them
        data = data.replace(b"numpy._core.multiarray", module.encode()).replace(
            b"numpy.core.multiarray", module.encode()
        )
    if protocol in (2, 5):  # bytes by a codec, buffers by another function: no file of ours has them
        with pytest.raises(AdcbenchError, match=r"it names"):
            read_arrays(data, "this")
        return
    found = read_arrays(data, "this")
    assert set(found) == {"Net_0/Conv_0/kernel", "Net_0/Conv_0/bias", "step"}
    np.testing.assert_array_equal(found["Net_0/Conv_0/kernel"], ARRAYS["Net_0"]["Conv_0"]["kernel"])
    np.testing.assert_array_equal(found["step"], ARRAYS["step"])
    assert found["Net_0/Conv_0/bias"].dtype == np.float16


class _Runs:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def test_code_is_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for harm in (
        _Runs(Path.touch, mark),
        _Runs(eval, f"open({str(mark)!r}, 'w')"),
        _Runs(np.save, str(mark), np.ones(2)),
    ):
        with pytest.raises(AdcbenchError, match=r"this: not a readable pickle of arrays .*it names "):
            read_arrays(pickle.dumps({"a": harm}, 3), "this")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"a": _Runs(np.ndarray, (1 << 40,))}, "makes an array in another way"),
        ({"a": _Runs(np._core.multiarray._reconstruct, np.ndarray, (1 << 40,), b"b")}, "makes an array in another way"),
        ({"a": _Runs(np.dtype, "O")}, "an array of the type 'O'"),
        ({"a": np.array(["text"], object)}, "an array of the type 'O8'"),
        ({"a": np.zeros(2, "M8[s]")}, "an array of the type 'M8'"),
        ({"a": 1}, "a is a int, not an array"),
        ({"a": [np.ones(2)]}, "a is a list"),
        ({1: np.ones(2)}, "a name that is no text"),
        ({}, "without any array"),
        (np.dtype("f4"), "the whole is a"),
    ],
)
def test_anything_but_arrays_in_mappings_is_refused(content: Any, says: str) -> None:
    with pytest.raises(AdcbenchError, match=f"^this: .*{says}"):
        read_arrays(pickle.dumps(content, 3), "this")


def test_damage_is_refused() -> None:
    data = pickle.dumps(ARRAYS, 3)
    for bad in (b"", data[:-1], data[: len(data) // 2], b"PK\x03\x04", b"\x80\x03}q\xff"):
        with pytest.raises(AdcbenchError, match=r"not a readable pickle of arrays"):
            read_arrays(bad, "this")


def test_an_array_longer_than_its_bytes_is_refused() -> None:
    """The shape is a number in the file, the bytes are what there is."""
    data = pickle.dumps({"a": np.zeros((3, 77), np.float32)}, 3)
    places = [place for opcode, argument, place in pickletools.genops(io.BytesIO(data)) if argument == 77]
    assert len(places) == 1 and places[0] is not None
    with pytest.raises(AdcbenchError, match=r"not a readable pickle of arrays"):
        read_arrays(data[: places[0] + 1] + b"\x4e" + data[places[0] + 2 :], "this")
