"""BSRGAN: configuration, system and the reading of its checkpoint. No torch here, so that cache keys need none.

Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution" (ICCV 2021). The
network is ESRGAN's, in ``layers.rrdbnet``; its file has ESRGAN's old names. Upstream (main_test_bsrgan.py) divides
8-bit pixels by 255, runs the network, clamps and rounds: nothing else changes the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

FILE = "BSRGAN.pth"
VERSION = "5ce1a9c"  # commit of github.com/cszn/BSRGAN that the network equals
_WEIGHTS = WeightFile(
    FILE,
    f"https://github.com/cszn/KAIR/releases/download/v1.0/{FILE}",
    sha256="5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54",
    licence="Apache-2.0",
)
_GET = "adcbench weights fetch bsrgan"
_NAMES = {
    "conv_first": "first",
    "trunk_conv": "body_out",
    "upconv1": "up.0",
    "upconv2": "up.1",
    "HRconv": "refine",
    "conv_last": "last",
}
_BLOCK = re.compile(r"RRDB_trunk\.(\d+)\.RDB([123])\.conv([1-5])")


@dataclass(frozen=True)
class BSRGANConfig:
    """Sizes of the RRDBNet; the defaults are the released x4 model's, 16,697,987 parameters.

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


FULL = BSRGANConfig()


def system(config: BSRGANConfig = FULL) -> System:
    """BSRGAN x4 with the released weights. Their hash is what several downloaders of others expect."""
    return System(
        name="bsrgan",
        version=VERSION,
        scale="full",
        config=config,
        modules=("adcbench.systems.bsrgan", "adcbench.systems.layers.rrdbnet"),
        load=partial(load, config),
        files=(_WEIGHTS,),
        get=_GET,
    )


def canonical(name: str) -> str:
    """``rrdbnet.RRDBNet``'s name of one of the checkpoint's tensors; other names come back as they are."""
    module, _, leaf = name.rpartition(".")
    block = _BLOCK.fullmatch(module)
    if not block:
        return f"{_NAMES.get(module, module)}.{leaf}"
    number, dense, conv = (int(digits) for digits in block.groups())
    return f"body.{number}.dense.{dense - 1}.{'out' if conv == 5 else f'grow.{conv - 1}'}.{leaf}"


def load(config: BSRGANConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, not clamped, any h and w.

    Args:
        weights: the path of the checkpoint by its name; None for deterministic weights.
        dtype: ``float32``, ``float16`` or ``bfloat16``, of weights and activations.

    Raises:
        AdcbenchError: a file that is missing, unsafe or damaged, or not exactly of this network.
    """
    import torch  # keys and tables do without it

    from adcbench.systems.checkpoints.deterministic import fill_deterministic
    from adcbench.systems.checkpoints.weights import load_strict, state_dict
    from adcbench.systems.layers import rrdbnet

    with torch.device("meta"):
        network = rrdbnet.RRDBNet(config.blocks, config.features, config.growth)
    if not weights:
        fill_deterministic(network)
    elif FILE not in weights:
        raise AdcbenchError(f"BSRGAN needs {FILE}: run {_GET}")
    else:
        tensors = {canonical(name): tensor for name, tensor in state_dict(weights[FILE]).items()}
        load_strict(network, tensors, str(weights[FILE]))
    return rrdbnet.upscaler(network, device, dtype, config.channels_last)


SYSTEMS = {"bsrgan": system}
