"""CompVis (ldm) names of Stable Diffusion's tensors -> the diffusers names of ``adcbench.systems.layers``.

StableSR and DiffBIR publish their weights under the names of github.com/CompVis/latent-diffusion and, for the text
encoder, of github.com/mlfoundations/open_clip. A name that is not of the network stays as it is, so that
``checkpoints.weights.load_strict`` reports it.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from adcbench.systems.layers.sd21 import TextConfig, UNetConfig, VaeConfig

_HINT_CONVOLUTIONS = 8  # of ControlNet's hint encoder; SiLUs hold the odd places between them
_UNUSED_TEXT = ("text_projection", "logit_scale", "attn_mask")  # OpenCLIP's own outputs, and a constant

_RESBLOCK = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_VAE_BLOCK = {"nin_shortcut": "conv_shortcut"}
_VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
_TEXT_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix`` (such as ``model.diffusion_model.``), without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def rename(name: str, modules: Mapping[str, str]) -> str:
    """A tensor's name with the longest known module name in front of it replaced."""
    module, rest = name, ""
    while module:
        if module in modules:
            return modules[module] + rest
        module, _, last = module.rpartition(".")
        rest = f".{last}{rest}"
    return name


def convert_unet(tensors: Mapping[str, Tensor], config: UNetConfig) -> dict[str, Tensor]:
    """A U-Net's or a ControlNet's tensors (no prefix) under our names."""
    modules = unet_modules(config)
    return {rename(name, modules): tensor for name, tensor in tensors.items()}


def unet_modules(config: UNetConfig) -> dict[str, str]:
    """CompVis name -> our name of all modules of a U-Net and a ControlNet of these sizes.

    Residual blocks are listed by their layers, and once as a whole for what a system adds to them.
    """
    levels, layers = len(config.widths), config.layers
    modules = {
        "time_embed.0": "time_embedding.linear_1",
        "time_embed.2": "time_embedding.linear_2",
        "input_blocks.0.0": "conv_in",
        "middle_block.1": "mid_block.attentions.0",
        "out.0": "conv_norm_out",
        "out.2": "conv_out",
        "middle_block_out.0": "controlnet_mid_block",
    }
    blocks = {"middle_block.0": "mid_block.resnets.0", "middle_block.2": "mid_block.resnets.1"}
    for level in range(levels):
        for layer in range(layers):
            theirs = f"input_blocks.{1 + level * (layers + 1) + layer}"
            blocks[f"{theirs}.0"] = f"down_blocks.{level}.resnets.{layer}"
            if level < levels - 1:
                modules[f"{theirs}.1"] = f"down_blocks.{level}.attentions.{layer}"
        if level < levels - 1:
            modules[f"input_blocks.{(level + 1) * (layers + 1)}.0.op"] = f"down_blocks.{level}.downsamplers.0.conv"
        for layer in range(layers + 1):
            theirs = f"output_blocks.{level * (layers + 1) + layer}"
            blocks[f"{theirs}.0"] = f"up_blocks.{level}.resnets.{layer}"
            if level:
                modules[f"{theirs}.1"] = f"up_blocks.{level}.attentions.{layer}"
            if layer == layers and level < levels - 1:
                modules[f"{theirs}.{2 if level else 1}.conv"] = f"up_blocks.{level}.upsamplers.0.conv"
    for i in range(levels * (layers + 1)):
        modules[f"zero_convs.{i}.0"] = f"controlnet_down_blocks.{i}"
    hint = ["conv_in", *(f"blocks.{i}" for i in range(_HINT_CONVOLUTIONS - 2)), "conv_out"]
    modules |= {f"input_hint_block.{2 * i}": f"controlnet_cond_embedding.{name}" for i, name in enumerate(hint)}
    return modules | resblock_modules(blocks)


