"""AdcSR's network (AdcSR paper, section 3; upstream model.py and forward.py, rebuilt in plain torch).

LR in [-1, 1] -> PixelUnshuffle(2) -> pruned SD2.1 U-Net -> 256 channels -> half decoder -> SR in [-1, 1].
Removed from SD2.1: VAE encoder, text encoder, cross-attention, time embedding, scheduler step, latent.
No noise and no timestep: deterministic. Skips live in the call, so threads can share one network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.core.precision import check_dtype
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.weights import canonical_name, official_tensors
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.checkpoints.weights import fill
from adcbench.systems.layers.blocks import TransformerBlock
from adcbench.systems.layers.colour import match_statistics
from adcbench.systems.layers.padding import padded
from adcbench.systems.layers.pixels import check_images
from adcbench.systems.layers.precision import guarded, lowered
from adcbench.systems.layers.sd21 import LAST_STEP, UNetConfig, VaeConfig
from adcbench.systems.layers.text_transformer import TextTransformer
from adcbench.systems.layers.unet import Conditioning, LayerKinds, UNet
from adcbench.systems.layers.vae import Encoder

TemporalKind: TypeAlias = Callable[[int], nn.Module]  # channels -> module called with (features, frames of a clip)


def student_unet(config: AdcSRConfig, temporal: TemporalKind | None = None) -> UNet:
    """SD2.1's U-Net as the student has it: (N, 12, H, W) -> (N, 256, H, W), H and W multiples of 8.

    22 residual blocks and 16 transformers; the coarsest level has transformers in the middle block alone. No source
    describes the ablations that keep cross-attention or time embedding. Assumed: both shrink with the U-Net, but the
    text keeps its width; norm2 stays with the cross-attention it belongs to; the time step is the teacher's, 999.

    Args:
        temporal: of the blocks that mix the frames of a clip; None: there are none.
    """
    sizes = UNetConfig(config.unet_width_in, config.unet_widths, config.heads, config.context, config.layers)
    transformer = TransformerBlock if config.text == "none" else partial(TextTransformer, context=config.context)
    kinds = LayerKinds({"attentions": transformer}, timed=config.time_embedding, temporal=temporal)
    return UNet(sizes, kinds, config.unet_width_out)


class VaeSource(nn.Module):
    """The ablation that keeps SD2.1's VAE encoder: LR (N, 3, h, w) in [-1, 1] -> latent (N, 4, h/2, w/2).

    No source describes it. Assumed, after OSEDiff: bicubic enlargement x4, encoder, quant_conv, the mean of
    the posterior times 0.18215 (no sampling), and a conv_in of 4 channels in the U-Net.
    """

    def __init__(self, config: AdcSRConfig) -> None:
        super().__init__()
        self.scale = config.scale
        vae = VaeConfig(widths=config.encoder_widths, layers=config.layers, latent=config.latent_width)
        self.latent_scale = config.latent_scaling
        self.encoder = Encoder(vae)
        self.quant_conv = nn.Conv2d(2 * config.latent_width, 2 * config.latent_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        enlarged = F.interpolate(x, scale_factor=float(self.scale), mode="bicubic")
        moments: Tensor = self.quant_conv(self.encoder(enlarged))
        mean, _ = moments.chunk(2, dim=1)
        return mean * self.latent_scale


class BicubicSource(nn.Module):
    """The ablation that enlarges first: LR (N, 3, h, w) -> (N, 192, h/2, w/2), the enlarged pixels unshuffled.

    No source says which other inputs were tried: this one is assumed, and sees no more than the reference.
    """

    def __init__(self, config: AdcSRConfig) -> None:
        super().__init__()
        self.scale, self.factor = config.scale, config.scale * config.unshuffle

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(F.interpolate(x, scale_factor=float(self.scale), mode="bicubic"), self.factor)


class AdcSR(nn.Module):
    """The student: LR (N, 3, h, w) in [-1, 1] -> SR (N, 3, 4h, 4w) in about [-1, 1]; h, w multiples of 16.

    With ``link="latent"`` the U-Net's 4 channels enter the decoder's own conv_in; assumed: no scheduler step
    and no post_quant_conv between them. ``text`` (N, tokens, context) is for ``text="given"`` alone.

    Args:
        temporal: see ``student_unet``.
    """

    def __init__(self, config: AdcSRConfig, temporal: TemporalKind | None = None) -> None:
        super().__init__()
        self.config = config
        self.source = _source(config)
        self.unet = student_unet(config, temporal)
        self.decoder = HalfDecoder(config, latent=config.link == "latent")
        if config.text == "null":  # filled from the text encoder when training starts
            self.null_text: Tensor
            self.register_buffer("null_text", torch.zeros(1, config.tokens, config.context, device="cpu"))

    def conditioning(self, entering: Tensor, text: Tensor | None = None) -> Conditioning:
        """What the U-Net's layers take besides the features (N, C, h/2, w/2) that enter it: time, text, or nothing.

        Raises:
            AdcbenchError: ``text`` is absent where the config has ``text="given"``.
        """
        return self.unet.conditioning(entering, LAST_STEP, self._text(entering, text))

    def unet_features(self, entering: Tensor, text: Tensor | None = None) -> Tensor:
        """The source's output (N, C, h/2, w/2) -> what the U-Net makes of it (N, 256 or 4, h/2, w/2)."""
        return self.unet.run(entering, self.conditioning(entering, text))

    def features(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        """(N, 256, h/2, w/2) after the decoder's middle block: what distillation compares."""
        return self.decoder.features(self.unet_features(self.source(x), text))

    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        check_size(self.config, x)
        return self.decoder.pixels(self.features(x, text))

    def _text(self, entering: Tensor, text: Tensor | None) -> Tensor | None:
        if self.config.text == "given" and text is None:
            raise AdcbenchError('this AdcSR has text="given": give its text embedding (N, tokens, context) with the LR')
        if self.config.text != "null":
            return text
        return self.null_text.to(entering).expand(len(entering), -1, -1)


def check_size(config: AdcSRConfig, x: Tensor) -> None:
    """Refuse an input (..., h, w) whose sides don't divide by ``config.multiple``. Raises AdcbenchError."""
    if x.shape[-2] % config.multiple or x.shape[-1] % config.multiple:
        size, multiple = tuple(x.shape[-2:]), config.multiple
        raise AdcbenchError(f"AdcSR takes sizes that divide by {multiple}, got {size}: use {padded.__module__}.padded")


def _source(config: AdcSRConfig) -> nn.Module:
    if config.source == "pixels":
        return nn.PixelUnshuffle(config.unshuffle)
    return VaeSource(config) if config.source == "vae" else BicubicSource(config)


def trainable_parameters(network: AdcSR, whole_decoder: bool = False) -> dict[str, nn.Parameter]:
    """What stage 2 trains, marked and by name: all but the decoder behind its middle block, which stays frozen.

    Args:
        whole_decoder: the decoder too (the one-stage ablation).
    """
    tail = ("decoder.up_blocks.", "decoder.conv_norm_out.", "decoder.conv_out.")
    parameters = dict(network.requires_grad_(False).named_parameters())
    trained = {name: p for name, p in parameters.items() if whole_decoder or not name.startswith(tail)}
    for parameter in trained.values():
        parameter.requires_grad_()
    return trained


def load_network(config: AdcSRConfig, weights: Mapping[str, Path] | None) -> AdcSR:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.official_tensors``.
    """
    with torch.device("meta"):
        network = AdcSR(config)
    if weights is None:
        fill_deterministic(network, canonical_name)
    else:
        with torch.device("meta"):
            decoder = HalfDecoder(config, latent=True)
        fill(network, official_tensors(weights, network, decoder))
    return network.eval().requires_grad_(False)


def upscaler(network: AdcSR, dtype: str) -> Callable[[Tensor], Tensor]:
    """AdcSR's inference path (test.py): to [-1, 1], network, whole-image colour match, back.

    Pads any size to a multiple of 16 and crops, so images are matched whole and without their padding. In
    reduced precision norms and colours stay in float32, and an image that overflows is repeated in float32.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    check_dtype("AdcSR", dtype)
    device, config = next(network.parameters()).device, network.config
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 3x3 convolutions are faster
    run = _compiled(network) if config.compiled else network
    if dtype != "float32":
        run = guarded(_reduced(network, getattr(torch, dtype)), run, "AdcSR")

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, "AdcSR")
        x = lr.to(device, torch.float32) * 2 - 1
        sr = padded(run, x, config.multiple, config.scale)
        return match_statistics(sr, x) / 2 + 0.5

    return upscale


def _reduced(network: AdcSR, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    low = lowered(network, dtype)
    run = _compiled(low) if network.config.compiled else low
    return lambda x: run(x.to(dtype))


def _compiled(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Compiled on first use for each input size; on a GPU with CUDA graphs."""
    cuda = next(network.parameters()).is_cuda
    compiled: Callable[[Tensor], Tensor] = torch.compile(network, mode="reduce-overhead" if cuda else "default")
    return lambda x: compiled(x).clone()  # a CUDA graph's output is overwritten by the next call
