"""S3Diff's network and inference path (S3Diff section 3; upstream s3diff_tile.py, model.py, inference_s3diff.py).

LR -> scores of blur and noise -> a small matrix for each block, put between the two halves of that block's LoRA.
LR -> bilinear x4, padded to multiples of 64 -> VAE encoder with LoRA -> latent -> U-Net with LoRA once at t = 999 for
each of two prompts, with guidance -> one step to the clean latent -> VAE decoder -> colour fix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.lora import Adaptable, Lora, base_name
from adcbench.systems.layers.padding import pad_to_multiple
from adcbench.systems.layers.pixels import check_images, truncate
from adcbench.systems.layers.precision import full_precision, reduced
from adcbench.systems.layers.sd21 import one_step
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.s3diff import S3DiffConfig
from adcbench.systems.s3diff.degradation import SCORES, DegradationNet
from adcbench.systems.s3diff.weights import load_official

_UNET_LAYERS = re.compile(r"to_[kqv]|to_out\.0|conv[12]?|conv_shortcut|conv_out|proj_in|proj_out|ff\.net\.(2|0\.proj)")
_VAE_LAYERS = re.compile(r"to_[kqv]|to_out\.0|conv[12]?|conv_shortcut|conv_in|conv_out")


class S3Diff(nn.Module):
    """SD-Turbo with the LoRA, the degradation network and what makes matrices from its scores."""

    def __init__(self, config: S3DiffConfig, lora: bool = True) -> None:
        super().__init__()
        self.config = config
        levels = len(config.base.unet.widths), len(config.base.vae.widths)
        self.degradation = DegradationNet(config.degradation)
        self.W = nn.Parameter(torch.empty(config.waves), requires_grad=False)
        self.modulators = nn.ModuleDict(
            {
                "vae": Modulator(config, levels[1] + 2, config.rank_vae),
                "unet": Modulator(config, 2 * levels[0] + 2, config.rank_unet),
            }
        )
        self.vae = Vae(config.base.vae)
        self.unet = UNet(config.base.unet)
        self.text_encoder = TextEncoder(config.base.text)
        if lora:
            self.add_lora()

    def add_lora(self) -> None:
        """Put the adapters on: the U-Net but its time layers and conv_in; the VAE's encoder without quant_conv."""
        config = self.config
        _wrap(self.unet, unet_blocks(self.unet), config.rank_unet, config.alpha, "default")
        _wrap(self.vae, vae_blocks(self.vae), config.rank_vae, config.alpha, "vae_skip")

    def matrices(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, 2) -> the matrices of the VAE's and the U-Net's blocks, (B, blocks, rank, rank) each."""
        angles = 2 * math.pi * scores[..., None] * self.W  # (B, 2, waves)
        waves = torch.cat([angles.sin(), angles.cos()], -1).flatten(1)
        return self.modulators["vae"](waves), self.modulators["unet"](waves)

    def follow(self, lr: Tensor) -> None:
        """Set the LoRA's matrices for images (B, 3, h, w) in [0, 1]; what runs next has to be of this batch.

        In float32 whatever autocast says: the sines hardly bear 16 bits, and upstream's ports met NaN there.
        """
        with full_precision(lr.device):
            for part, matrices in zip((self.vae, self.unet), self.matrices(self.degradation(lr)), strict=True):
                set_matrices(part, matrices)

    def guided(self, latent: Tensor, text: Tensor) -> Tensor:
        """Noise (B, 4, h, w) in a latent, by two passes: ``text`` (2, tokens, width) is positive, then negative."""
        positive, negative = (
            self.unet(latent, self.config.step, prompt.expand(len(latent), -1, -1)).float() for prompt in text
        )
        noise: Tensor = negative + self.config.guidance * (positive - negative)
        return noise

    def predict(self, latent: Tensor, text: Tensor) -> Tensor:
        """``guided`` of the whole latent or, where it has more than tile x tile pixels, in tiles."""
        tile, overlap = self.config.tile, self.config.overlap
        if latent.shape[2] * latent.shape[3] <= tile**2:
            return self.guided(latent, text)
        tile = min(tile, *latent.shape[2:])
        overlap = overlap if overlap < tile else tile // 2  # upstream never ends on such narrow images
        return tiled(lambda window: self.guided(window, text), (latent,), tile, overlap)

    def forward(self, lr: Tensor, image: Tensor, ids: Tensor, noise: Tensor | None) -> Tensor:
        """Restore an enlarged image.

        Args:
            lr: (B, 3, h, w) in [0, 1], which the degradation is found on.
            image: (B, 3, H, W) in [-1, 1], H and W multiples of 8.
            ids: (2, tokens), the positive and the negative prompt.
            noise: (B, 4, H/8, W/8) standard normal: a sample of the posterior; None: its mean.
        """
        self.follow(lr)
        text = self.text_encoder(ids)
        latent = self.vae.encode(image, noise).float()
        clean = one_step(latent, self.predict(latent, text), self.config.step)
        return self.vae.decode(clean).clamp(-1, 1)


class Modulator(nn.Module):
    """``forward``: sines of the scores (B, 4 * waves) -> a matrix for each block (B, blocks, rank, rank)."""

    def __init__(self, config: S3DiffConfig, blocks: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.de_mlp = nn.Sequential(nn.Linear(2 * SCORES * config.waves, config.hidden), nn.ReLU())
        self.block_mlp = nn.Sequential(nn.Linear(config.block, config.block), nn.ReLU())
        self.fuse_mlp = nn.Linear(config.hidden + config.block, rank**2)
        self.block_embeddings = nn.Embedding(blocks, config.block)

    def forward(self, waves: Tensor) -> Tensor:
        blocks = self.block_mlp(self.block_embeddings.weight)
        size = (len(waves), len(blocks), -1)
        degradation = self.de_mlp(waves)[:, None].expand(size)
        fused: Tensor = self.fuse_mlp(torch.cat([degradation, blocks.expand(size)], 2))
        return torch.unflatten(fused, 2, (self.rank, self.rank))


class ModulatedLora(Lora):
    """LoRA with a matrix of the image's own between its halves: ``base_layer(x) + scale * lora_B(lora_A(x) @ matrix)``.

    ``matrix`` (B, rank, rank) is set before a batch runs, by ``set_matrices``; the rows of ``lora_A(x)`` are the
    positions. That product stays in float32.

    Args:
        block: which of the network's matrices is this layer's.
    """

    def __init__(self, base: Adaptable, rank: int, scale: float, adapter: str, block: int) -> None:
        super().__init__(base, rank, scale, adapter)
        self.block = block
        self.matrix: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        assert self.matrix is not None, "set_matrices comes first"
        low = self.lora_A[self.adapter](x)
        axes = "bkhw,bkr->brhw" if low.ndim == 4 else "blk,bkr->blr"
        with full_precision(x.device):
            low = torch.einsum(axes, low.float(), self.matrix)
        adapted: Tensor = self.base_layer(x) + self.scale * self.lora_B[self.adapter](low)
        return adapted


def set_matrices(network: nn.Module, matrices: Tensor) -> None:
    """Give each layer its block's matrix, of (B, blocks, rank, rank)."""
    for module in network.modules():
        if isinstance(module, ModulatedLora):
            module.matrix = matrices[:, module.block]


