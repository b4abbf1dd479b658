"""AdcVSR as components, for a clip of 25 frames 3x128x128 -> 3x512x512."""

from __future__ import annotations

import torch

from adcbench.systems.adcsr.components import tail
from adcbench.systems.adcvsr import AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR
from adcbench.systems.components import Call, Component, Network, empty
from adcbench.systems.layers.sd_components import FORMULAS

_SIZE = 128  # height and width of an LR frame
_FRAMES = 25


def student(config: AdcVSRConfig) -> Network:
    """AdcVSR."""
    with torch.device("meta"):
        network = AdcVSR(config)
    clip = empty(1, _FRAMES, 3, _SIZE, _SIZE)
    frames = empty(_FRAMES, network.config.image.decoder_widths[-1], _SIZE // 2, _SIZE // 2)
    decoder = network.image.decoder
    unet, middle = network.image.unet, decoder.mid_block
    features, pixels = Call(network, "features"), Call(decoder, "pixels")
    return Network(
        [
            Component("unet_and_mid_block", (unet, middle), features, (clip,), steps=1, formulas=FORMULAS),
            Component("half_decoder_tail", tail(decoder), pixels, (frames,), formulas=FORMULAS),
        ],
        f"a clip of {_FRAMES} frames 3x{_SIZE}x{_SIZE}",
    )
