"""SD 2.1's text encoder against transformers'."""

from __future__ import annotations

import torch
from osediff_files import golden_make
from sd21_files import close
from torch import nn


def test_text_encoder_equals_transformers(encoder: nn.Module) -> None:
    assert close(encoder(torch.tensor(golden_make.IDS)), "text")


def test_text_encoder_is_causal(encoder: nn.Module) -> None:
    ids = torch.tensor(golden_make.IDS)
    changed = ids.clone()
    changed[0, 4:] = 7
    assert torch.equal(encoder(ids)[:, :4], encoder(changed)[:, :4])
    assert not torch.allclose(encoder(ids)[:, 4:], encoder(changed)[:, 4:])
