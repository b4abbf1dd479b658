"""AdcSR and its variants as components, for one image 3x128x128 -> 3x512x512 (for AdcVSR: 25 such frames)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from adcbench.cost import sd_parts
from adcbench.cost.components import Call, Component, Network, empty
from adcbench.cost.sd_parts import FORMULAS
from adcbench.cost.tagger_parts import prompt_extractor
from adcbench.models.adcsr import FULL, AdcSRConfig, variants
from adcbench.models.adcsr.half_decoder import HalfDecoder
from adcbench.models.adcsr.network import AdcSR
from adcbench.models.adcvsr import FULL as VIDEO_FULL
from adcbench.models.adcvsr import AdcVSR
from adcbench.models.parts.sd21 import TextConfig

_SIZE = 128  # height and width of the LR image
_FRAMES = 25


def student() -> Network:
    """AdcSR."""
    return _student(FULL)


def variant(name: str) -> Network:
    """An ablation of AdcSR, by its name in ``models.adcsr.variants``.

    ``text`` runs the text encoder on its prompt for every image, ``prompt-extractor`` the prompt extractor too.
    ``cross-attention`` runs neither: its one embedding is a constant.
    """
    network = _student(variants()[name])
    before: list[Component] = prompt_extractor() if name == "prompt-extractor" else []
    if name in ("text", "prompt-extractor"):
        before.append(sd_parts.text_encoder(TextConfig()))
    return replace(network, components=[*before, *network.components])


def video_student() -> Network:
    """AdcVSR, for a clip of 25 frames."""
    with torch.device("meta"):
        network = AdcVSR(VIDEO_FULL)
    clip = empty(1, _FRAMES, 3, _SIZE, _SIZE)
    frames = empty(_FRAMES, network.config.image.decoder_widths[-1], _SIZE // 2, _SIZE // 2)
    decoder = network.image.decoder
    unet, middle = network.image.unet, decoder.mid_block
    features, pixels = Call(network, "features"), Call(decoder, "pixels")
    return Network(
        [
            Component("unet_and_mid_block", (unet, middle), features, (clip,), steps=1, formulas=FORMULAS),
            Component("half_decoder_tail", _tail(decoder), pixels, (frames,), formulas=FORMULAS),
        ]
    )


def _student(config: AdcSRConfig) -> Network:
    with torch.device("meta"):
        network = AdcSR(config)
    side = _SIZE // config.unshuffle
    into, out, join = config.unet_width_in, config.unet_width_out, config.decoder_widths[-1]
    source, unet, decoder = network.source, network.unet, network.decoder
    middle = (decoder.conv_in, decoder.mid_block)
    enters, leaves, joined = (empty(1, width, side, side) for width in (into, out, join))
    features, pixels = Call(decoder, "features"), Call(decoder, "pixels")
    text = () if config.text == "none" else (empty(1, config.tokens, config.context),)
    parts = [
        Component("unet", (unet,), Call(unet), (enters, *text), steps=1, formulas=FORMULAS),
        Component("decoder_mid_block", middle, features, (leaves,), formulas=FORMULAS),
        Component("half_decoder_tail", _tail(decoder), pixels, (joined,), formulas=FORMULAS),
    ]
    if config.source == "vae":
        image = empty(1, 3, _SIZE, _SIZE)
        parts.insert(0, Component("vae_encoder", (source,), Call(source), (image,), formulas=FORMULAS))
    return Network(parts)


def _tail(decoder: HalfDecoder) -> tuple[nn.Module, ...]:
    return decoder.up_blocks, decoder.conv_norm_out, decoder.conv_out
