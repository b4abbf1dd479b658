"""PASD as components, for one image 3x128x128 -> 3x512x512, restored at 512 x 512.

Upstream's default would restore it at 768 x 768, with 2.2 times the work (2.8 with attention); the printed figure
is nearer to 512, and the column's other networks are of 512. The image captioner, which upstream runs by default,
is not built here: its parameters enter a post hoc reading, as those of BLIP.

No reading of the MACs here reaches the printed 29,125 G: those without fused attention end at 23.6 T, those with it
begin at 28.2 T. Counting the U-Net's attention and not the ControlNet's gives 29,060 G (-0.2 %), but nobody says so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.cost import sd_parts
from adcbench.cost.components import Call, Component, Network, Reading, empty
from adcbench.cost.counts import HONEST_KINDS
from adcbench.models.pasd import FULL
from adcbench.models.pasd.network import PASD, PASDUNet

_PASSES = 2 * FULL.steps  # classifier-free guidance
_SAMPLER = {"controlnet": _PASSES, "unet": _PASSES}
_VAE = {"vae_encoder": 1, "vae_decoder": 1}


class _UNetCall(nn.Module):
    """The U-Net with the ControlNet's outputs as further inputs: every counter takes flat tensors."""

    def __init__(self, unet: PASDUNet) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latent: Tensor, step: Tensor, text: Tensor, *sides: Tensor) -> Tensor:
        noise: Tensor = self.unet(latent, step, text, sides)
        return noise


def network() -> Network:
    """PASD with guidance, its two prompts, and its VAE; no captioner."""
    text, size, side = FULL.text, sd_parts.LATENT, sd_parts.SIZE
    with torch.device("meta"):
        pasd = PASD(FULL)
    words = empty(1, text.tokens, text.width)
    latent, step = empty(1, FULL.vae.latent, size, size), empty(dtype=torch.int64)
    hint = (latent, step, words, empty(1, 3, side, side))
    sides = [output.detach() for output in pasd.controlnet(*hint)]
    control, unet = Call(pasd.controlnet), _UNetCall(pasd.unet)
    components = (
        sd_parts.text_encoder(text, times=2),
        sd_parts.vae_encoder(pasd.vae),
        Component("controlnet", (pasd.controlnet,), control, hint, times=_PASSES, formulas=sd_parts.FORMULAS),
        Component(
            "unet",
            (pasd.unet,),
            unet,
            (latent, step, words, *sides),
            times=_PASSES,
            steps=FULL.steps,
            formulas=sd_parts.FORMULAS,
        ),
        sd_parts.vae_decoder(pasd.vae),
    )
    everything = {part.name: 1 for part in components}
    return Network(
        components,
        (
            Reading("params.published", "with BLIP's captioner (base)", everything, extra=_blip_parameters()),
            Reading("macs.published", "without the prompts", _SAMPLER | _VAE),
            Reading("macs.published", "the sampler alone", _SAMPLER),
            Reading("macs.published", "the sampler alone, attention counted", _SAMPLER, HONEST_KINDS),
        ),
    )


def _blip_parameters() -> int:
    """BLIP's captioner "base" (Li et al., ICML 2022): ViT-B/16 at 384 x 384, and BERT-base with cross-attention.

    Equal to transformers' BlipForConditionalGeneration, 223,971,644; upstream's captioner in 2023.
    """
    width, heads, layers, vocabulary = 768, 12, 12, 30524
    with torch.device("meta"):
        encoder = [nn.TransformerEncoderLayer(width, heads, 4 * width) for _ in range(layers)]
        decoder = [nn.TransformerDecoderLayer(width, heads, 4 * width) for _ in range(layers)]
        patches, places = nn.Conv2d(3, width, 16), nn.Embedding((384 // 16) ** 2 + 2, width)  # and the class token
        words, positions, head = nn.Embedding(vocabulary, width), nn.Embedding(512, width), nn.Linear(width, width)
        norms = [nn.LayerNorm(width) for _ in range(3)]
    parts = [*encoder, *decoder, *norms, patches, places, words, positions, head]
    return vocabulary + sum(parameter.numel() for part in parts for parameter in part.parameters())
