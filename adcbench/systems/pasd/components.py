"""PASD as components, for one image 3x128x128 -> 3x512x512, restored at 512 x 512.

Upstream's default would restore it at 768 x 768, with 2.2 times the work (2.8 with attention); the column's other
networks are of 512. At the pinned commit upstream's default run loads an image captioner, CoCa ViT-L-14, which is not
built here: its parameters are counted; its work depends on the caption and is not. BLIP in its place needs
``--use_blip``; until 23 January 2024 no captioner was loaded unless ``--high_level_info caption`` asked for it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.components import Call, Component, Network, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.pasd import PASDConfig
from adcbench.systems.pasd.network import PASD, PASDUNet


class _UNetCall(nn.Module):
    """The U-Net with the ControlNet's outputs as further inputs: every counter takes flat tensors."""

    def __init__(self, unet: PASDUNet) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latent: Tensor, step: Tensor, text: Tensor, *sides: Tensor) -> Tensor:
        noise: Tensor = self.unet(latent, step, text, sides)
        return noise


def network(config: PASDConfig) -> Network:
    """PASD with guidance, its two prompts, its VAE, and its captioner."""
    encoder, *rest = sampler_and_vae(config, sd_parts.SIZE)
    return Network((sd_parts.text_encoder(config.text, times=2), encoder, *rest, _captioner()))


def sampler_and_vae(config: PASDConfig, side: int) -> tuple[Component, ...]:
    """VAE and sampler on an image of ``side`` x ``side`` pixels."""
    text, size, passes = config.text, side // 8, 2 * config.steps  # classifier-free guidance
    with torch.device("meta"):
        pasd = PASD(config)
    words = empty(1, text.tokens, text.width)
    latent, step = empty(1, config.vae.latent, size, size), empty(dtype=torch.int64)
    hint = (latent, step, words, empty(1, 3, side, side))
    sides = [output.detach() for output in pasd.controlnet(*hint)]
    control, unet = Call(pasd.controlnet), _UNetCall(pasd.unet)
    return (
        sd_parts.vae_encoder(pasd.vae, side),
        Component("controlnet", (pasd.controlnet,), control, hint, times=passes, formulas=sd_parts.FORMULAS),
        Component(
            "unet",
            (pasd.unet,),
            unet,
            (latent, step, words, *sides),
            times=passes,
            steps=config.steps,
            formulas=sd_parts.FORMULAS,
        ),
        sd_parts.vae_decoder(pasd.vae, side),
    )


def _captioner() -> Component:
    """CoCa ViT-L-14 (Yu et al., 2022) as open_clip builds it: 638,450,177 parameters.

    A ViT-L/14 at 224 x 224 whose 256 pooled outputs are 768 wide, and two stacks of 12 layers of that width: one reads
    text alone, the other attends to the image too.
    """
    image, width, vocabulary, pooled, context = 1024, 768, 49408, 256, 76
    with torch.device("meta"):
        encoder = [nn.TransformerEncoderLayer(image, 16, 4 * image) for _ in range(24)]
        text = [nn.TransformerEncoderLayer(width, 12, 4 * width) for _ in range(12)]
        decoder = [nn.TransformerEncoderLayer(width, 12, 4 * width) for _ in range(2 * 12)]  # itself, then the image
        pool = nn.MultiheadAttention(width, 8, kdim=image, vdim=image)
        patches, words = nn.Conv2d(3, image, 14, bias=False), nn.Embedding(vocabulary, width)
        norms = [nn.LayerNorm(size) for size in (image, image, width, width, width, width, *12 * [width])]
        sizes: list[tuple[int, ...]] = [
            (image,), (257, image), (pooled, width), (width, width), (width,), (context + 1, width), (width, width),
            (width, vocabulary), (),
        ]  # fmt: skip
        rest = [nn.Parameter(torch.empty(size)) for size in sizes]
    parts: list[nn.Module | nn.Parameter] = [*encoder, *text, *decoder, pool, patches, words, *norms, *rest]
    return Component("captioner", parts, varies="its work depends on the caption")
