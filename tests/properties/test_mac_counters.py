"""For any sizes: two counters agree, and counts follow the sizes as the formulas say."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.cost.closed_form import closed_form_macs
from adcbench.cost.macs import count_macs
from adcbench.systems.components import empty
from adcbench.systems.layers.sd21 import UNetConfig, VaeConfig
from adcbench.systems.layers.sd_components import FORMULAS
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Decoder, Encoder

sizes = st.integers(1, 3)
few = settings(max_examples=6)


@few
@given(base=sizes, heads=sizes, height=st.integers(5, 20), width=st.integers(5, 20), batch=sizes)
def test_counters_agree_on_any_unet(base: int, heads: int, height: int, width: int, batch: int) -> None:
    config = UNetConfig(
        widths=(12 * base, 24 * base, 24 * base), heads=(heads, 2 * heads, 2 * heads), context=10, layers=1
    )
    with torch.device("meta"):
        unet = UNet(config)
    inputs = (empty(batch, 4, height, width), empty(dtype=torch.int64), empty(batch, 7, 10))
    macs = count_macs(unet, inputs)
    assert macs == closed_form_macs(unet, inputs, FORMULAS)
    one = (empty(1, 4, height, width), inputs[1], empty(1, 7, 10))
    assert macs == {kind: batch * value for kind, value in count_macs(unet, one).items()}


@few
@given(base=sizes, levels=st.integers(2, 3), height=st.integers(2, 4), width=st.integers(1, 4))
def test_counters_agree_on_any_vae(base: int, levels: int, height: int, width: int) -> None:
    config = VaeConfig(widths=tuple(8 * base * i for i in range(1, levels + 1)), layers=1)
    factor = 2 ** (levels - 1)
    with torch.device("meta"):
        encoder, decoder = Encoder(config), Decoder(config)
    for network, inputs in (
        (encoder, (empty(1, 3, factor * height, factor * width),)),
        (decoder, (empty(1, 4, height, width),)),
    ):
        assert count_macs(network, inputs) == closed_form_macs(network, inputs, FORMULAS)
