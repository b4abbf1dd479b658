"""Swin against transformers', and its joint LoRA."""

from __future__ import annotations

import parity
import pytest
import torch
from osediff_files import LIBRARIES, filled, golden_make
from torch import Tensor

from adcbench.systems.layers.swin import LoraLinear, Swin


def test_swin_equals_transformers() -> None:
    swin = filled(Swin(64, 16, (2, 2), (2, 4), window=4, rank=2)).double()
    with torch.no_grad():
        for module in swin.modules():
            if isinstance(module, LoraLinear):
                module.lora_B.zero_()

    def tokens() -> Tensor:
        return swin(golden_make.example("swin", golden_make.SWIN).double())

    assert parity.equals(tokens()[:, 1:], LIBRARIES["swin"], parity.EXACT)
    assert parity.equals(tokens()[:, 0], LIBRARIES["swin"].double().mean(1), parity.EXACT)
    if not parity.SAME_DRAWS:
        pytest.skip(parity.OTHER_DRAWS)
    quiet = parity.unnoticed(swin, lambda: tokens()[:, 1:], LIBRARIES["swin"], parity.EXACT)
    assert all(".lora_" in group for group in quiet)  # which the library has not


def test_lora_of_a_joint_projection_leaves_the_keys_alone() -> None:
    layer = LoraLinear(6, 12, 2, (True, False, True))
    filled(layer)
    query, key, value = layer.delta().chunk(3)
    assert not key.any()
    assert torch.allclose(query, layer.lora_B[:4] @ layer.lora_A[:2] / 2)
    assert torch.allclose(value, layer.lora_B[4:] @ layer.lora_A[2:] / 2)
