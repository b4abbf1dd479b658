"""DiffBIR's networks and inference path (DiffBIR section 3; upstream diffbir/pipeline.py, inference/bsr_loop.py).

LR -> bicubic x4 -> SwinIR -> clean image -> VAE encoder -> condition; noise -> spaced DDPM steps of U-Net and
ControlNet, which sees the condition as four further channels of the latent -> VAE decoder -> colours of the clean
image. Upstream also cuts the VAE's work into tiles; this runs it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.systems.checkpoints.build import built
from adcbench.systems.diffbir import DiffBIRConfig
from adcbench.systems.diffbir.sampler import noised, sample
from adcbench.systems.diffbir.weights import load_official
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.controlnet import ControlNet
from adcbench.systems.layers.pixels import check_images, from_picture, resized, shared_noise, to_picture
from adcbench.systems.layers.precision import reduced
from adcbench.systems.layers.swinir import SwinIR
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae

_PIXELS = 8  # along each side, that a latent stands for
_PADDED = 64  # multiple of pixels that SwinIR and U-Net are given


class DiffBIR(nn.Module):
    """SwinIR, and SD2.1 with a ControlNet that takes the condition beside the latent."""

    def __init__(self, config: DiffBIRConfig) -> None:
        super().__init__()
        self.config = config
        base, stage1 = config.base, config.stage1
        self.swinir = SwinIR(stage1.width, stage1.depths, stage1.heads, stage1.window, features=stage1.features)
        self.vae = Vae(base.vae)
        self.unet = UNet(base.unet)
        self.controlnet = ControlNet(replace(base.unet, channels=base.unet.channels + base.vae.latent))
        self.text_encoder = TextEncoder(base.text)

    def clean(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], any size -> the same size without its degradations, not clamped."""
        height, width = image.shape[2:]
        tile, stride = self.config.stage1_tile, self.config.stage1_stride
        if tile and min(height, width) >= tile:
            return tiled(self.swinir, (image,), tile, tile - stride)
        restored: Tensor = self.swinir(zero_padded(image, _PADDED))
        return restored[:, :, :height, :width]

    def predict(self, latent: Tensor, condition: Tensor, step: int, texts: Sequence[Tensor]) -> Tensor:
        """The noise in a latent (B, 4, h, w), with the condition's latent beside it.

        Args:
            texts: embeddings (B, tokens, context) of the prompt and, with guidance, of the negative one.
        """
        noises: list[Tensor] = []
        for text in texts:
            control = self.controlnet(torch.cat([latent, condition], 1), step, text)
            control = [self.config.strength * side for side in control]
            noises.append(self.unet(latent, step, text, control).float())
        wanted, *unwanted = noises
        return unwanted[0] + self.config.guidance * (wanted - unwanted[0]) if unwanted else wanted

    def diffuse(self, condition: Tensor, texts: Sequence[Tensor]) -> Tensor:
        """Latent of the clean image (B, 4, h, w) -> a sampled latent of that size."""
        config, (height, width) = self.config, condition.shape[2:]
        side, stride = config.tile // _PIXELS, config.tile_stride // _PIXELS
        whole = not side or min(height, width) < side
        if whole:
            condition = zero_padded(condition, _PADDED // _PIXELS)

        def predict(latent: Tensor, step: int) -> Tensor:
            if whole:
                return self.predict(latent, condition, step, texts)
            windows = (latent, condition)
            return tiled(lambda part, beside: self.predict(part, beside, step, texts), windows, side, side - stride)

        noise = shared_noise(condition)
        start = noised(condition, noise) if config.start == "cond" else noise
        return sample(predict, start, config.steps)[:, :, :height, :width]

    def forward(self, image: Tensor, texts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1], any size -> the restored image and the first stage's, (B, 3, H, W) each."""
        height, width = image.shape[2:]
        clean = self.clean(image).float()
        padded = zero_padded(clean, _PIXELS if self.config.tile else _PADDED)
        condition = self.vae.encode(2 * padded - 1, None).float()
        restored = self.vae.decode(self.diffuse(condition, texts)).float()
        return restored[:, :, :height, :width] / 2 + 0.5, clean


def load_network(config: DiffBIRConfig, weights: Mapping[str, Path] | None) -> DiffBIR:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    return built(lambda: DiffBIR(config), weights, load_official)


def upscaler(network: DiffBIR, tokenize: Callable[[Sequence[str]], Tensor], dtype: str) -> Callable[[Tensor], Tensor]:
    """DiffBIR's inference path on 8-bit images.

    Sizes: the enlarged image is resized until its shorter side is ``smallest``, padded with black on the right and
    below, and the result cropped and resized to ``upscale`` times the input. Upstream then drops fractions of 8-bit
    levels: inference's ``truncate`` rounding. Each image of a batch gets the same noise.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("DiffBIR", dtype)
    device, config = next(network.parameters()).device, network.config
    prompts = [config.prompt, *([config.negative_prompt] if config.guidance != 1 else [])]
    ids = tokenize(prompts).to(device)

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "DiffBIR")
        large = torch.stack([enlarge(image, config.upscale) for image in lr.float().cpu()]).to(device)
        size = (large.shape[2], large.shape[3])
        large = resized(large, working_size(*size, config.smallest))
        with reduced(device, dtype):
            texts = [text.expand(len(lr), -1, -1) for text in network.text_encoder(ids).split(1)]
            sr, clean = network(large, texts)
        return resized(COLOUR_FIXES[config.colour_fix](sr, clean), size)

    return upscale


def enlarge(image: Tensor, factor: int) -> Tensor:
    """(3, h, w) float in [0, 1] -> (3, factor * h, factor * w), enlarged bicubically by Pillow in 8 bits."""
    picture = to_picture(image)
    return from_picture(picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.BICUBIC))


def working_size(height: int, width: int, smallest: int) -> tuple[int, int]:
    """Height and width with the shorter side brought up to ``smallest``, the longer in proportion, cut down."""
    shorter = min(height, width)
    if shorter >= smallest:
        return height, width
    scale = smallest / shorter
    return (
        smallest if height == shorter else int(height * scale),
        smallest if width == shorter else int(width * scale),
    )


def zero_padded(x: Tensor, multiple: int) -> Tensor:
    """Zeros on the right and below until the height and width of (B, C, h, w) divide by ``multiple``."""
    return F.pad(x, (0, -x.shape[3] % multiple, 0, -x.shape[2] % multiple))
