"""AdcVSR from clip to clip: padding, precision and colours, as AdcSR does it with each frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.precision import check_dtype
from adcbench.systems.adcvsr import FILE, AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR
from adcbench.systems.checkpoints.build import built
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.colour import match_statistics
from adcbench.systems.layers.padding import padded
from adcbench.systems.layers.precision import guarded, lowered
from adcbench.systems.system import Upscaler


def load_network(config: AdcVSRConfig, weights: Mapping[str, Path] | None) -> AdcVSR:
    """The network on the CPU in float32, with the weights of a file or (None) deterministic ones.

    Raises:
        AdcbenchError: the file is missing, damaged, or not exactly of this network.
    """
    return built(lambda: AdcVSR(config), weights, _load)


def _load(network: AdcVSR, weights: Mapping[str, Path]) -> None:
    if FILE not in weights:
        raise AdcbenchError(f"AdcVSR needs {FILE}, which nobody released")
    load_strict(network, library_tensors(weights[FILE]), str(weights[FILE]))


def upscaler(network: AdcVSR, dtype: str) -> Upscaler:
    """Clips (B, T, 3, h, w) in [0, 1] through the network, any T, h and w.

    No source describes it beyond the network: taken from AdcSR's inference, frame by frame. In reduced precision norms
    and colours stay in float32, and a clip that overflows is repeated in float32.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is no batch of clips.
    """
    check_dtype("AdcVSR", dtype)
    device, image = next(network.parameters()).device, network.config.image
    run: Callable[[Tensor], Tensor] = network
    if dtype != "float32":
        low, kind = lowered(network, getattr(torch, dtype)), getattr(torch, dtype)
        run = guarded(lambda x: low(x.to(kind)), network, "AdcVSR")

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        if lr.ndim != 5 or lr.shape[2] != 3:
            raise AdcbenchError(f"AdcVSR takes RGB clips (B, T, 3, h, w); got a tensor of shape {tuple(lr.shape)}")
        count = lr.shape[1]
        x = (lr.to(device, torch.float32) * 2 - 1).flatten(0, 1)  # (B*T, 3, h, w)
        sr = padded(lambda frames: run(_clips(frames, count)).flatten(0, 1), x, image.multiple, image.scale)
        return _clips(match_statistics(sr, x) / 2 + 0.5, count)

    return upscale


def _clips(frames: Tensor, count: int) -> Tensor:
    """(B*T, 3, h, w) -> (B, T, 3, h, w), T frames each."""
    return frames.reshape(-1, count, *frames.shape[1:])
