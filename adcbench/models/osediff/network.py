"""OSEDiff's network and inference path (OSEDiff section 3.2; upstream osediff.py, test_osediff.py).

LR -> bicubic x4 -> VAE encoder -> latent -> U-Net once at t = 999, told the image's tags -> one step to the clean
latent -> VAE decoder -> colour fix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.models.loading.deterministic import fill_deterministic
from adcbench.models.osediff import LATENT_PIXELS, OSEDiffConfig
from adcbench.models.osediff.weights import load_official
from adcbench.models.parts.colour import COLOUR_FIXES
from adcbench.models.parts.lora import add_lora, merge_lora
from adcbench.models.parts.sd21 import one_step
from adcbench.models.parts.text_encoder import TextEncoder
from adcbench.models.parts.tiling import tiled
from adcbench.models.parts.unet import UNet
from adcbench.models.parts.vae import Vae

_DTYPES = ("float32", "bfloat16", "float16")


class OSEDiff(nn.Module):
    """SD2.1 with OSEDiff's LoRA. What makes the prompts, ``prompts``, stands apart."""

    def __init__(self, config: OSEDiffConfig, lora: bool = True) -> None:
        super().__init__()
        self.config = config
        self.vae = Vae(config.base.vae)
        self.unet = UNet(config.base.unet)
        self.text_encoder = TextEncoder(config.base.text)
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
    with torch.device("meta"):
        network = OSEDiff(config, lora=weights is None)
    if weights is None:
        fill_deterministic(network, lambda name: name.replace(".base_layer.", "."))
    else:
        load_official(network, weights)
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
    if dtype not in _DTYPES:
        raise AdcbenchError(f"OSEDiff runs in {', '.join(_DTYPES)}; got dtype {dtype!r}")
    device, config = next(network.parameters()).device, network.config

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        if lr.ndim != 4 or lr.shape[1] != 3:
            raise AdcbenchError(f"OSEDiff takes RGB images (B, 3, h, w); got a tensor of shape {tuple(lr.shape)}")
        large = torch.stack([enlarge(image, config) for image in lr.float().cpu()]).to(device)
        noise = posterior_noise(config, large.shape).to(device) if config.posterior == "sample" else None
        with torch.autocast(device.type, getattr(torch, dtype), enabled=dtype != "float32"):
            sr = network(large * 2 - 1, prompts(large), noise)
        sr = truncate(sr.float() / 2 + 0.5)
        sr = COLOUR_FIXES[config.colour_fix](sr, large)
        return _resize(sr, config.upscale * lr.shape[2], config.upscale * lr.shape[3])

    return upscale


def posterior_noise(config: OSEDiffConfig, shape: torch.Size) -> Tensor:
    """(B, latent, H/8, W/8) float32, every image's the same, drawn from torch's default CPU generator."""
    batch, _, height, width = shape
    size = (config.base.vae.latent, height // LATENT_PIXELS, width // LATENT_PIXELS)
    noise = torch.randn(size)
    return noise.expand(batch, *size)


def enlarge(image: Tensor, config: OSEDiffConfig) -> Tensor:
    """(3, h, w) float in [0, 1] -> (3, H, W), H and W multiples of 8, enlarged by Pillow in 8 bits."""
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels)
    smallest = config.process_size // config.upscale
    if min(picture.size) < smallest:
        scale = smallest / min(picture.size)
        picture = picture.resize((int(scale * picture.width), int(scale * picture.height)))
    picture = picture.resize((picture.width * config.upscale, picture.height * config.upscale))
    width, height = (size - size % LATENT_PIXELS for size in picture.size)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def truncate(image: Tensor) -> Tensor:
    """Float in [0, 1] cut down to 8-bit levels, as torchvision's ToPILImage does before the colour fix."""
    return (image * 255).floor() / 255


def _resize(image: Tensor, height: int, width: int) -> Tensor:
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True)
