"""ResShift's autoencoder."""

from __future__ import annotations

import pytest
import torch

from adcbench.systems.resshift.autoencoder import WrittenAttention


def test_attention_in_slices_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    attention = WrittenAttention(64)
    x = torch.rand(2, 64, 5, 6)
    whole = attention(x)
    monkeypatch.setattr("adcbench.systems.resshift.autoencoder._ROWS", 7)
    torch.testing.assert_close(attention(x), whole, rtol=0, atol=1e-6)
