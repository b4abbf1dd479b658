"""AdcSR and its variants as components, for one image 3x128x128 -> 3x512x512."""

from __future__ import annotations

import torch
from torch import nn

from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.components import Call, Component, Network, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.sd21 import TextConfig
from adcbench.systems.layers.sd_components import FORMULAS
from adcbench.systems.layers.tagger_components import prompt_extractor

_SIZE = 128  # height and width of the LR image


def student(config: AdcSRConfig) -> Network:
    """AdcSR or an ablation of it. The one embedding that some read is a constant: nothing runs for it."""
    with torch.device("meta"):
        network = AdcSR(config)
    side = _SIZE // config.unshuffle
    into, out, join = config.unet_width_in, config.unet_width_out, config.decoder_widths[-1]
    source, unet, decoder = network.source, network.unet, network.decoder
    middle = (decoder.conv_in, decoder.mid_block)
    enters, leaves, joined = (empty(1, width, side, side) for width in (into, out, join))
    features, pixels = Call(decoder, "features"), Call(decoder, "pixels")
    text = (empty(1, config.tokens, config.context),) if config.text == "given" else ()
    parts = [
        Component("unet", (unet,), Call(network, "unet_features"), (enters, *text), steps=1, formulas=FORMULAS),
        Component("decoder_mid_block", middle, features, (leaves,), formulas=FORMULAS),
        Component("half_decoder_tail", tail(decoder), pixels, (joined,), formulas=FORMULAS),
    ]
    if config.source == "vae":
        image = empty(1, 3, _SIZE, _SIZE)
        parts.insert(0, Component("vae_encoder", (source,), Call(source), (image,), formulas=FORMULAS))
    return Network(parts)


def text_student(config: AdcSRConfig) -> Network:
    """The ablation with a text: the text encoder runs on the prompt of every image."""
    return Network([sd_parts.text_encoder(TextConfig()), *student(config).components])


def prompt_extractor_student(config: AdcSRConfig) -> Network:
    """The ablation with a prompt extractor, which runs for every image, and the text encoder on what it says."""
    return Network([*prompt_extractor(), *text_student(config).components])


def tail(decoder: HalfDecoder) -> tuple[nn.Module, ...]:
    """What of the half decoder stands behind its middle block."""
    return decoder.up_blocks, decoder.conv_norm_out, decoder.conv_out
