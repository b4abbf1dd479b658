"""CompVis names at Stable Diffusion 2.1's size, from upstream's own classes (tests/golden/stablesr)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.compvis import (
    convert_text,
    convert_unet,
    convert_vae,
    part,
    rename,
    text_names,
    unet_modules,
    vae_modules,
)
from adcbench.systems.checkpoints.weights import load_strict, shapes
from adcbench.systems.layers.controlnet import ControlNet, HintEncoder
from adcbench.systems.layers.sd21 import FULL, MINI, UNetConfig
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae

GOLDEN = Path(__file__).parents[2] / "golden" / "stablesr"
UNET, TEXT, VAE = "model.diffusion_model.", "cond_stage_model.model.", "cfw/"
ADDED = (".spade.", ".fusion_layer_")  # StableSR's own layers


def stable_diffusion(size: str = "full") -> dict[str, Tensor]:
    """Stand-ins for the tensors of a CompVis checkpoint: their shapes, and each full of its own number."""
    manifest = json.loads(gzip.decompress((GOLDEN / f"{size}.json.gz").read_bytes()))
    kept = {name: shape for name, shape in manifest.items() if not any(words in name for words in ADDED)}
    return {name: torch.tensor(float(i)).expand(shape) for i, (name, shape) in enumerate(kept.items())}


def converted() -> dict[str, dict[str, Tensor]]:
    tensors = stable_diffusion()
    return {
        "unet": convert_unet(part(tensors, UNET), FULL.unet),
        "vae": convert_vae(part(tensors, VAE), FULL.vae),
        "text": convert_text(part(tensors, TEXT), FULL.text),
    }


def control_net(unet: dict[str, Tensor], config: UNetConfig) -> dict[str, Tensor]:
    """A ControlNet's tensors: the U-Net's way down, and its own convolutions."""
    tensors = {n: t for n, t in unet.items() if n.startswith(("time_embed.", "input_blocks.", "middle_block."))}
    with torch.device("meta"):
        ours = ControlNet(config, hint=HintEncoder(config.widths[0]))
    hint = [conv for conv in ours.controlnet_cond_embedding.modules() if isinstance(conv, nn.Conv2d)]
    owned = {f"zero_convs.{i}.0": conv for i, conv in enumerate(ours.controlnet_down_blocks)}
    owned |= {f"input_hint_block.{2 * i}": conv for i, conv in enumerate(hint)}
    owned["middle_block_out.0"] = ours.controlnet_mid_block
    values = {f"{name}.{leaf}": t for name, conv in owned.items() for leaf, t in conv.state_dict().items()}
    return tensors | {n: torch.tensor(float(-i)).expand(t.shape) for i, (n, t) in enumerate(values.items())}


def test_stable_diffusion_maps_one_to_one() -> None:
    with torch.device("meta"):
        networks = {"unet": UNet(FULL.unet), "vae": Vae(FULL.vae), "text": TextEncoder(FULL.text)}
    for name, found in converted().items():
        assert {n: tuple(t.shape) for n, t in found.items()} == shapes(networks[name]), name
    assert sum(tensor.numel() for tensor in part(stable_diffusion(), TEXT).values()) == 354_032_641


def test_control_nets_map_one_to_one() -> None:
    for config, size in ((FULL.unet, "full"), (MINI.unet, "mini")):
        with torch.device("meta"):
            ours = ControlNet(config, hint=HintEncoder(config.widths[0]))
        found = convert_unet(control_net(part(stable_diffusion(size), UNET), config), config)
        assert {n: tuple(t.shape) for n, t in found.items()} == shapes(ours)


def test_names_equal_those_of_diffusers_converters(full_size: None) -> None:
    """diffusers takes 20 seconds to import; the parity tests of StableSR prove the same by values."""
    from diffusers.loaders import single_file_utils as diffusers

    tensors, ours = stable_diffusion(), converted()
    settings = {"layers_per_block": 2, "down_block_types": ("",) * 4, "up_block_types": ("",) * 4}
    unet = diffusers.convert_ldm_unet_checkpoint(dict(tensors), {**settings, "class_embed_type": None})
    vae = diffusers.convert_ldm_vae_checkpoint(part(tensors, VAE), settings)
    text = diffusers.convert_open_clip_checkpoint(None, {n: t for n, t in tensors.items() if n.startswith(TEXT)})
    control = control_net(part(tensors, UNET), FULL.unet)
    ours["controlnet"] = convert_unet(control, FULL.unet)
    theirs = {
        "unet": unet,
        "vae": vae,
        "text": {n: t for n, t in text.items() if n != "text_projection.weight"},
        "controlnet": diffusers.convert_controlnet_checkpoint(control, settings),
    }
    for name, expected in theirs.items():
        assert ours[name].keys() == expected.keys(), name
        for key, tensor in expected.items():
            assert ours[name][key].shape == tensor.shape and bool(torch.eq(ours[name][key], tensor).all()), key


def test_openclip_query_key_and_value_come_apart() -> None:
    weight = torch.arange(3.0).repeat_interleave(64)[:, None].expand(-1, 64)
    found = convert_text({"transformer.resblocks.1.attn.in_proj_weight": weight}, MINI.text)
    place = "text_model.encoder.layers.1.self_attn"
    assert {name: float(tensor.mean()) for name, tensor in found.items()} == {
        f"{place}.q_proj.weight": 0.0,
        f"{place}.k_proj.weight": 1.0,
        f"{place}.v_proj.weight": 2.0,
    }


def test_what_stable_diffusion_does_not_run_is_left_out() -> None:
    unused = ("transformer.resblocks.2.ln_1.weight", "text_projection", "logit_scale", "attn_mask")
    assert convert_text({name: torch.zeros(3) for name in unused}, MINI.text) == {}


def test_strange_names_stay_for_the_error_to_name_them() -> None:
    assert rename("label_emb.0.0.weight", unet_modules(FULL.unet)) == "label_emb.0.0.weight"
    assert rename("encoder.down.0.attn.0.q.weight", vae_modules(FULL.vae)) == "encoder.down.0.attn.0.q.weight"
    assert text_names("visual.proj") == ("visual.proj",)
    tensors = part(stable_diffusion("mini"), UNET)
    tensors["label_emb.0.0.weight"] = torch.zeros(1)
    with torch.device("meta"):
        network = UNet(MINI.unet)
    with pytest.raises(AdcbenchError, match=r"unexpected: label_emb\.0\.0\.weight"):
        load_strict(network, convert_unet(tensors, MINI.unet), "file")
