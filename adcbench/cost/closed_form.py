"""The same counts by hand: textbook formulas on the shapes that pass through each layer.

Independent of torch's counter: hooks see layers, not operators. Both must agree exactly
(``tests/cost/test_macs.py``); an attention class without a formula shows up as a difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.cost.macs import KINDS, NORM_COST
from adcbench.systems.components import Formula
from adcbench.systems.formulas import linear


def closed_form_macs(
    module: nn.Module, inputs: tuple[Tensor, ...], formulas: Mapping[type[nn.Module], Formula]
) -> dict[str, int]:
    """MACs of ``module(*inputs)`` by kind (``macs.KINDS``), from one pass on the meta device.

    Args:
        formulas: of the layers that do more than their own convolutions and linear layers, by class:
            attention and resizing (``systems.formulas``).
    """
    by_class = {**_FORMULAS, **formulas}
    counts = dict.fromkeys(KINDS, 0)

    def add(layer: nn.Module, layer_inputs: Any, output: Any) -> None:
        kind, macs = by_class[type(layer)](layer, layer_inputs, output)
        counts[kind] += macs

    hooks = [layer.register_forward_hook(add) for layer in module.modules() if type(layer) in by_class]
    try:
        with torch.no_grad():
            module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return counts


def _conv(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    taps = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
    return "conv", output.numel() * taps


def _norm(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    return "norm", NORM_COST * output.numel()


_FORMULAS: dict[type[nn.Module], Formula] = {
    nn.Conv1d: _conv,
    nn.Conv2d: _conv,
    nn.Linear: linear,
    nn.GroupNorm: _norm,
    nn.LayerNorm: _norm,
}
