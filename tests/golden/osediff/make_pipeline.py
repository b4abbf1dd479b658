"""Makes the fixtures of whole paths again: python tests/golden/osediff/make_pipeline.py UPSTREAM [mini|full].

UPSTREAM is a checkout of github.com/cswry/OSEDiff at fcc4f09c7ed66a9bc0ba9433940d76b343142426.

``pipeline-mini.npz``: what upstream's own ``OSEDiff_test.forward`` returns, latent tiles included, with mini networks
of diffusers, transformers and peft in it. ``teacher-*.npz``: the features that AdcSR's training makes (order of
operations of train.py, Guaishou74851/AdcSR at d0b2871) with the libraries' classes. Weights are deterministic:
``parity.lively`` by the names that ``seed_name`` gives. ``*.json.gz``: names and shapes of the networks' tensors.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
import make  # noqa: E402
from parity import lively, write_manifest  # noqa: E402

IMAGE, TILE, OVERLAP = (1, 3, 96, 112), 10, 2  # a latent of 12 x 14
LR = {"mini": (2, 3, 16, 24), "full": (1, 3, 16, 16)}
HALF = {"mini": (32, 32, 64, 64), "full": (64, 128, 256, 256)}
TEXT = {"mini": 64, "full": 1024}
FACTOR = {"mini": 4.0, "full": 1.0}


def uniform(name: str, shape: tuple[int, ...]) -> Tensor:
    """A fixed input in [0, 1]."""
    return make.example(name, shape).mul(0.2).add(0.5).clamp(0, 1)


def seed_name(name: str) -> str:
    """What a tensor of a manifest is seeded by: its name in the network that it is in, without LoRA's wrappers."""
    return name.replace(".base_layer.", ".")


def fill(network: nn.Module, part: str, factor: float, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Give a network its values by ``part``.name; their manifest."""
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    values = {name: lively(seed_name(f"{part}.{prefix}{name}"), shape, factor) for name, shape in shapes.items()}
    network.load_state_dict(values, strict=False)
    network.eval()
    return {f"{part}.{prefix}{name}": shape for name, shape in shapes.items()}


def pipeline(upstream: Path) -> None:
    """Upstream's forward with mini networks."""
    from diffusers import DDPMScheduler

    unet, vae = make.lora_networks()
    text = make.text_network()
    with torch.no_grad():
        shapes = fill(unet, "unet", 4.0) | fill(vae, "vae", 4.0)
        prefix = "" if next(iter(text.state_dict())).startswith("text_model.") else "text_model."
        shapes |= fill(text, "text_encoder", 4.0, prefix)
    self = SimpleNamespace(
        args=SimpleNamespace(latent_tiled_size=TILE, latent_tiled_overlap=OVERLAP),
        device="cpu", unet=unet, vae=vae, text_encoder=text, weight_dtype=torch.float32,
        timesteps=torch.tensor([999]),
        tokenizer=_tokenizer(),
        noise_scheduler=DDPMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
        ),
    )  # fmt: skip
    self.noise_scheduler.set_timesteps(timesteps=[999])
    kind = _upstream(upstream).OSEDiff_test
    for method in ("encode_prompt", "_gaussian_weights"):
        setattr(self, method, getattr(kind, method).__get__(self))
    torch.manual_seed(3)
    image = kind.forward(self, uniform("pipeline", IMAGE) * 2 - 1, "words")
    np.savez_compressed(HERE / "pipeline-mini.npz", image=image.numpy())
    write_manifest(HERE / "pipeline-mini.json.gz", shapes)


def teacher(scale: str) -> None:
    """The two features of AdcSR's training."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from diffusers.models.autoencoders.vae import Decoder

    layers = 1
    networks: dict[str, nn.Module] = {"unet": make.unet(), "vae": make.vae(), "base_vae": make.vae()}
    if scale == "full":
        layers = 2
        sizes = {"block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": (5, 10, 20, 20)}
        networks["unet"] = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=1024, use_linear_projection=True, **sizes
        )
        for name in ("vae", "base_vae"):
            networks[name] = AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
            )  # fmt: skip
    networks["decoder"] = Decoder(
        in_channels=4, out_channels=3, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=HALF[scale], layers_per_block=layers, norm_num_groups=32,
    )  # fmt: skip
    shapes = {}
    for part, network in networks.items():
        shapes |= fill(network, part, FACTOR[scale])
    unet, vae, base_vae, decoder = (networks[part] for part in ("unet", "vae", "base_vae", "decoder"))
    lr, hr, text = teacher_inputs(scale)
    with torch.inference_mode():
        large = F.interpolate(lr * 2 - 1, scale_factor=4, mode="bicubic")
        latent = vae.encode(large).latent_dist.mean * vae.config.scaling_factor
        noise = unet(latent, torch.tensor([999]).expand(len(lr)), encoder_hidden_states=text).sample
        alpha = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)[999]
        clean = (latent - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        target = decoder.mid_block(decoder.conv_in(vae.post_quant_conv(clean / vae.config.scaling_factor)))
        mean = base_vae.encode(hr * 2 - 1).latent_dist.mean
        real = decoder.mid_block(decoder.conv_in(base_vae.post_quant_conv(mean)))
    np.savez_compressed(HERE / f"teacher-{scale}.npz", target=target.numpy(), real=real.numpy())
    write_manifest(HERE / f"teacher-{scale}.json.gz", shapes)


def teacher_inputs(scale: str) -> tuple[Tensor, Tensor, Tensor]:
    """LR and HR in [0, 1], and the prompts' embeddings."""
    batch, _, height, width = LR[scale]
    lr, hr = uniform("lr", LR[scale]), uniform("hr", (batch, 3, 4 * height, 4 * width))
    return lr, hr, make.example("text", (batch, 77, TEXT[scale]))


def _tokenizer() -> Any:
    def tokenize(text: str, **kwargs: Any) -> SimpleNamespace:
        return SimpleNamespace(input_ids=torch.tensor(make.IDS))

    tokenize.model_max_length = 77  # type: ignore[attr-defined]
    return tokenize


def _upstream(folder: Path) -> Any:
    """Upstream's osediff.py; its copies of diffusers' networks, written for an older version, are left out."""
    for name in ("models", "models.autoencoder_kl", "models.unet_2d_condition", "my_utils", "my_utils.vaehook"):
        sys.modules[name] = ModuleType(name)
    for name, left_out in (
        ("models.autoencoder_kl", "AutoencoderKL"),
        ("models.unet_2d_condition", "UNet2DConditionModel"),
        ("my_utils.vaehook", "VAEHook"),
        ("my_utils.vaehook", "perfcount"),
    ):
        setattr(sys.modules[name], left_out, None)
    spec = importlib.util.spec_from_file_location("upstream_osediff", folder / "osediff.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    if sys.argv[2] == "mini":
        pipeline(Path(sys.argv[1]))
    teacher(sys.argv[2])
