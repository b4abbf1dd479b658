"""OSEDiff as components, for one image 3x128x128 -> 3x512x512.

U-Net and VAE encoder run with their LoRA apart and the text encoder with its attention written out, as in the
authors' environment.
"""

from __future__ import annotations

import torch

from adcbench.systems.components import Call, Component, Network, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.tagger_components import prompt_extractor
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.systems.osediff.network import OSEDiff


def network(config: OSEDiffConfig) -> Network:
    """OSEDiff with its prompt extractor."""
    text = config.base.text
    with torch.device("meta"):
        osediff = OSEDiff(config)
    latent, step = empty(1, 4, sd_parts.LATENT, sd_parts.LATENT), empty(dtype=torch.int64)
    inputs = (latent, step, empty(1, text.tokens, text.width))
    unet = osediff.unet
    components = (
        sd_parts.vae_encoder(osediff.vae),
        Component("unet", (unet,), Call(unet), inputs, steps=1, formulas=sd_parts.FORMULAS),
        sd_parts.vae_decoder(osediff.vae),
        sd_parts.text_encoder(text),
        *prompt_extractor(),
    )
    return Network(components)
