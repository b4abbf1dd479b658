"""Makes this folder's fixtures again: python tests/golden/osediff/make.py MANIFEST_FOLDER.

``*.json.gz``: names and shapes of the tensors in the official checkpoints. ``libraries.npz``: what diffusers,
transformers and peft compute at mini size with deterministic weights, in float64 and then stored in float32. The
tests compare our plain torch networks with it, and so need not wait 15 seconds for these libraries.

``python tests/golden/osediff/make.py`` alone makes ``libraries.npz``.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adcbench.systems.checkpoints.deterministic import deterministic_tensor, fill_deterministic

HERE = Path(__file__).parent
LATENT, ODD_LATENT, IMAGE = (2, 4, 16, 24), (1, 4, 9, 11), (1, 3, 48, 32)
IDS = [[49406, 320, 1125, 539, 49407] + [0] * 72]
SWIN = (2, 3, 64, 64)


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """A fixed input of about unit variance."""
    return deterministic_tensor(f"input.{name}", shape) * 50


def manifests(folder: Path) -> None:
    """Names and shapes of the official files."""
    lora = json.loads((folder / "osediff_pkl_osediff.json").read_text())
    merged = json.loads((folder / "adcsr_osediff_pkl.json").read_text())["tensors"]
    ram = json.loads((folder / "ram_swin_large_14m_target.json").read_text())["tensors"]
    dape = json.loads((folder / "dape_pth.json").read_text())["lora_tensors"]
    parts = {part: _shapes(lora[f"state_dict_{part}"]) for part in ("unet", "vae")}
    lists = {key: value for key, value in lora["keys"].items() if key.endswith("_modules")}
    _save("osediff", {**parts, "lists": lists})
    _save("sd21", {part: _shapes(merged[part]) for part in ("unet", "vae")})
    _save("ram", {**ram, **dape})


def _shapes(tensors: dict[str, Any]) -> dict[str, list[int]]:
    return {name: tensor["shape"] for name, tensor in tensors.items()}


def _save(name: str, content: Any) -> None:
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def libraries() -> None:
    """Outputs of the libraries' own classes."""
    with torch.inference_mode():
        outputs = {**_stable_diffusion(), **_text(), **_lora(), **_scheduler(), **_swin()}
    np.savez_compressed(HERE / "libraries.npz", **{name: value.float().numpy() for name, value in outputs.items()})


def unet() -> nn.Module:
    """diffusers' U-Net at the sizes of sd21.MINI."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(32, 64, 64, 64),
        attention_head_dim=(1, 2, 2, 2),
        cross_attention_dim=64,
        use_linear_projection=True,
    )


def vae() -> nn.Module:
    """diffusers' autoencoder at the sizes of sd21.MINI."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=1,
        latent_channels=4,
    )


def _stable_diffusion() -> dict[str, Tensor]:
    unet_mini, vae_mini = unet().eval(), vae().eval()
    fill_deterministic(unet_mini.double())
    fill_deterministic(vae_mini.double())
    text = example("text", (2, 77, 64)).double()
    posterior = vae_mini.encode(example("image", IMAGE).double()).latent_dist
    noise = example("noise", tuple(posterior.mean.shape)).double()
    return {
        "unet": unet_mini(example("latent", LATENT).double(), 999, text).sample,
        "unet_odd": unet_mini(example("latent", ODD_LATENT).double(), 999, text[:1]).sample,
        "vae_mean": posterior.mean * 0.18215,
        "vae_sample": (posterior.mean + posterior.std * noise) * 0.18215,
        "vae_decode": vae_mini.decode(example("latent", ODD_LATENT).double() / 0.18215).sample,
    }


def text_network() -> nn.Module:
    """transformers' text encoder at the sizes of sd21.MINI."""
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=2, hidden_act="gelu"
    )
    model: nn.Module = CLIPTextModel(config).eval()
    return model


def _text() -> dict[str, Tensor]:
    model = text_network().double()
    # The checkpoint's names start with text_model; newer transformers dropped that from its own.
    fill_deterministic(model, lambda name: "text_model." + name.removeprefix("text_model."))
    return {"text": model(torch.tensor(IDS))[0]}


def lora_networks() -> tuple[Any, Any]:
    """U-Net and autoencoder with OSEDiff's adapters on them."""
    from peft import LoraConfig

    lists = json.loads(gzip.decompress((HERE / "osediff.json.gz").read_bytes()))["lists"]
    adapted: tuple[Any, Any] = unet().eval(), vae().eval()
    for place in ("encoder", "decoder", "others"):
        names = lists[f"unet_lora_{place}_modules"]
        adapted[0].add_adapter(_lora_config(LoraConfig, adapted[0], names), f"default_{place}")
    adapted[0].set_adapter(["default_encoder", "default_decoder", "default_others"])
    names = lists["vae_lora_encoder_modules"]
    adapted[1].add_adapter(_lora_config(LoraConfig, adapted[1], names), "default_encoder")
    return adapted


def _lora() -> dict[str, Tensor]:
    unet_lora, vae_lora = lora_networks()
    for network in (unet_lora, vae_lora):
        fill_deterministic(network.double(), lambda name: name.replace(".base_layer.", "."))
    text = example("text", (2, 77, 64)).double()
    return {
        "lora_unet": unet_lora(example("latent", LATENT).double(), 999, text).sample,
        "lora_vae_mean": vae_lora.encode(example("image", IMAGE).double()).latent_dist.mean * 0.18215,
    }


def _lora_config(kind: Any, network: nn.Module, names: list[str]) -> Any:
    there = {name for name, _ in network.named_modules()}  # the mini VAE has fewer layers
    return kind(r=4, init_lora_weights="gaussian", target_modules=[name for name in names if name in there])


def _scheduler() -> dict[str, Tensor]:
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )
    scheduler.set_timesteps(timesteps=[999])  # what set_timesteps(1) and a step at 999 meant up to diffusers 0.2x
    noise, latent = example("noise", LATENT).double(), example("latent", LATENT).double()
    step = scheduler.step(noise, torch.tensor(999), latent)
    return {"one_step": step.prev_sample, "alpha_bar": scheduler.alphas_cumprod}


def _swin() -> dict[str, Tensor]:
    from transformers import SwinConfig, SwinModel

    config = SwinConfig(image_size=64, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, encoder_stride=4)
    model = SwinModel(config, add_pooling_layer=False).eval()
    for name, parameter in model.named_parameters():
        parameter.copy_(swin_tensor(name, tuple(parameter.shape)))
    return {"swin": model.double()(example("swin", SWIN).double()).last_hidden_state}


SWIN_NAMES = (
    ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
    ("embeddings.norm", "patch_embed.norm"),
    ("encoder.", ""),
    ("layernorm_before", "norm1"),
    ("layernorm_after", "norm2"),
    ("layernorm", "norm"),
    ("attention.relative_position_bias.relative", "attn.relative"),
    ("attention.o_proj", "attn.proj"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
)


def swin_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """The deterministic tensor of our Swin for a parameter of transformers' SwinModel (names of version 5)."""
    for theirs, ours in SWIN_NAMES:
        name = name.replace(theirs, ours)
    for i, part in enumerate(("q_proj", "k_proj", "v_proj")):
        if f".attention.{part}." in name:
            joint = name.replace(f"attention.{part}", "attn.qkv")
            return deterministic_tensor(joint, (3 * shape[0], *shape[1:])).chunk(3)[i]
    return deterministic_tensor(name, shape)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        manifests(Path(sys.argv[1]))
    libraries()
