"""Writes ncnn's two files, so that the reader is tested on files nobody shipped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

TAG = (0x01306B47).to_bytes(4, "little")
Layer = tuple[np.ndarray, np.ndarray]  # weight (out, in, k, k), bias (out,)


def write_ncnn(folder: Path, layers: Iterable[Layer]) -> tuple[Path, Path]:
    """The ``.param`` and ``.bin`` of a chain of convolutions with float16 weights."""
    lines, data = ["Input  x  0 1 data"], b""
    for number, (weight, bias) in enumerate(layers):
        out, _, kernel, _ = weight.shape
        lines.append(f"Convolution Conv_{number} 1 1 a b 0={out} 1={kernel} 4=1 5=1 6={weight.size}")
        half = weight.astype("<f2").tobytes()
        data += TAG + half + b"\0" * (-len(half) % 4) + bias.astype("<f4").tobytes()
    param, weights = folder / "net.param", folder / "net.bin"
    param.write_text("\n".join(["7767517", f"{len(lines)} 9", *lines]) + "\n")
    weights.write_bytes(data)
    return param, weights
