"""SeeSR's networks and inference path (SeeSR section 3; upstream test_seesr.py, pipelines/pipeline_seesr.py).

LR -> DAPE -> tags and embedding. LR -> bicubic x4 -> hint of the ControlNet, and VAE encoder -> latent, noised to
step 999 -> DDPM steps, each with the prompt and with the negative prompt -> VAE decoder -> colour fix. DAPE sees
the LR image itself. Its embedding goes to both passes: only the text differs between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.colour import COLOUR_FIXES
from adcbench.systems.layers.controlnet import ControlNet, HintEncoder
from adcbench.systems.layers.pixels import check_images, enlarge_in_levels, resized, shared_noise
from adcbench.systems.layers.precision import reduced
from adcbench.systems.layers.sd21 import LAST_STEP, alpha_bar, one_step
from adcbench.systems.layers.stepping import steps
from adcbench.systems.layers.tagger import Tagger, load_tagger
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.text_transformer import TextTransformer
from adcbench.systems.layers.tiling import tiled
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.layers.unet import LayerKinds, UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.seesr import SeeSRConfig
from adcbench.systems.seesr.weights import load_official

_MULTIPLE = 8  # pixels a latent stands for


class SeeSR(nn.Module):
    """Stable Diffusion 2-base with image attentions, and the ControlNet with the same. The tagger stands apart."""

    def __init__(self, config: SeeSRConfig) -> None:
        super().__init__()
        self.config = config
        unet, kinds = config.base.unet, layer_kinds(config)
        self.vae = Vae(config.base.vae)
        self.text_encoder = TextEncoder(config.base.text)
        self.controlnet = ControlNet(unet, kinds, HintEncoder(unet.widths[0]))
        self.unet = UNet(unet, kinds)

    def noise(self, latent: Tensor, hint: Tensor, step: int, text: Tensor, embeds: Tensor) -> Tensor:
        """The noise in a latent (B, 4, h, w), the same shape.

        Args:
            hint: (B, 3, 8h, 8w), the enlarged input in [0, 1].
            text: (B, tokens, context) from the text encoder.
            embeds: (B, 1 + tokens, embed) from the tagger.
        """
        contexts, scale = (text, embeds), self.config.conditioning_scale
        control = [side * scale for side in self.controlnet(latent, step, contexts, hint)]
        noise: Tensor = self.unet(latent, step, contexts, control)
        return noise


def layer_kinds(config: SeeSRConfig) -> LayerKinds:
    """Stable Diffusion's layers, each with a second transformer that reads the tagger's embedding."""
    read = partial(TextTransformer, linear=config.base.unet.linear)
    return LayerKinds(
        {
            "attentions": partial(read, context=config.base.unet.context),
            "image_attentions": partial(read, context=config.tagger.embed),
        }
    )


@dataclass(frozen=True)
class Networks:
    """All that one image needs."""

    seesr: SeeSR
    tagger: Tagger
    tokenize: Callable[[Sequence[str]], Tensor]

    def to(self, device: str) -> Self:
        self.seesr.to(device)
        self.tagger.to(device)
        return self


def load_networks(config: SeeSRConfig, weights: Mapping[str, Path] | None) -> Networks:
    """The networks on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``, ``tagger.load_tagger`` and ``tokenizer.load_tokenizer``.
    """
    tagger = load_tagger(config.tagger, weights)
    return Networks(load_seesr(config, weights), tagger, load_tokenizer(weights, config.base.text.tokens))


def load_seesr(config: SeeSRConfig, weights: Mapping[str, Path] | None) -> SeeSR:
    """``load_networks`` without tagger and tokenizer."""
    return built(lambda: SeeSR(config), weights, load_official)


def upscaler(networks: Networks, dtype: str) -> Callable[[Tensor], Tensor]:
    """SeeSR's inference path (test_seesr.py) on 8-bit images.

    Sizes: an input whose short side is under ``process_size / upscale`` is enlarged first, the enlarged image is cut
    down to multiples of 8, and the output is resized to ``upscale`` times the input, all as upstream.

    Upstream converts everything to float16; here ``dtype`` is autocast's, the tagger, the latent between steps and
    the guidance stay float32. Each image of a batch gets the same noise, so that no image depends on its neighbours.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("SeeSR", dtype)
    network, config = networks.seesr, networks.seesr.config
    device = next(network.parameters()).device

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "SeeSR")
        lr = lr.float().clamp(0, 1)
        large = torch.stack([enlarge(image, config) for image in lr.cpu()]).to(device)
        embeds, tags = look(networks.tagger, lr.to(device))
        ids = networks.tokenize(prompts(tags, config))
        with reduced(device, dtype):
            text = network.text_encoder(ids.to(device))
            sr = network.vae.decode(restore(network, large, text, embeds))
        sr = to_levels((sr.float() / 2 + 0.5).clamp(0, 1))
        sr = COLOUR_FIXES[config.colour_fix](sr, large).clamp(0, 1)
        return resized(sr, [config.upscale * side for side in lr.shape[2:]]).clamp(0, 1)

    return upscale


