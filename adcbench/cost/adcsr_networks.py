"""AdcSR and its variants as components, for one image 3x128x128 -> 3x512x512 (for AdcVSR: 25 such frames)."""

from __future__ import annotations

import torch
from torch import nn

from adcbench.cost.components import Call, Component, empty
from adcbench.models import adcsr, adcvsr
from adcbench.models.adcsr_network import AdcSR
from adcbench.models.adcvsr import AdcVSR
from adcbench.models.half_decoder import HalfDecoder

_SIZE = 128  # height and width of the LR image
_FRAMES = 25


def student() -> list[Component]:
    """AdcSR."""
    return _student(adcsr.FULL)


def latent_link() -> list[Component]:
    """The ablation whose U-Net and decoder meet in the 4-channel latent."""
    return _student(adcsr.FULL_LATENT_LINK)


def vae_encoder_kept() -> list[Component]:
    """The ablation that keeps the VAE encoder, on the enlarged image, in place of PixelUnshuffle."""
    return _student(adcsr.FULL_VAE_ENCODER)


def video_student() -> list[Component]:
    """AdcVSR, for a clip of 25 frames."""
    with torch.device("meta"):
        network = AdcVSR(adcvsr.FULL)
    clip = empty(1, _FRAMES, 3, _SIZE, _SIZE)
    frames = empty(_FRAMES, network.config.image.decoder_widths[-1], _SIZE // 2, _SIZE // 2)
    decoder = network.image.decoder
    unet, middle = network.image.unet, decoder.mid_block
    return [
        Component("unet_and_mid_block", (unet, middle), Call(network, "features"), (clip,), denoiser=True),
        Component("half_decoder_tail", _tail(decoder), Call(decoder, "pixels"), (frames,)),
    ]


def _student(config: adcsr.AdcSRConfig) -> list[Component]:
    with torch.device("meta"):
        network = AdcSR(config)
    side = _SIZE // config.unshuffle
    into, out, join = config.unet_width_in, config.unet_width_out, config.decoder_widths[-1]
    source, unet, decoder = network.source, network.unet, network.decoder
    middle = (decoder.conv_in, decoder.mid_block)
    parts = [
        Component("unet", (unet,), Call(unet), (empty(1, into, side, side),), denoiser=True),
        Component("decoder_mid_block", middle, Call(decoder, "features"), (empty(1, out, side, side),)),
        Component("half_decoder_tail", _tail(decoder), Call(decoder, "pixels"), (empty(1, join, side, side),)),
    ]
    if config.source == "vae":
        image = empty(1, 3, _SIZE, _SIZE)
        parts.insert(0, Component("vae_encoder", (source,), Call(source), (image,)))
    return parts


def _tail(decoder: HalfDecoder) -> tuple[nn.Module, ...]:
    return decoder.up_blocks, decoder.conv_norm_out, decoder.conv_out
