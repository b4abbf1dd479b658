"""StableSR's networks and inference path (section 3; upstream ``ldm/modules`` and the scripts named in ``__init__``).

LR -> enlarged -> VAE encoder -> latent; noise -> U-Net at every step, told the empty prompt and, by the structure
encoder, the latent -> latent of the result -> VAE decoder, told the encoder's features -> colour fix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.blocks import ResBlock, conv3x3, group_norm
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.pixels import check_images, shared_noise
from adcbench.systems.layers.precision import reduced
from adcbench.systems.layers.rrdbnet import RRDB
from adcbench.systems.layers.sd21 import LAST_STEP, UNetConfig, alpha_bar, one_step
from adcbench.systems.layers.stepping import steps
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.unet import (
    Conditioning,
    LayerKinds,
    UNet,
    UNetHalf,
    residual_block,
    stable_diffusion_layers,
)
from adcbench.systems.layers.vae import Vae
from adcbench.systems.stablesr import StableSRConfig
from adcbench.systems.stablesr.weights import load_official

_LATENT = 8  # pixels that a latent stands for
_MULTIPLE = 32  # of the enlarged image's sides
_SPADE_HIDDEN = 128
_NORM_EPS = 1e-5
_VAE_EPS = 1e-6


class Spade(nn.Module):
    """Scales and shifts normalised features by a map: (B, width, h, w), (B, structure, h, w) -> as the first.

    Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization" (CVPR 2019). Upstream's names: its
    "parameter-free" norm has parameters.
    """

    def __init__(self, width: int, structure: int) -> None:
        super().__init__()
        self.param_free_norm = group_norm(width, _NORM_EPS)
        self.mlp_shared = nn.Sequential(conv3x3(structure, _SPADE_HIDDEN), nn.ReLU())
        self.mlp_gamma = conv3x3(_SPADE_HIDDEN, width)
        self.mlp_beta = conv3x3(_SPADE_HIDDEN, width)

    def forward(self, x: Tensor, structure: Tensor) -> Tensor:
        hidden = self.mlp_shared(structure)
        out: Tensor = self.param_free_norm(x) * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)
        return out


class SpadeResBlock(ResBlock):
    """Residual block whose change goes through SPADE; ``time``: embedding, and structure maps by their size."""

    def __init__(self, width_in: int, width: int, time: int, structure: int) -> None:
        super().__init__(width_in, width, _NORM_EPS, time)
        self.spade = Spade(width, structure)

    def forward(self, x: Tensor, time: Any) -> Tensor:  # type: ignore[override]  # the maps with the embedding
        embedding, structure = time
        hidden = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(embedding))[..., None, None]
        changed: Tensor = self.spade(self.conv2(F.silu(self.norm2(hidden))), structure[_size(x)])
        return changed + (self.conv_shortcut(x) if self.conv_shortcut else x)


class StructureAttention(nn.Module):
    """Self-attention over all pixels with a skip: (B, width, h, w), anything -> as the first.

    ``qkv`` gives each head its query, key and value side by side. Fused where the authors have xformers.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = group_norm(width, _NORM_EPS)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        qkv = self.qkv(self.norm(x).flatten(2))  # (B, heads * 3 * C, h*w)
        query, key, value = torch.unflatten(qkv, 1, (self.heads, 3, -1)).transpose(-1, -2).unbind(2)
        mixed = F.scaled_dot_product_attention(query, key, value)  # (B, heads, h*w, C)
        change: Tensor = self.proj_out(mixed.transpose(-1, -2).flatten(1, 2)).reshape(x.shape)
        return x + change


class StructureEncoder(UNetHalf):
    """What conditions the U-Net on the input at a step.

    ``forward``: the input's latent (B, 4, h, w), step -> a map (B, width, ...) for each resolution, finest first.
    """

    def __init__(self, config: UNetConfig, width: int) -> None:
        super().__init__(config, LayerKinds({"attentions": StructureAttention}))
        self.outputs = nn.ModuleList([residual_block(size, width, self.time_width) for size in config.widths])

    def forward(self, latent: Tensor, step: Tensor | int) -> list[Tensor]:
        time = self.embed(step, latent)
        skips, middle = self.down(self.conv_in(latent), Conditioning(time, (None,)))
        layers, levels = self.config.layers, len(self.config.widths)
        ends = [skips[i * (layers + 1) + layers] for i in range(levels - 1)]  # of each level, before it is halved
        return [output(x, time) for output, x in zip(self.outputs, [*ends, middle], strict=True)]