def resblock_modules(blocks: Mapping[str, str]) -> dict[str, str]:
    """Residual blocks (CompVis name -> our name) and the layers in them, as ``unet_modules`` lists them."""
    return {**blocks, **_inside(blocks, _RESBLOCK)}


def convert_vae(tensors: Mapping[str, Tensor], config: VaeConfig) -> dict[str, Tensor]:
    """An autoencoder's tensors (no prefix) under our names; attention's 1x1 convolutions become linear layers."""
    modules = vae_modules(config)
    named = {rename(name, modules): tensor for name, tensor in tensors.items()}
    return {name: tensor.flatten(1) if is_attention_weight(name) else tensor for name, tensor in named.items()}


def vae_modules(config: VaeConfig) -> dict[str, str]:
    """CompVis name -> our name of those modules of an autoencoder whose names differ."""
    levels = len(config.widths)
    modules: dict[str, str] = {}
    blocks: dict[str, str] = {}
    for half, stages, count, sampler in (
        ("encoder", "down", config.layers, "downsample"),
        ("decoder", "up", config.layers + 1, "upsample"),
    ):
        modules[f"{half}.norm_out"] = f"{half}.conv_norm_out"
        middle = {f"{half}.mid.attn_1": f"{half}.mid_block.attentions.0"}
        modules |= middle | _inside(middle, _VAE_ATTENTION)
        blocks |= {f"{half}.mid.block_{i + 1}": f"{half}.mid_block.resnets.{i}" for i in range(2)}
        for level in range(levels):
            place = level if half == "encoder" else levels - 1 - level  # CompVis counts the decoder's from the finest
            ours = f"{half}.{stages}_blocks.{place}"
            blocks |= {f"{half}.{stages}.{level}.block.{i}": f"{ours}.resnets.{i}" for i in range(count)}
            if place < levels - 1:
                modules[f"{half}.{stages}.{level}.{sampler}.conv"] = f"{ours}.{sampler}rs.0.conv"
    return modules | blocks | _inside(blocks, _VAE_BLOCK)


def convert_text(tensors: Mapping[str, Tensor], config: TextConfig) -> dict[str, Tensor]:
    """OpenCLIP's text tensors (no prefix) under our names.

    Query, key and value come apart. OpenCLIP's one layer more than ``config.layers``, its projection and its
    logit scale are left out: Stable Diffusion 2 reads what the layer before the last gives.
    """
    converted: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in _UNUSED_TEXT or name.startswith(f"transformer.resblocks.{config.layers}."):
            continue
        ours = text_names(name)
        converted.update(zip(ours, tensor.chunk(len(ours)) if len(ours) > 1 else (tensor,), strict=True))
    return converted


def text_names(name: str) -> tuple[str, ...]:
    """Our name of an OpenCLIP text tensor, or the three names between which it is split (query, key, value)."""
    renamed = {
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    }
    if name in renamed:
        return (renamed[name],)
    if name.startswith("ln_final."):
        return (name.replace("ln_final", "text_model.final_layer_norm"),)
    head, *rest = name.split("transformer.resblocks.")
    if head or not rest:
        return (name,)
    layer, _, inner = rest[0].partition(".")
    place = f"text_model.encoder.layers.{layer}"
    if inner.startswith("attn.in_proj_"):
        leaf = inner.removeprefix("attn.in_proj_")
        return tuple(f"{place}.self_attn.{which}_proj.{leaf}" for which in "qkv")
    return (f"{place}.{rename(inner, _TEXT_LAYER)}",)


def _inside(blocks: Mapping[str, str], layers: Mapping[str, str]) -> dict[str, str]:
    """The layers of each of some blocks."""
    return {f"{theirs}.{a}": f"{ours}.{b}" for theirs, ours in blocks.items() for a, b in layers.items()}


def is_attention_weight(name: str) -> bool:
    """Whether one of our VAE tensors belongs to attention, and so loses the two last axes of a 1x1 convolution."""
    return ".attentions." in name and ".to_" in name and name.endswith(".weight")
