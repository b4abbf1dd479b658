"""OSEDiff's network and inference path (OSEDiff section 3.2; upstream osediff.py, test_osediff.py).

LR -> bicubic x4 -> VAE encoder -> latent -> U-Net once at t = 999, told the image's tags -> one step to the clean
latent -> VAE decoder -> colour fix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.lora import add_lora, base_name, merge_lora
from adcbench.systems.layers.pixels import check_images, enlarge_in_levels, resized, truncate
from adcbench.systems.layers.precision import reduced
from adcbench.systems.layers.sd21 import one_step
from adcbench.systems.layers.text_encoder import text_network
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.systems.osediff.weights import load_official


class OSEDiff(nn.Module):
    """SD2.1 with OSEDiff's LoRA. What makes the prompts, ``prompts``, stands apart."""

    def __init__(self, config: OSEDiffConfig, lora: bool = True) -> None:
        super().__init__()
        self.config = config
        self.vae = Vae(config.base.vae)
        self.unet = UNet(config.base.unet)
        self.text_encoder = text_network(config.base.text)
        if lora:
            self.add_lora()

    def add_lora(self) -> None:
        """Put the adapters on: the whole U-Net but its time layers; the VAE's encoder and quant_conv."""
        rank, scale = self.config.rank, self.config.alpha / self.config.rank
        add_lora(self.unet, unet_adapters(self.unet), rank, scale)
        add_lora(self.vae, vae_adapters(self.vae), rank, scale)

    def forward(self, image: Tensor, ids: Tensor, noise: Tensor | None) -> Tensor:
        """(B, 3, H, W) in [-1, 1], H and W multiples of 8, and token ids (B, tokens) -> the same, restored.

        Args:
            noise: (B, 4, H/8, W/8) standard normal: a sample of the posterior; None: its mean.
        """
        text = self.text_encoder(ids)
        latent = self.vae.encode(image, noise)
        clean = one_step(latent, self.predict(latent, text), self.config.step)
        return self.vae.decode(clean).clamp(-1, 1)

    def predict(self, latent: Tensor, text: Tensor) -> Tensor:
        """The noise in a latent (B, 4, h, w), in tiles where it is large; text: (B, tokens, width)."""
        tile, height, width = self.config.latent_tile, *latent.shape[2:]
        if height * width <= tile**2:
            predicted: Tensor = self.unet(latent, self.config.step, text)
            return predicted
        return tiled(lambda part: self.unet(part, self.config.step, text), [latent], tile, self.config.latent_overlap)


def unet_adapters(unet: nn.Module) -> dict[str, str]:
    """Adapter by layer of the U-Net: 94 in the way down, 148 in the way up, 16 in the middle at full size."""
    places = {"down_blocks": "default_encoder", "conv_in": "default_encoder", "mid_block": "default_others"}
    layers = [name for name in _layers(unet) if "time_emb" not in name]
    return {name: places.get(name.split(".")[0], "default_decoder") for name in layers}


def vae_adapters(vae: nn.Module) -> dict[str, str]:
    """Adapter by layer of the VAE: the encoder's 31 at full size, and quant_conv."""
    return {name: "default_encoder" for name in _layers(vae) if name.startswith(("encoder.", "quant_conv"))}


def _layers(network: nn.Module) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]


def load_network(config: OSEDiffConfig, weights: Mapping[str, Path] | None) -> OSEDiff:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    network = built(
        lambda: OSEDiff(config, lora=weights is None),
        weights,
        load_official,
        base_name,
    )
    if config.merge:
        merge_lora(network)
    return network.eval().requires_grad_(False)


def upscaler(network: OSEDiff, prompts: Callable[[Tensor], Tensor], dtype: str) -> Callable[[Tensor], Tensor]:
    """OSEDiff's inference path (test_osediff.py) on 8-bit images.

    Args:
        prompts: enlarged images -> token ids, from ``prompts.load_prompts``.

    Sizes: an input whose short side is under ``process_size / upscale`` is enlarged first, and the enlarged
    image is cut down to multiples of 8. Upstream returns whatever size comes out; here the result is
    resized to exactly ``upscale`` times the input, which changes nothing for the papers' 128 x 128.

    Each image of a batch gets the same noise, so that no image depends on its neighbours.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("OSEDiff", dtype)
    device, config = next(network.parameters()).device, network.config

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "OSEDiff")
        large = torch.stack([enlarge(image, config) for image in lr.float().cpu()]).to(device)
        noise = network.vae.noise(large) if config.posterior == "sample" else None
        with reduced(device, dtype):
            sr = network(large * 2 - 1, prompts(large), noise)
        sr = truncate(sr.float() / 2 + 0.5)
        sr = COLOUR_FIXES[config.colour_fix](sr, large)
        return resized(sr, [config.upscale * side for side in lr.shape[2:]])

    return upscale


def enlarge(image: Tensor, config: OSEDiffConfig) -> Tensor:
    """(3, h, w) float in [0, 1] -> (3, H, W), H and W multiples of 8, enlarged by Pillow in 8 bits."""
    smallest = config.process_size // config.upscale
    return enlarge_in_levels(image, config.upscale, smallest, Image.Resampling.LANCZOS)
