"""Multiply-adds of one call on the meta device, by torch's own flop counter.

One MAC is one multiply and one add: torch counts two operations for it. The counter sees convolutions and
matrix products, but on the meta device fused attention appears as two batched products, so a function mode
marks them. (On CPU the fused operator has no formula and attention would be lost without a word.) Norms and
nearest-neighbour resizing are counted by fvcore's rules, since the published totals contain them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from adcbench.core.errors import AdcbenchError

KINDS = ("conv", "linear", "matmul", "attention", "norm", "resize")
NORM_COST = 5  # operations per element of a norm with scale and shift, by fvcore's convention
_aten = torch.ops.aten
_KIND = {
    "aten.convolution": "conv",
    "aten.mm": "linear",
    "aten.addmm": "linear",
    "aten.bmm": "matmul",
    "aten.baddbmm": "matmul",
    "aten.native_group_norm": "norm",
    "aten.native_layer_norm": "norm",
    "aten.upsample_nearest2d": "resize",
}


def count_macs(module: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """MACs of ``module(*inputs)`` by kind of operator (``KINDS``).

    ``attention`` is fused attention; ``matmul`` are the products that a network writes out itself.

    Args:
        module, inputs: on the meta device.

    Raises:
        AdcbenchError: not on the meta device, or an operator whose count is not known here.
    """
    if any(tensor.device.type != "meta" for tensor in inputs):
        raise AdcbenchError("count_macs: build the network and its inputs under torch.device('meta')")
    counter = FlopCounterMode(display=False, custom_mapping=_EXTRA)
    with torch.no_grad(), counter, _FusedAttention(counter) as fused:
        module(*inputs)
    counts = dict.fromkeys(KINDS, 0)
    for operator, operations in counter.get_flop_counts()["Global"].items():
        if str(operator) not in _KIND:
            raise AdcbenchError(f"count_macs: {operator} has no kind; add it to adcbench.cost.macs")
        counts[_KIND[str(operator)]] += operations // 2
    counts["matmul"] -= fused.macs
    counts["attention"] = fused.macs
    return counts


class _FusedAttention(TorchFunctionMode):
    """Adds up what the counter sees below ``scaled_dot_product_attention``."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter, self.macs = counter, 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = self.counter.get_total_flops()
        output = function(*args, **(kwargs or {}))
        if function is F.scaled_dot_product_attention:
            macs = (self.counter.get_total_flops() - before) // 2
            if not macs:
                raise AdcbenchError("count_macs: this torch hides fused attention from its flop counter")
            self.macs += macs
        return output


def _norm_operations(shape: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * NORM_COST * shape.numel()


def _resize_operations(*_: Any, out_shape: torch.Size, **__: Any) -> int:
    return 2 * torch.Size(out_shape).numel()


_EXTRA = {
    _aten.native_group_norm: _norm_operations,
    _aten.native_layer_norm: _norm_operations,
    _aten.upsample_nearest2d: _resize_operations,
}
