"""Stable Diffusion's networks as components, and the closed forms of their attention."""

from __future__ import annotations

import torch
from torch import nn

from adcbench.systems.components import Call, Component, Formula, empty
from adcbench.systems.formulas import attention, pixel_attention, self_attention, upsample
from adcbench.systems.layers.blocks import PixelAttention, SelfAttention, Upsample
from adcbench.systems.layers.sd21 import TextConfig
from adcbench.systems.layers.text_encoder import CausalAttention, TextEncoder
from adcbench.systems.layers.text_transformer import Attention
from adcbench.systems.layers.unet import UpsampleTo
from adcbench.systems.layers.vae import Vae

SIZE = 512  # height and width of the enlarged image that the teachers see
LATENT = SIZE // 8
FORMULAS: dict[type[nn.Module], Formula] = {
    Upsample: upsample,
    UpsampleTo: upsample,
    SelfAttention: self_attention("attention"),
    Attention: attention("attention"),
    PixelAttention: pixel_attention("attention"),
    CausalAttention: self_attention("matmul"),  # written out in the authors' environment
}


def vae_encoder(vae: Vae, size: int = SIZE) -> Component:
    """The VAE's encoder and quant_conv on one ``size`` x ``size`` image."""
    inputs = (empty(1, 3, size, size), empty(1, 4, size // 8, size // 8))
    return Component("vae_encoder", (vae.encoder, vae.quant_conv), Call(vae, "encode"), inputs, formulas=FORMULAS)


def vae_decoder(vae: Vae, size: int = SIZE) -> Component:
    """post_quant_conv and the VAE's decoder on the latent of a ``size`` x ``size`` image."""
    parts, inputs = (vae.post_quant_conv, vae.decoder), (empty(1, 4, size // 8, size // 8),)
    return Component("vae_decoder", parts, Call(vae, "decode"), inputs, formulas=FORMULAS)


def text_encoder(config: TextConfig, times: int = 1) -> Component:
    """The text encoder, ``times`` prompts an image."""
    with torch.device("meta"):
        encoder = TextEncoder(config)
    ids = empty(1, config.tokens, dtype=torch.int64)
    return Component("text_encoder", (encoder,), Call(encoder), (ids,), times=times, formulas=FORMULAS)
