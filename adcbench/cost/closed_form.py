"""The same counts by hand: textbook formulas on the shapes that pass through each layer.

Independent of torch's counter: hooks see layers, not operators. Both must agree exactly
(``tests/cost/test_closed_form.py``); an attention class missing here shows up as a difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.cost.macs import KINDS, NORM_COST
from adcbench.models.blocks import PixelAttention, SelfAttention, Upsample
from adcbench.models.ram import BertAttention
from adcbench.models.swin import LoraLinear, WindowAttention
from adcbench.models.text_encoder import CausalAttention
from adcbench.models.unet import Attention, UpsampleTo

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], tuple[str, int]]


def closed_form_macs(module: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """MACs of ``module(*inputs)`` by kind (``macs.KINDS``), from one pass on the meta device."""
    counts = dict.fromkeys(KINDS, 0)

    def add(layer: nn.Module, layer_inputs: Any, output: Any) -> None:
        kind, macs = _FORMULAS[type(layer)](layer, layer_inputs, output)
        counts[kind] += macs

    hooks = [layer.register_forward_hook(add) for layer in module.modules() if type(layer) in _FORMULAS]
    try:
        with torch.no_grad():
            module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return counts


def attention_macs(batch: int, queries: int, keys: int, width: int) -> int:
    """Scores and mixture: two products of ``queries x keys`` over ``width`` channels (all heads together)."""
    return 2 * batch * queries * keys * width


def _conv(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    taps = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
    return "conv", output.numel() * taps


def _linear(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    return "linear", output.numel() * layer.in_features


def _norm(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    return "norm", NORM_COST * output.numel()


def _upsample(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    return "resize", output.numel()  # the convolution that follows keeps width and size


def _attention(kind: str) -> Hook:
    """Attention of tokens (B, N, C) to themselves or to a context (B, M, C')."""

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
        context = inputs[1] if len(inputs) > 1 and isinstance(layer, Attention | BertAttention) else inputs[0]
        batch, queries, width = output.shape
        return kind, attention_macs(batch, queries, context.shape[1], width)

    return count


def _pixel_attention(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    batch, width, height, columns = output.shape
    return "attention", attention_macs(batch, height * columns, height * columns, width)


_FORMULAS: dict[type[nn.Module], Hook] = {
    nn.Conv1d: _conv,
    nn.Conv2d: _conv,
    nn.Linear: _linear,
    LoraLinear: _linear,
    nn.GroupNorm: _norm,
    nn.LayerNorm: _norm,
    Upsample: _upsample,
    UpsampleTo: _upsample,
    SelfAttention: _attention("attention"),
    Attention: _attention("attention"),
    PixelAttention: _pixel_attention,
    CausalAttention: _attention("matmul"),
    WindowAttention: _attention("matmul"),
    BertAttention: _attention("matmul"),
}
