"""The prompt extractor DAPE as components: what OSEDiff and SeeSR run of it, and what they only load."""

from __future__ import annotations

import torch
from torch import nn

from adcbench.systems.components import Call, Component, Formula, empty
from adcbench.systems.formulas import attention, linear, self_attention
from adcbench.systems.layers.ram import BertAttention, Ram
from adcbench.systems.layers.swin import LoraLinear, WindowAttention
from adcbench.systems.layers.tagger_files import RAM

FORMULAS: dict[type[nn.Module], Formula] = {
    LoraLinear: linear,
    WindowAttention: self_attention("matmul"),
    BertAttention: attention("matmul"),
}


def prompt_extractor(encodings: int = 1) -> list[Component]:
    """What encodes the image, what finds the tags, and what is loaded but never run.

    Args:
        encodings: how often an image is encoded.
    """
    with torch.device("meta"):
        ram = Ram(RAM).merge()
    image = empty(1, 3, RAM.image, RAM.image)
    embeds = ram.image_embeds(image).detach()
    encoder = (ram.visual_encoder, ram.image_proj)
    head = (ram.tagging_head, ram.wordvec_proj, ram.fc, ram.label_embed)
    embed, tag = Call(ram, "image_embeds"), Call(ram, "tag_logits")
    return [
        Component("dape_image_encoder", encoder, embed, (image,), times=encodings, formulas=FORMULAS),
        Component("dape_tagging_head", head, tag, (embeds,), formulas=FORMULAS),
        Component("dape_never_run", (ram.tag_encoder, ram.text_decoder)),
    ]