def unet_blocks(unet: UNet) -> dict[str, int]:
    """Block by adapted layer: the stages down, the middle, the stages up, conv_out; 257 layers at full size."""
    levels = len(unet.config.widths)
    first = {"down_blocks": 0, "mid_block": levels, "up_blocks": levels + 1, "conv_out": 2 * levels + 1}
    return {name: first[name.split(".")[0]] + _stage(name) for name in _matching(unet, _UNET_LAYERS)}


def vae_blocks(vae: Vae) -> dict[str, int]:
    """Block by adapted layer of the encoder: the stages down, the middle, conv_in and conv_out; 31 at full size."""
    levels = len(vae.encoder.down_blocks)
    first = {"down_blocks": 0, "mid_block": levels, "conv_in": levels + 1, "conv_out": levels + 1}
    names = [name.removeprefix("encoder.") for name in _matching(vae, _VAE_LAYERS) if name.startswith("encoder.")]
    return {f"encoder.{name}": first[name.split(".")[0]] + _stage(name) for name in names}


def _matching(network: nn.Module, ends: re.Pattern[str]) -> list[str]:
    """Layers whose names end in one of the alternatives."""
    kept = re.compile(rf"(.*\.)?({ends.pattern})")
    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return [name for name in layers if kept.fullmatch(name)]


def _stage(name: str) -> int:
    parts = name.split(".")
    return int(parts[1]) if parts[0].endswith("_blocks") else 0


def _wrap(network: nn.Module, blocks: Mapping[str, int], rank: int, alpha: float, adapter: str) -> None:
    for name, block in blocks.items():
        layer = network.get_submodule(name)
        assert isinstance(layer, Adaptable), name
        network.set_submodule(name, ModulatedLora(layer, rank, alpha / rank, adapter, block))


def load_network(config: S3DiffConfig, weights: Mapping[str, Path] | None) -> S3Diff:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    return built(
        lambda: S3Diff(config, lora=weights is None),
        weights,
        load_official,
        base_name,
    )


def upscaler(network: S3Diff, ids: Tensor, dtype: str) -> Callable[[Tensor], Tensor]:
    """S3Diff's inference path (inference_s3diff.py).

    Each image of a batch gets the same noise, so that no image depends on its neighbours. Images too small to be
    mirrored to 64 pixels, which upstream refuses, are continued by their edge.

    Args:
        ids: (2, tokens), the positive and the negative prompt.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("S3Diff", dtype)
    device, config = next(network.parameters()).device, network.config
    ids = ids.to(device)

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "S3Diff")
        lr = lr.float().to(device)
        height, width = (config.upscale * size for size in lr.shape[2:])
        large = F.interpolate(lr, (height, width), mode="bilinear")
        image = pad_to_multiple((large * 2 - 1).clamp(-1, 1), config.multiple)
        noise = network.vae.noise(image) if config.posterior == "sample" else None
        with reduced(device, dtype):
            sr = network(lr, image, ids, noise)
        sr = sr[..., :height, :width].float() / 2 + 0.5
        return COLOUR_FIXES[config.colour_fix](truncate(sr), truncate(large))

    return upscale
