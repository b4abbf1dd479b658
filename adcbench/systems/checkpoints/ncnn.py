"""Read the weights of convolutions from ncnn's two files, without ncnn.

Layout (source: ncnn's wiki, "param and model file structure", and ``src/layer/convolution.cpp``):

- ``.param`` is text: a magic number, "layers blobs", then one layer a line:
  ``kind name inputs outputs names... key=value...``. Of a Convolution, key 0 is the number of output
  channels, 1 the kernel size, 5 whether it has a bias, 6 the number of weights.
- ``.bin`` holds, layer by layer: a 4-byte tag, the weights (out, in, k, k), then the bias as float32.
  The tag 0x01306B47 says that the weights are float16, padded to a multiple of 4 bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import read_text, read_whole

_LARGEST_PARAM = 1 << 20  # bytes
_MOST_WEIGHTS = 1 << 40
_MAGIC = "7767517"
_FLOAT16 = 0x01306B47
_WITHOUT_WEIGHTS = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp"}
_PLAIN = {"0", "1", "4", "5", "6", "9", "-23310"}  # with padding (4) and activation (9, -23310), no stride


class Convolution(NamedTuple):
    """One convolution: its name in the file, weight (out, in, k, k) and bias (out,), both float32."""

    name: str
    weight: np.ndarray
    bias: np.ndarray


class _Shape(NamedTuple):
    name: str
    out: int
    kernel: int
    weights: int


def read_convolutions(param: Path, weights: Path) -> tuple[Convolution, ...]:
    """All convolutions of a network, in the order in which it runs them.

    Args:
        param: the ``.param`` file.
        weights: the ``.bin`` file, with float16 weights.

    Raises:
        AdcbenchError: a file can't be read, is truncated, has bytes left over, or holds what this
            reader does not know (other layers with weights, other number formats).
    """
    shapes = _read_shapes(param)
    data = read_whole(weights)
    convolutions, offset = [], 0
    for shape in shapes:
        convolution, offset = _read_one(data, offset, shape, weights)
        convolutions.append(convolution)
    if offset != len(data):
        raise _broken(weights, f"{len(data) - offset} bytes are left after the last layer of {param.name}")
    return tuple(convolutions)


def _read_shapes(param: Path) -> list[_Shape]:
    """Shapes of the convolutions of a ``.param`` file; every other layer must be one without weights."""
    lines = [line.split() for line in read_text(param, _LARGEST_PARAM).splitlines() if line.strip()]
    if len(lines) < 2 or lines[0] != [_MAGIC]:
        raise _broken(param, f"it does not start with {_MAGIC}")
    layers = lines[2:]
    if lines[1][0] != str(len(layers)):
        raise _broken(param, f"it promises {lines[1][0][:20]} layers and has {len(layers)}")
    unknown = {layer[0] for layer in layers} - _WITHOUT_WEIGHTS - {"Convolution"}
    if unknown:
        raise AdcbenchError(
            f"{param}: layers this reader does not know: {listed(kind[:40] for kind in sorted(unknown))}"
        )
    return [_shape(layer, param) for layer in layers if layer[0] == "Convolution"]


def _shape(layer: list[str], param: Path) -> _Shape:
    try:
        settings = dict(word.split("=", 1) for word in layer[4:] if "=" in word)
        shape = _Shape(layer[1][:40], int(settings["0"]), int(settings["1"]), int(settings["6"]))
        inputs, rest = divmod(shape.weights, shape.out * shape.kernel**2)
    except (IndexError, KeyError, ValueError, ZeroDivisionError) as error:
        raise _broken(param, f"the line {' '.join(layer)[:200]!r} is not complete") from error
    possible = min(shape.out, shape.kernel, inputs) >= 1 and not rest and shape.weights <= _MOST_WEIGHTS
    if not settings.keys() <= _PLAIN or settings.get("5") != "1" or not possible:
        raise AdcbenchError(f"{param}: not a plain convolution with a bias: {' '.join(layer)[:200]}")
    return shape


def _read_one(data: bytes, start: int, shape: _Shape, path: Path) -> tuple[Convolution, int]:
    """The convolution that starts at byte ``start``, and where the next one starts."""
    bias_at = start + 4 + -(-2 * shape.weights // 4) * 4
    end = bias_at + 4 * shape.out
    if end > len(data):
        raise _broken(path, f"it ends inside {shape.name} (byte {len(data)} of at least {end})")
    tag = int.from_bytes(data[start : start + 4], "little")
    if tag != _FLOAT16:
        raise _broken(path, f"{shape.name} has the tag {tag:#010x}, not {_FLOAT16:#010x} (float16)")
    half = np.frombuffer(data, "<f2", shape.weights, start + 4)
    weight = half.astype(np.float32).reshape(shape.out, -1, shape.kernel, shape.kernel)
    bias = np.frombuffer(data, "<f4", shape.out, bias_at).copy()
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise _broken(path, f"{shape.name} has weights that are not finite")
    return Convolution(shape.name, weight, bias), end


def _broken(path: Path, what: str) -> AdcbenchError:
    return AdcbenchError(f"{path}: {what}. The file is damaged or not the right one: get it again")
