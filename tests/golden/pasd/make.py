"""Makes this folder's fixtures again: python tests/golden/pasd/make.py UPSTREAM mini|full.

UPSTREAM is a checkout of github.com/yangxy/PASD at 396f9ac24f9fa2b9787658bd9eea31729e51f264; diffusers 0.29.2,
which it pins, and transformers 4.45.2 must come first on PYTHONPATH. Outputs of upstream's own networks and
pipeline on deterministic weights; nothing of upstream's code or weights is kept. ``full`` needs 8 GB.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from parity import lively, write_manifest  # noqa: E402

from adcbench.systems.checkpoints.deterministic import deterministic_tensor  # noqa: E402
from adcbench.systems.pasd import FULL, MINI, PASDConfig  # noqa: E402

CONFIGS = {"mini": MINI, "full": FULL}
LATENTS = {"mini": (2, 4, 6, 10), "full": (1, 4, 16, 16)}  # the mini one doubles to odd sizes
IDS = [[49406, 320, 1125, 539, 320, 2368, 49407] + [49407] * 70, [49406, 49407] + [49407] * 75]
STEP = 481
TEXTS_KEPT = 16  # tokens of the full text embedding
SEED, LEVEL = 3, 333  # of the pipeline; with 3 steps 333 is the last
PICTURE, LARGE = (1, 3, 48, 80), (1, 3, 144, 176)  # the large one in four windows; smaller ones would be chaotic


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal values by recipe."""
    return deterministic_tensor(f"input.{name}", shape) * 50


def picture(shape: tuple[int, ...]) -> Tensor:
    """An image in 8-bit levels by recipe."""
    return (example("picture", shape).sigmoid() * 255).round() / 255


def inputs(size: str) -> tuple[Tensor, Tensor, Tensor]:
    """Latent, text and image of the joint U-Net and ControlNet."""
    batch, _, height, width = LATENTS[size]
    text = example("text", (batch, 77, CONFIGS[size].text.width))
    return example("latent", LATENTS[size]), text, picture((batch, 3, 8 * height, 8 * width))


def filled(network: nn.Module, part: str) -> nn.Module:
    """The network with the values that its official names have in our network's part."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(lively(f"{part}.{name}", tuple(tensor.shape)))
    return network.eval()


def upstream(config: PASDConfig) -> dict[str, nn.Module]:
    """Upstream's networks at the sizes of a config."""
    from diffusers import AutoencoderKL
    from pasd.models.pasd.controlnet import ControlNetModel
    from pasd.models.pasd.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    shared: Mapping[str, Any] = {
        "block_out_channels": config.unet.widths,
        "attention_head_dim": config.unet.heads[0],
        "cross_attention_dim": config.unet.context,
    }
    vae, text = config.vae, config.text
    text_config = CLIPTextConfig(
        hidden_size=text.width,
        intermediate_size=4 * text.width,
        num_hidden_layers=text.layers,
        num_attention_heads=text.heads,
        hidden_act="quick_gelu",
    )
    networks = {
        "unet": UNet2DConditionModel(sample_size=64, **shared),
        "controlnet": ControlNetModel(**shared),
        "vae": AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=vae.widths,
            layers_per_block=vae.layers,
            latent_channels=vae.latent,
        ),
        "text_encoder": CLIPTextModel(text_config),
    }
    return {part: filled(network, part) for part, network in networks.items()}


def joint(networks: Mapping[str, Any], size: str) -> dict[str, Tensor]:
    """The noise that U-Net and ControlNet find, their middle blocks' outputs, pictures, and the text's embedding."""
    latent, text, image = inputs(size)
    features: list[Tensor] = []
    networks["unet"].mid_block.register_forward_hook(lambda block, given, output: features.append(output))
    pictures, sides, middle = networks["controlnet"](latent, STEP, text, image, return_dict=False)
    noise = networks["unet"](
        latent, STEP, text, down_block_additional_residuals=sides, mid_block_additional_residual=middle
    ).sample
    return {
        "noise": noise,
        "unet_middle": features[0],
        "controlnet_middle": middle,
        "embedding": networks["text_encoder"](torch.tensor(IDS))[0],
        **{f"picture{i}": shown[:, :, :8, :8] for i, shown in enumerate(pictures)},
    }


def pipeline(networks: Mapping[str, Any]) -> dict[str, Tensor]:
    """Clean latents of upstream's own pipeline, whole and in windows."""
    from diffusers import UniPCMultistepScheduler
    from pasd.pipelines.pipeline_pasd import StableDiffusionControlNetPipeline

    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    run = StableDiffusionControlNetPipeline(
        **networks,
        tokenizer=None,
        scheduler=UniPCMultistepScheduler(**schedule),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    negative, positive = networks["text_encoder"](torch.tensor(IDS))[0].split(1)

    def latent(shape: tuple[int, ...], level: int) -> Tensor:
        torch.manual_seed(SEED)
        settings = SimpleNamespace(
            init_latent_with_noise=False,
            num_inference_steps=MINI.steps,
            added_noise_level=level,
            latent_tiled_size=MINI.tile,
            latent_tiled_overlap=MINI.overlap,
        )
        result: Tensor = run(
            settings,
            image=picture(shape),
            prompt_embeds=positive,
            negative_prompt_embeds=negative,
            num_inference_steps=MINI.steps,
            guidance_scale=MINI.guidance,
            output_type="latent",
        ).images
        return result

    whole = latent(PICTURE, LEVEL)
    assert torch.equal(whole, latent(PICTURE, 900))  # a level between the steps becomes the last step
    return {"latent": whole, "latent_tiled": latent(LARGE, LEVEL)}


@torch.no_grad()
def make(size: str) -> None:
    """All fixtures of one size."""
    networks = upstream(CONFIGS[size])
    shapes = {f"{part}.{n}": t.shape for part, network in networks.items() for n, t in network.state_dict().items()}
    write_manifest(HERE / f"{size}.json.gz", {name: list(shape) for name, shape in shapes.items()})
    outputs = joint(networks, size)
    if size == "mini":
        outputs |= pipeline(networks)
    else:
        outputs["embedding"] = outputs["embedding"][:, :TEXTS_KEPT]
    np.savez_compressed(HERE / f"{size}.npz", **{name: value.numpy() for name, value in outputs.items()})


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    make(sys.argv[2])
