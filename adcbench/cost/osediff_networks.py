"""OSEDiff as components, for one image 3x128x128 -> 3x512x512.

U-Net and VAE encoder run with their LoRA apart and the text encoder with its attention written out, as in the
authors' environment. The printed total is reached only if the prompt extractor's tagging head is left out,
although it runs: the convention of the column counts it, and a post hoc reading leaves it out.
"""

from __future__ import annotations

import torch

from adcbench.cost.components import Call, Component, empty
from adcbench.models import osediff
from adcbench.models.osediff_network import OSEDiff
from adcbench.models.ram import Ram, RamConfig

_SIZE = 512  # height and width of the enlarged image
_LATENT = _SIZE // 8


def teacher() -> list[Component]:
    """OSEDiff with its prompt extractor."""
    config = osediff.FULL
    text = config.base.text
    with torch.device("meta"):
        network = OSEDiff(config)
    vae, unet = network.vae, network.unet
    latent, image = empty(1, 4, _LATENT, _LATENT), empty(1, 3, _SIZE, _SIZE)
    step, prompt = empty(dtype=torch.int64), empty(1, text.tokens, text.width)
    ids = empty(1, text.tokens, dtype=torch.int64)
    return [
        Component("vae_encoder", (vae.encoder, vae.quant_conv), Call(vae, "encode"), (image, latent)),
        Component("unet", (unet,), Call(unet), (latent, step, prompt), denoiser=True),
        Component("vae_decoder", (vae.post_quant_conv, vae.decoder), Call(vae, "decode"), (latent,)),
        Component("text_encoder", (network.text_encoder,), Call(network.text_encoder), (ids,)),
        *prompt_extractor(),
    ]


def prompt_extractor() -> list[Component]:
    """DAPE: what encodes the image, what finds the tags, and what is loaded but never run."""
    config = RamConfig()
    with torch.device("meta"):
        ram = Ram(config).merge()
    embeds = ram.image_embeds(empty(1, 3, config.image, config.image))
    head = (ram.tagging_head, ram.wordvec_proj, ram.fc, ram.label_embed)
    return [
        Component(
            "dape_image_encoder",
            (ram.visual_encoder, ram.image_proj),
            Call(ram, "image_embeds"),
            (empty(1, 3, config.image, config.image),),
        ),
        Component("dape_tagging_head", head, Call(ram, "tag_logits"), (embeds.detach(),), printed=False),
        Component("dape_never_run", (ram.tag_encoder, ram.text_decoder)),
    ]