class Fusion(nn.Module):
    """What the decoder's features gain from the encoder's: (B, width, h, w) twice -> the same shape (section 3.3)."""

    def __init__(self, width: int, blocks: int, growth: int) -> None:
        super().__init__()
        self.join = ResBlock(2 * width, width, _VAE_EPS)
        self.dense = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.out = ResBlock(width, width, _VAE_EPS)

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        gain: Tensor = self.out(self.dense(self.join(torch.cat([encoded, decoded], 1))))
        return gain


class CfwVae(Vae):
    """The autoencoder with controllable feature wrapping at all levels but the finest and the coarsest."""

    def __init__(self, config: StableSRConfig) -> None:
        super().__init__(config.base.vae)
        self.weight = config.cfw_weight
        self.layers = config.base.vae.layers
        widths = config.base.vae.widths[1:-1]
        self.cfw = nn.ModuleList([Fusion(width, config.cfw_blocks, config.cfw_growth) for width in widths])

    def encode_with_features(self, image: Tensor, noise: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """As ``encode``, and the features at the end of each level that the decoder is told, finest first."""
        features: list[Tensor] = []
        last = f"resnets.{self.layers - 1}"
        hooks = [
            level.get_submodule(last).register_forward_hook(lambda _, __, output: features.append(output))
            for level in list(self.encoder.down_blocks)[1:-1]
        ]
        try:
            return self.encode(image, noise), features
        finally:
            for hook in hooks:
                hook.remove()

    def decode_with_features(self, latent: Tensor, features: Sequence[Tensor]) -> Tensor:
        """As ``decode``, mixing in what ``encode_with_features`` returned."""
        x = self.decoder.features(self.post_quant_conv(latent / self.scaling))
        last = len(self.decoder.up_blocks) - 1
        for i, level in enumerate(self.decoder.up_blocks):
            for block in level.get_submodule("resnets").children():
                x = block(x)
            if 0 < i < last:
                x = x + self.weight * self.cfw[last - i - 1](features[last - i - 1], x)
            for upsample in level.get_submodule("upsamplers").children():
                x = upsample(x)
        image: Tensor = self.decoder.conv_out(F.silu(self.decoder.conv_norm_out(x)))
        return image

    def fuse(self, *maps: Tensor) -> list[Tensor]:
        """All fusions, each on a map of the encoder and one of the decoder: for counting."""
        pairs = zip(maps[::2], maps[1::2], strict=True)
        return [fusion(*pair) for fusion, pair in zip(self.cfw, pairs, strict=True)]


class StableSR(nn.Module):
    """All networks of StableSR; images are RGB in [-1, 1]."""

    def __init__(self, config: StableSRConfig) -> None:
        super().__init__()
        self.config = config
        unet = config.base.unet
        resblock = partial(SpadeResBlock, structure=config.structure_width)
        self.vae = CfwVae(config)
        self.unet = UNet(unet, replace(stable_diffusion_layers(unet), resblock=resblock))
        self.structure_encoder = StructureEncoder(config.structure, config.structure_width)
        self.text_encoder = TextEncoder(config.base.text)

    def denoise(self, latent: Tensor, step: Tensor | int, text: Tensor, *structure: Tensor) -> Tensor:
        """The noise in a latent (B, 4, h, w), given the structure encoder's maps -> (B, 4, h, w)."""
        by_size = {_size(x): x for x in structure}
        return self.unet.run(latent, Conditioning((self.unet.embed(step, latent), by_size), (text,)))

    def predict(self, latent: Tensor, lr: Tensor, step: int, text: Tensor) -> Tensor:
        """The noise in a latent, told the input's latent: both (B, 4, h, w) -> (B, 4, h, w), in windows."""

        def window(latent: Tensor, lr: Tensor) -> Tensor:
            return self.denoise(latent, step, text, *self.structure_encoder(lr, step))

        return tiled(window, (latent, lr), self.config.input_size // _LATENT, self.config.overlap)

    def sample(self, lr: Tensor, text: Tensor, noise: Callable[[Tensor], Tensor]) -> Tensor:
        """The input's latent (B, 4, h, w) and the prompt's embedding -> the result's latent (B, 4, h, w).

        Args:
            noise: standard normal of a tensor's shape; called for the start and at every step but the last.
        """
        signal = alpha_bar(LAST_STEP) if self.config.start == "lr" else 0.0
        x = math.sqrt(signal) * lr + math.sqrt(1 - signal) * noise(lr)
        for step in steps(schedule(self.config.steps), "StableSR"):
            clean = one_step(x, self.predict(x, lr, step.time, text), step.time)
            x = step.clean * clean + step.noisy * x
            if step.deviation:
                x = x + step.deviation * noise(x)
        return x

    def forward(self, image: Tensor, text: Tensor, noise: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, 3, H, W) in [-1, 1], H and W multiples of 32 -> the same, restored, not clamped."""
        like = image[:, :1, ::_LATENT, ::_LATENT].expand(-1, self.config.base.vae.latent, -1, -1)
        posterior = noise(like) if self.config.posterior == "sample" else None
        latent, features = self.vae.encode_with_features(image, posterior)
        return self.vae.decode_with_features(self.sample(latent.float(), text, noise), features)


@dataclass(frozen=True)
class Step:
    """One DDPM step: next latent = clean * (clean latent) + noisy * latent + deviation * noise."""

    time: int
    clean: float
    noisy: float
    deviation: float


def schedule(count: int) -> list[Step]:
    """``count`` steps from the noisiest to the clean image: DDPM (Ho et al. 2020, equation 7) on a part of the 1000.

    Written out, in double precision, because diffusers' scheduler rounds the schedule to float32 first.
    """
    times = [round(i * LAST_STEP / (count - 1)) for i in range(count)]
    signals = [1.0, *(alpha_bar(time) for time in times)]
    steps = []
    for time, before, after in zip(times, signals, signals[1:], strict=False):
        beta = 1 - after / before
        clean = beta * math.sqrt(before) / (1 - after)
        noisy = (1 - before) * math.sqrt(1 - beta) / (1 - after)
        steps.append(Step(time, clean, noisy, math.sqrt(beta * (1 - before) / (1 - after))))
    return steps[::-1]


def load_network(config: StableSRConfig, weights: Mapping[str, Path] | None) -> StableSR:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    return built(lambda: StableSR(config), weights, load_official)


def upscaler(network: StableSR, dtype: str) -> Callable[[Tensor], Tensor]:
    """StableSR's inference path: lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) in [0, 1], any h and w.

    Other sizes than 128 x 128 follow ``..._oldcanvas_tile.py``. Each image of a batch, and each window of a large
    image, gets the same noise.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("StableSR", dtype)
    device, config = next(network.parameters()).device, network.config
    with torch.inference_mode(), reduced(device, dtype):
        prompt = network.text_encoder(torch.tensor([config.padded_tokens], device=device))

    def restore(image: Tensor, state: Tensor) -> Tensor:
        torch.set_rng_state(state)
        with reduced(device, dtype):
            sr = network(image, prompt.expand(len(image), -1, -1), shared_noise)
        return COLOUR_FIXES[config.colour_fix](sr.float(), image)

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "StableSR")
        large = enlarge(lr.to(device, torch.float32) * 2 - 1, config)
        image, run = _pad(large), partial(restore, state=torch.get_rng_state())
        overlap = config.image_tile - config.image_stride
        whole = max(image.shape[2:]) <= config.image_tile
        sr = run(image) if whole else tiled(run, (image,), config.image_tile, overlap)
        sr = (sr[..., : large.shape[2], : large.shape[3]] / 2 + 0.5).clamp(0, 1)
        size = [config.upscale * side for side in lr.shape[2:]]
        return sr if [*sr.shape[2:]] == size else F.interpolate(sr, size, mode="bicubic").clamp(0, 1)

    return upscale


def _size(x: Tensor) -> tuple[int, int]:
    """Height and width of (B, C, h, w) as numbers, also while fvcore traces them."""
    return int(x.shape[2]), int(x.shape[3])


def enlarge(image: Tensor, config: StableSRConfig) -> Tensor:
    """(B, 3, h, w) in [-1, 1] -> ``upscale`` times as large, or more where a side would be under ``input_size``."""
    scale = max(config.input_size / min(image.shape[2:]), config.upscale)
    size = [int(side * scale) for side in image.shape[2:]]
    return F.interpolate(image, size, mode=config.upsampling).clamp(-1, 1)


def _pad(image: Tensor) -> Tensor:
    """Mirrored right and bottom edges up to multiples of 32: if one side needs them, both get some, as upstream."""
    missing = [_MULTIPLE - side % _MULTIPLE for side in image.shape[2:]]
    if missing == [_MULTIPLE, _MULTIPLE]:
        return image
    return F.pad(image, (0, missing[1], 0, missing[0]), mode="reflect")
