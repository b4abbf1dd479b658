"""PASD as components, for one image 3x128x128 -> 3x512x512, restored at 512 x 512.

Upstream's default would restore it at 768 x 768, with 2.2 times the work (2.8 with attention); the column's other
networks are of 512. At the pinned commit upstream's default run loads an image captioner, CoCa ViT-L-14, which is not
built here: its parameters are counted; its work depends on the caption and is not. BLIP in its place needs
``--use_blip``; until 23 January 2024 no captioner was loaded unless ``--high_level_info caption`` asked for it.

No reading of the MACs reaches the printed 29,125 G. The nearest (the U-Net's attention and not the ControlNet's,
29,060 G, -0.2 %) has no mechanism that anybody names. The search that found it kept no list: the grid below holds all
that its notes name, and all that is evaluated now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from adcbench.cost.counts import PUBLISHED_KINDS
from adcbench.cost.macs import count_macs
from adcbench.systems.components import Call, Component, Network, Reading, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.pasd import FULL, PASDConfig
from adcbench.systems.pasd.network import PASD, PASDUNet

_PASSES = 2 * FULL.steps  # classifier-free guidance
_SAMPLER = {"controlnet": _PASSES, "unet": _PASSES}
_VAE = {"vae_encoder": 1, "vae_decoder": 1}
_DEFAULT_SIZE = 768


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
    encoder, *rest = _parts(config, sd_parts.SIZE)
    components = (sd_parts.text_encoder(config.text, times=2), encoder, *rest)
    return Network((*components, _captioner()), (*_params(components), *_macs()))


def _parts(config: PASDConfig, side: int) -> tuple[Component, ...]:
    """VAE and sampler on an image of ``side`` x ``side`` pixels."""
    text, size = config.text, side // 8
    with torch.device("meta"):
        pasd = PASD(config)
    words = empty(1, text.tokens, text.width)
    latent, step = empty(1, config.vae.latent, size, size), empty(dtype=torch.int64)
    hint = (latent, step, words, empty(1, 3, side, side))
    sides = [output.detach() for output in pasd.controlnet(*hint)]
    control, unet = Call(pasd.controlnet), _UNetCall(pasd.unet)
    return (
        sd_parts.vae_encoder(pasd.vae, side),
        Component("controlnet", (pasd.controlnet,), control, hint, times=_PASSES, formulas=sd_parts.FORMULAS),
        Component(
            "unet",
            (pasd.unet,),
            unet,
            (latent, step, words, *sides),
            times=_PASSES,
            steps=config.steps,
            formulas=sd_parts.FORMULAS,
        ),
        sd_parts.vae_decoder(pasd.vae, side),
    )


def _params(components: Sequence[Component]) -> Iterator[Reading]:
    """The total with upstream's other captioner, and with none."""
    without = {part.name: 1 for part in components}
    blip = "--use_blip, or until January 2024 --high_level_info caption: no source says so"
    none = "--high_level_info without a value, the default until January 2024"
    yield Reading("params.published", "BLIP (base) for CoCa", without, extra=_blip_parameters(), supposes=blip)
    yield Reading("params.published", "without a captioner", without, supposes=none)


def _macs() -> Iterator[Reading]:
    """Parts times kinds of work at 512 x 512; one pass for guidance's two; and 768 x 768."""
    parts = {
        "all that runs": {"text_encoder": 2} | _SAMPLER | _VAE,
        "without the prompts": _SAMPLER | _VAE,
        "the sampler alone": _SAMPLER,
    }
    attended = {
        "": (),
        ", the U-Net's attention counted": ("unet",),
        ", the ControlNet's attention counted": ("controlnet",),
        ", the sampler's attention counted": ("unet", "controlnet"),
    }
    kinds = {"": PUBLISHED_KINDS, ", no norms or resizing": ("conv", "linear", "matmul")}
    for (part, of), (more, names), (less, kind) in product(parts.items(), attended.items(), kinds.items()):
        if part != "all that runs" or names:  # the convention itself, and what every network lists
            yield Reading("macs.published", part + more + less, of, kind, attended=names)
        once = {name: times if name in _VAE else times // 2 for name, times in of.items()}
        if not less:
            yield Reading("macs.published", f"{part}{more}, without guidance's second pass", once, attended=names)
    whole, attention = _at_768()
    for more, extra in (("", whole), (", attention counted", whole + attention)):
        name = f"restored at {_DEFAULT_SIZE} x {_DEFAULT_SIZE}, upstream's default{more}"
        yield Reading("macs.published", name, {"text_encoder": 2}, extra=extra)


def _at_768() -> tuple[int, int]:
    """Multiply-adds of sampler and VAE at upstream's default size: without attention, and those of attention."""
    found = [(part.times, count_macs(part.call, part.inputs)) for part in _parts(FULL, _DEFAULT_SIZE) if part.call]
    published = sum(times * macs[kind] for times, macs in found for kind in PUBLISHED_KINDS)
    return published, sum(times * macs["attention"] for times, macs in found)


def _blip_parameters() -> int:
    """BLIP's captioner "base" (Li et al., ICML 2022): ViT-B/16 at 384 x 384, and BERT-base with cross-attention.

    Equal to transformers' BlipForConditionalGeneration, 223,971,644.
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
