from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ncnn_files import TAG, Layer, write_ncnn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.ncnn import read_convolutions


def _layers() -> list[Layer]:
    """A 3x3 and a 1x1 convolution; the second has an odd number of weights, so it is padded."""
    random = np.random.default_rng(0)
    shapes = ((4, 3, 3, 3), (5, 1, 1, 1))
    return [(random.normal(size=s).astype(np.float16), random.normal(size=s[0])) for s in shapes]


def test_reads_names_weights_and_biases_in_order(tmp_path: Path) -> None:
    layers = _layers()
    found = read_convolutions(*write_ncnn(tmp_path, layers))
    assert [c.name for c in found] == ["Conv_0", "Conv_1"]
    for read, (weight, bias) in zip(found, layers, strict=True):
        assert read.weight.dtype == read.bias.dtype == np.float32
        np.testing.assert_array_equal(read.weight, weight.astype(np.float32))
        np.testing.assert_array_equal(read.bias, bias.astype(np.float32))


def test_every_truncation_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    param, weights = write_ncnn(tmp_path, _layers())
    whole = weights.read_bytes()
    for length in range(len(whole)):
        weights.write_bytes(whole[:length])
        with pytest.raises(AdcbenchError, match=r"net\.bin.*get it again"):
            read_convolutions(param, weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data + b"\0\0", "2 bytes are left"),
        (lambda data: b"\0" * 4 + data[4:], "Conv_0 has the tag 0x00000000"),
        (lambda data: data.replace(TAG, b"\x4f\x2d\x0d\x00"), "Conv_0 has the tag 0x000d2d4f"),  # int8
        (lambda data: TAG + b"\x00\x7e" + data[6:], "not finite"),  # a float16 NaN
    ],
)
def test_odd_weights_are_refused(tmp_path: Path, change: object, message: str) -> None:
    param, weights = write_ncnn(tmp_path, _layers())
    weights.write_bytes(change(weights.read_bytes()))  # type: ignore[operator]
    with pytest.raises(AdcbenchError, match=message):
        read_convolutions(param, weights)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("7767517", "7767518", "does not start with 7767517"),
        ("3 9", "4 9", "promises 4 layers and has 3"),
        ("Convolution Conv_1", "InnerProduct Conv_1", "does not know: InnerProduct"),
        ("4=1 5=1 6=108", "4=1 5=1 6=108 3=2", "not a plain convolution"),  # stride
        ("4=1 5=1 6=108", "4=1 5=1 6=108 2=2", "not a plain convolution"),  # dilation
        ("4=1 5=1 6=108", "4=1 5=1 6=108 8=1", "not a plain convolution"),  # int8
        ("5=1 6=108", "6=108", "not a plain convolution"),  # no bias
        ("6=108", "6=107", "not a plain convolution"),  # no whole number of input channels
        ("1=3", "", "is not complete"),
        ("0=4", "0=four", "is not complete"),
        ("0=4", "0=0", "is not complete"),
        ("1=3", "1=-3", "not a plain convolution"),
        ("0=4", "0=-4", "not a plain convolution"),
        ("0=4 1=3 4=1 5=1 6=108", "0=-4 1=3 4=1 5=1 6=-108", "not a plain convolution"),
        ("6=108", f"6={10**4000}", "not a plain convolution"),
    ],
)
def test_odd_layers_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    param, weights = write_ncnn(tmp_path, _layers())
    text = param.read_text()
    assert old in text
    param.write_text(text.replace(old, new, 1))
    with pytest.raises(AdcbenchError, match=message) as caught:
        read_convolutions(param, weights)
    assert str(param) in str(caught.value)


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    param, weights = write_ncnn(tmp_path, _layers())
    with pytest.raises(AdcbenchError, match=r"other\.bin"):
        read_convolutions(param, tmp_path / "other.bin")
    with pytest.raises(AdcbenchError, match=r"net\.bin: not UTF-8 text"):
        read_convolutions(weights, weights)
