"""PASD's inference path (upstream test_pasd.py, pasd/pipelines/pipeline_pasd.py) on 8-bit images.

LR -> bicubic x4, at least ``process_size`` -> its latent under noise -> 20 guided UniPC steps, the ControlNet
reading the enlarged image -> VAE decoder -> colour fix -> four times the input's size. UniPC is diffusers' own.
Upstream also cuts the VAE's work into tiles beyond 1024 pixels; this runs it whole.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from adcbench.core.precision import check_dtype
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.pixels import check_images, from_picture, to_picture, truncate
from adcbench.systems.layers.precision import reduced
from adcbench.systems.layers.sd21 import alpha_bar
from adcbench.systems.layers.stepping import steps
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.tokenizer import Tokenizer
from adcbench.systems.pasd import PASDConfig
from adcbench.systems.pasd.network import PASD

_MULTIPLE = 8  # pixels a latent stands for


def upscaler(network: PASD, tokenize: Tokenizer, dtype: str) -> Callable[[Tensor], Tensor]:
    """``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w)`` in 8-bit levels. Each image of a batch gets the same noise.

    Args:
        tokenize: of the text encoder.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("PASD", dtype)
    device, config = next(network.parameters()).device, network.config
    ids = tokenize([config.negative_prompt, config.positive_prompt]).to(device)

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "PASD")
        pictures = [enlarge(to_picture(image), config) for image in lr.float().clamp(0, 1)]
        large = torch.stack([from_picture(picture) for picture in pictures]).to(device)
        with reduced(device, dtype):
            sr = restore(network, large, network.text_encoder(ids))
        sr = (sr * 255).round() / 255
        fixed = COLOUR_FIXES[config.colour_fix](sr, large).clamp(0, 1)
        size = (config.upscale * lr.shape[3], config.upscale * lr.shape[2])
        shrunk = [from_picture(to_picture(truncate(image)).resize(size)) for image in fixed]
        return torch.stack(shrunk).to(device)

    return upscale


def restore(network: PASD, image: Tensor, text: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in [0, 1], H and W multiples of 8 -> the same, restored; draws noise on the CPU.

    Args:
        text: embeddings of the negative and the positive prompt (2, tokens, width).
    """
    return (network.vae.decode(sample(network, image, text)).float() / 2 + 0.5).clamp(0, 1)


def sample(network: PASD, image: Tensor, text: Tensor) -> Tensor:
    """The clean latent (B, 4, H/8, W/8) float32 of an image; arguments as ``restore``."""
    scheduler = unipc(network.config.steps)
    latent = start(network, image, int(scheduler.timesteps[0]))
    for step in steps(list(scheduler.timesteps), "PASD"):
        noise = guided_noise(network, latent, int(step), text, image)
        latent = scheduler.step(noise.float(), step, latent, return_dict=False)[0]
    return latent


def unipc(count: int) -> Any:
    """diffusers' UniPC scheduler with Stable Diffusion 1.5's noise schedule, set to ``count`` steps."""
    from diffusers import UniPCMultistepScheduler  # seconds

    scheduler = UniPCMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
    )
    scheduler.set_timesteps(count)
    return scheduler


def start(network: PASD, image: Tensor, first: int) -> Tensor:
    """The latent (B, 4, H/8, W/8) float32 that the sampler starts from, at step ``first``.

    From the image: a sample of its latent, taken to step ``first``, then to ``added_noise_level`` as though it
    were clean. All noise is the same for each image, from torch's default CPU generator, in upstream's order.
    """
    config = network.config
    if config.start == "noise":
        return network.vae.noise(image)
    latent = network.vae.encode(image * 2 - 1, network.vae.noise(image)).float()
    for level in (first, config.added_noise_level):
        signal = alpha_bar(level)
        latent = sqrt(signal) * latent + sqrt(1 - signal) * network.vae.noise(image)
    return latent


def guided_noise(network: PASD, latent: Tensor, step: int, text: Tensor, image: Tensor) -> Tensor:
    """The noise that both prompts, weighed by ``guidance``, find in a latent (B, 4, h, w); large ones in windows."""
    config = network.config
    if config.guidance <= 1:
        return _noise(network, latent, step, text[1:], image)
    negative, positive = _noise(
        network, torch.cat([latent] * 2), step, text.repeat_interleave(len(latent), 0), torch.cat([image] * 2)
    ).chunk(2)
    return negative + config.guidance * (positive - negative)


def _noise(network: PASD, latent: Tensor, step: int, text: Tensor, image: Tensor) -> Tensor:
    config, texts = network.config, text.expand(len(latent), -1, -1)

    def predict(window: Tensor, pixels: Tensor) -> Tensor:
        noise: Tensor = network(window, step, texts, pixels)
        return noise

    height, width = latent.shape[2:]
    if height * width <= config.tile**2:
        return predict(latent, image)
    overlap = min(config.overlap, min(height, width) // 2)  # windows no wider than the overlap would never advance
    return tiled(predict, (latent, image), config.tile, overlap)


def enlarge(picture: Image.Image, config: PASDConfig) -> Image.Image:
    """An 8-bit picture ``upscale`` times larger, on its short side at least ``process_size``, in multiples of 8."""
    large = picture.resize((picture.width * config.upscale, picture.height * config.upscale))
    short = min(large.size)
    if short < config.process_size:
        width, height = (config.process_size * side // short for side in large.size)
        large = large.resize((width, height), Image.Resampling.BILINEAR)
    width, height = (side - side % _MULTIPLE for side in large.size)
    return large.resize((width, height))
