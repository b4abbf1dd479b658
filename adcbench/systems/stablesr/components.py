"""StableSR as components, for one image 3x128x128 -> 3x512x512.

U-Net and structure encoder run at each of the 200 steps, their attention fused (xformers) as in the authors'
environment.
"""

from __future__ import annotations

import torch
from torch import nn

from adcbench.systems.components import Call, Component, Formula, Network, empty
from adcbench.systems.formulas import pixel_attention
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.sd21 import TextConfig
from adcbench.systems.layers.text_encoder import TextLayer
from adcbench.systems.stablesr import StableSRConfig
from adcbench.systems.stablesr.network import StableSR, StructureAttention

FORMULAS: dict[type[nn.Module], Formula] = {**sd_parts.FORMULAS, StructureAttention: pixel_attention("attention")}


def network(config: StableSRConfig) -> Network:
    """StableSR with the plain autoencoder's layers and CFW apart."""
    base, steps, side = config.base, config.steps, sd_parts.LATENT
    with torch.device("meta"):
        stablesr = StableSR(config)
    vae, latent, step = stablesr.vae, empty(1, 4, side, side), empty(dtype=torch.int64)
    text = empty(1, base.text.tokens, base.text.width)
    maps = [empty(1, config.structure_width, side >> i, side >> i) for i in range(len(base.unet.widths))]
    structure, unet = stablesr.structure_encoder, stablesr.unet
    components = (
        sd_parts.vae_encoder(vae),
        sd_parts.text_encoder(base.text),
        Component("text_encoder_rest", text_rest(base.text)),
        Component("structure_encoder", (structure,), Call(structure), (latent, step), times=steps, formulas=FORMULAS),
        Component(
            "unet",
            (unet,),
            Call(stablesr, "denoise"),
            (latent, step, text, *maps),
            times=steps,
            steps=steps,
            formulas=FORMULAS,
        ),
        sd_parts.vae_decoder(vae),
        Component("cfw", (vae.cfw,), Call(vae, "fuse"), _fused(base.vae.widths), formulas=FORMULAS),
    )
    return Network(components)


def text_rest(config: TextConfig) -> tuple[nn.Module | nn.Parameter, ...]:
    """What of OpenCLIP's text encoder is loaded and never run: its last layer, projection and logit scale."""
    with torch.device("meta"):
        return (
            TextLayer(config.width, config.heads),
            nn.Linear(config.width, config.width, bias=False),
            nn.Parameter(torch.empty(())),
        )


def _fused(widths: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    """The maps that CFW joins, of encoder and decoder, from the second finest level to the second coarsest."""
    sides = [(width, sd_parts.SIZE >> level) for level, width in enumerate(widths)][1:-1]
    return tuple(empty(1, width, side, side) for width, side in sides for _ in range(2))
