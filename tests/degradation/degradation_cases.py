"""What the tests of the degradation and the script that makes their golden numbers share."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adcbench.degradation.draws import Draw, Noise, Pass
from adcbench.degradation.kernels import Kernel

GOLDEN = Path(__file__).parents[1] / "golden" / "degradation"


def picture(height: int, width: int) -> Tensor:
    """An HR image (3, height, width) in [0, 1] at 8 bits: waves, a checkerboard, a dark part, grain."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + c) * np.cos(y / 7 - 2 * c) * 90 + 128 for c in range(3)]
    grain = np.random.default_rng(5).integers(-12, 13, (3, height, width))
    drawn = np.stack(waves) + grain + 60 * ((x // 8 + y // 8) % 2)
    drawn[:, : height // 4] /= 6
    return torch.from_numpy(np.rint(drawn).clip(0, 255).astype(np.float32)) / 255


def to_json(draws: list[Draw]) -> str:
    return json.dumps([asdict(one) for one in draws], indent=1) + "\n"


def from_json(text: str) -> list[Draw]:
    return [_draw(one) for one in json.loads(text)]


def _draw(found: dict[str, Any]) -> Draw:
    passes = (_pass(found["first"]), _pass(found["second"]))
    return Draw(*passes, found["mode"], kernel(found["sinc"]), found["jpeg_last"])


def _pass(found: dict[str, Any]) -> Pass:
    blur = kernel(found["blur"]) if found["blur"] else None
    return Pass(**{**found, "blur": blur, "noise": Noise(**found["noise"])})


def kernel(found: dict[str, Any]) -> Kernel:
    return Kernel(**{**found, "sigmas": tuple(found["sigmas"])})