def look(tagger: Tagger, lr: Tensor) -> tuple[Tensor, list[str]]:
    """Embedding (B, 1 + tokens, embed) and tags of each image (B, 3, h, w) in [0, 1].

    One by one, so that no neighbour's rounding moves a tag over its threshold. Upstream encodes an image twice,
    once for each; the results are the same.
    """
    embeds = [tagger.embeds(image[None]) for image in lr]
    return torch.cat(embeds), [tagger.tags(embed)[0] for embed in embeds]


def restore(network: SeeSR, large: Tensor, text: Tensor, embeds: Tensor) -> Tensor:
    """The restored latent (B, 4, H/8, W/8) of enlarged images.

    Args:
        large: (B, 3, H, W) in [0, 1], H and W multiples of 8.
        text: embeddings of ``prompts``: (2B, tokens, context) with guidance, the negative prompts first.
        embeds: (B, 1 + tokens, embed).
    """
    config = network.config
    passes = len(text) // len(large)
    hint, embeds = torch.cat([large] * passes), torch.cat([embeds] * passes)
    latent = start(network, large)
    for step in steps(time_steps(config.steps), "SeeSR"):
        predict = partial(_predict, network, step, text, embeds)
        tensors, tile = (torch.cat([latent] * passes), hint), config.tile
        whole = latent.shape[2] * latent.shape[3] <= tile**2
        noise = (predict(*tensors) if whole else tiled(predict, tensors, tile, config.overlap)).float()
        if passes > 1:
            without, wanted = noise.chunk(2)
            noise = without + config.guidance * (wanted - without)
        latent = ddpm_step(latent, noise, shared_noise(latent), step, step - step_width(config.steps))
    return latent


def _predict(network: SeeSR, step: int, text: Tensor, embeds: Tensor, latent: Tensor, hint: Tensor) -> Tensor:
    return network.noise(latent, hint, step, text, embeds)


def start(network: SeeSR, large: Tensor) -> Tensor:
    """Where diffusion starts: noise, or the images' latents noised to ``start_step``. float32 (B, 4, H/8, W/8)."""
    config = network.config
    batch, _, height, width = large.shape
    shape = (batch, config.base.vae.latent, height // _MULTIPLE, width // _MULTIPLE)
    noise = shared_noise(large.new_empty(shape))
    if config.start_point == "noise":
        return noise
    latent = network.vae.encode(large * 2 - 1, shared_noise(noise)).float()
    signal = alpha_bar(config.start_step)
    return math.sqrt(signal) * latent + math.sqrt(1 - signal) * noise


def step_width(count: int) -> int:
    """Training steps between two of ``count`` steps."""
    return (LAST_STEP + 1) // count


def time_steps(count: int) -> list[int]:
    """diffusers' ``leading`` spacing with SD2-base's ``steps_offset`` of 1: 981, 961, ..., 1 for 50."""
    return [1 + i * step_width(count) for i in reversed(range(count))]


def ddpm_step(latent: Tensor, noise: Tensor, fresh: Tensor, step: int, previous: int) -> Tensor:
    """One ancestral step (Ho et al. 2020, equation 7): diffusers' DDPMScheduler, epsilon, ``fixed_small``, no clipping.

    Args:
        latent: at ``step``; any shape.
        noise: predicted in it.
        fresh: standard normal noise to add.
        previous: the step to arrive at; below 0 for the clean latent, where nothing is added.
    """
    signal, signal_there = alpha_bar(step), alpha_bar(previous) if previous >= 0 else 1.0
    kept = signal / signal_there
    from_clean = math.sqrt(signal_there) * (1 - kept) / (1 - signal)
    from_latent = math.sqrt(kept) * (1 - signal_there) / (1 - signal)
    deviation = math.sqrt((1 - signal_there) / (1 - signal) * (1 - kept))
    return from_clean * one_step(latent, noise, step) + from_latent * latent + deviation * fresh


def prompts(tags: Sequence[str], config: SeeSRConfig) -> list[str]:
    """The texts of a batch: with guidance the negative prompt for each image first; then tags and fixed texts."""
    wanted = [f"{tag_list}, {config.prompt},{config.added_prompt}" for tag_list in tags]
    return [config.negative_prompt] * len(wanted) * (config.guidance > 1) + wanted


def enlarge(image: Tensor, config: SeeSRConfig) -> Tensor:
    """(3, h, w) float in [0, 1] -> (3, H, W), H and W multiples of 8, enlarged by Pillow's bicubic in 8 bits."""
    smallest = config.process_size // config.upscale
    return enlarge_in_levels(image, config.upscale, smallest, Image.Resampling.BICUBIC)


def to_levels(image: Tensor) -> Tensor:
    """Float in [0, 1] rounded to 8-bit levels, as diffusers' postprocessing does before the colour fix."""
    return (image * 255).round() / 255
