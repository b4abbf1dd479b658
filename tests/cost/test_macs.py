"""Both counters on layers small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.cost import macs
from adcbench.cost.closed_form import closed_form_macs
from adcbench.cost.macs import count_macs
from adcbench.systems.components import Call, empty
from adcbench.systems.layers.blocks import PixelAttention, SelfAttention, Upsample
from adcbench.systems.layers.lora import Lora
from adcbench.systems.layers.sd_components import FORMULAS
from adcbench.systems.layers.text_encoder import CausalAttention
from adcbench.systems.layers.text_transformer import Attention

# One of each: 2 samples, 6x10 pixels or 60 tokens, 8 channels.
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...], dict[str, int]]] = {
    "conv": (lambda: nn.Conv2d(8, 4, 3, 2, 1), ((2, 8, 6, 10),), {"conv": 2 * 4 * 3 * 5 * 8 * 9}),
    "grouped conv": (lambda: nn.Conv2d(8, 8, 3, groups=4), ((2, 8, 6, 10),), {"conv": 2 * 8 * 4 * 8 * 2 * 9}),
    "conv along time": (lambda: nn.Conv1d(8, 4, 3), ((2, 8, 60),), {"conv": 2 * 4 * 58 * 8 * 3}),
    "linear": (lambda: nn.Linear(8, 5), ((2, 60, 8),), {"linear": 2 * 60 * 8 * 5}),
    "group norm": (lambda: nn.GroupNorm(2, 8), ((2, 8, 6, 10),), {"norm": 5 * 2 * 8 * 60}),
    "layer norm": (lambda: nn.LayerNorm(8), ((2, 60, 8),), {"norm": 5 * 2 * 60 * 8}),
    "upsample": (lambda: Upsample(8), ((2, 8, 6, 10),), {"resize": 2 * 8 * 240, "conv": 2 * 8 * 240 * 8 * 9}),
    "attention": (
        lambda: SelfAttention(8, 2),
        ((2, 60, 8),),
        {"linear": 4 * 2 * 60 * 64, "attention": 2 * 2 * 60 * 60 * 8},
    ),
    "cross-attention": (
        lambda: Attention(8, 2, 6),
        ((2, 60, 8), (2, 7, 6)),
        {"linear": 2 * (2 * 60 * 64 + 2 * 7 * 48), "attention": 2 * 2 * 60 * 7 * 8},
    ),
    "pixel attention": (
        lambda: PixelAttention(8),
        ((2, 8, 6, 10),),
        {"linear": 4 * 2 * 60 * 64, "attention": 2 * 2 * 60 * 60 * 8, "norm": 5 * 2 * 60 * 8},
    ),
    "written-out attention": (
        lambda: CausalAttention(8, 2),
        ((2, 60, 8),),
        {"linear": 4 * 2 * 60 * 64, "matmul": 2 * 2 * 60 * 60 * 8},
    ),
    "lora": (
        lambda: Lora(nn.Conv2d(8, 4, 3, 2, 1), 2, 2.0, "a"),
        ((2, 8, 6, 10),),
        {"conv": 2 * 15 * (4 * 72 + 2 * 72 + 4 * 2)},
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_by_hand(name: str) -> None:
    make, shapes, expected = LAYERS[name]
    with torch.device("meta"):
        layer = make()
    inputs = tuple(empty(*shape) for shape in shapes)
    for counts in (count_macs(layer, inputs), closed_form_macs(layer, inputs, FORMULAS)):
        assert {kind: macs for kind, macs in counts.items() if macs} == expected


def test_cpu_tensors_are_refused() -> None:
    """There the fused operator has no formula, and attention would be lost."""
    with pytest.raises(AdcbenchError, match="meta"):
        count_macs(nn.Linear(2, 2), (torch.zeros(1, 2),))


def test_hidden_attention_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = F.scaled_dot_product_attention
    module = Call(_Fused())
    assert count_macs(module, (empty(1, 1, 4, 8),))["attention"] == 2 * 16 * 8
    monkeypatch.setattr(_Fused, "forward", lambda self, x: real(x[..., :0, :], x, x))  # no work at all
    with pytest.raises(AdcbenchError, match="hides fused attention"):
        count_macs(module, (empty(1, 1, 4, 8),))


class _Fused(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x, x)


def test_an_unknown_operator_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        layer = nn.Linear(2, 2)
    monkeypatch.delitem(macs._KIND, "aten.addmm")
    with pytest.raises(AdcbenchError, match=r"aten.addmm has no kind"):
        count_macs(layer, (empty(1, 2),))
