"""SD 2.1's U-Net against diffusers'."""

from __future__ import annotations

import parity
import pytest
import torch
from osediff_files import golden_make
from sd21_files import close, example
from torch import nn

from adcbench.systems.layers.unet import sinusoid


def test_unet_equals_diffusers(unet: nn.Module) -> None:
    text = example("text", (2, 77, 64))
    assert close(unet(example("latent", golden_make.LATENT), 999, text), "unet")


def test_unet_takes_odd_sizes_as_diffusers_does(unet: nn.Module) -> None:
    text = example("text", (2, 77, 64))[:1]
    assert close(unet(example("latent", golden_make.ODD_LATENT), 999, text), "unet_odd")


def test_unet_needs_its_time_step_text_and_attention(unet: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    latent, text = example("latent", golden_make.LATENT), example("text", (2, 77, 64))
    assert not close(unet(latent, 998, text), "unet")
    assert not close(unet(latent, 999, text.roll(1, 1)[:, :40]), "unet")
    real = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", lambda q, k, v: real(q, k, v, scale=0.125))
    assert not close(unet(latent, 999, text), "unet")  # mini heads are 32 wide


def test_unet_takes_a_step_per_sample(unet: nn.Module) -> None:
    latent, text = example("latent", golden_make.LATENT), example("text", (2, 77, 64))
    both = unet(latent, torch.tensor([999, 3]), text)
    assert parity.equals(both[1:], unet(latent[1:], 3, text[1:]), parity.EXACT)


def test_sinusoid_puts_cosines_first() -> None:
    embedding = sinusoid(torch.tensor([0, 1]), 8)
    assert embedding[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert embedding[1, 4] == pytest.approx(0.841471)
