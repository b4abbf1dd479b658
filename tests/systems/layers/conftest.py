"""Fixtures of the tests of layers."""

from __future__ import annotations

import pytest
from osediff_files import filled
from torch import nn

from adcbench.systems.layers import sd21
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae


@pytest.fixture(scope="module")
def vae() -> Vae:
    vae = Vae(sd21.MINI.vae)
    filled(vae)
    return vae.double()


@pytest.fixture(scope="module")
def encoder() -> nn.Module:
    return filled(TextEncoder(sd21.MINI.text)).double()


@pytest.fixture(scope="module")
def unet() -> nn.Module:
    return filled(UNet(sd21.MINI.unet)).double()
