"""AdcSR's network (AdcSR paper, section 3; upstream model.py and forward.py, rebuilt in plain torch).

LR in [-1, 1] -> PixelUnshuffle(2) -> pruned SD2.1 UNet -> 256 channels -> half decoder -> SR in [-1, 1].
Removed from SD2.1: VAE encoder, text encoder, cross-attention, time embedding, scheduler step, latent.
No noise and no timestep: deterministic. Skips live in the call, so threads can share one network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.core.precision import check_dtype
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.kept import KeptUNet
from adcbench.systems.adcsr.weights import canonical_name, official_tensors
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.checkpoints.weights import fill
from adcbench.systems.layers.blocks import Downsample, ResBlock, TransformerBlock, Upsample, conv3x3, group_norm
from adcbench.systems.layers.colour import match_statistics
from adcbench.systems.layers.padding import padded
from adcbench.systems.layers.pixels import check_images
from adcbench.systems.layers.precision import guarded, lowered
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.systems.layers.vae import Encoder

_EPS = 1e-5  # of the ResBlocks' and the last norm


class DownBlock(nn.Module):
    """ResBlocks, each with a transformer unless ``heads`` is 0, then half the resolution unless it is last."""

    def __init__(self, width_in: int, width: int, layers: int, heads: int, down: bool) -> None:
        super().__init__()
        widths_in = [width_in] + [width] * (layers - 1)
        self.resnets = nn.ModuleList(ResBlock(w, width, _EPS) for w in widths_in)
        self.attentions = nn.ModuleList(TransformerBlock(width, heads) for _ in widths_in if heads)
        self.downsamplers = nn.ModuleList([Downsample(width)] if down else [])

    def forward(self, x: Tensor, frames: int) -> list[Tensor]:
        """(N, width_in, h, w) -> what each layer puts out; the last is also the block's output."""
        outputs = []
        for i, resnet in enumerate(self.resnets):
            x = resnet(x, frames)
            if self.attentions:
                x = self.attentions[i](x, frames)
            outputs.append(x)
        return outputs + [downsampler(x) for downsampler in self.downsamplers]


class MidBlock(nn.Module):
    """ResBlock, transformer, ResBlock at the coarsest resolution."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResBlock(width, width, _EPS) for _ in range(2))
        self.attentions = nn.ModuleList([TransformerBlock(width, heads)])

    def forward(self, x: Tensor, frames: int) -> Tensor:
        x = self.resnets[0](x, frames)
        x = self.attentions[0](x, frames)
        out: Tensor = self.resnets[1](x, frames)
        return out


class UpBlock(nn.Module):
    """ResBlocks on the input joined with one skip each, then twice the resolution (except the last)."""

    def __init__(self, widths_in: list[int], width: int, heads: int, up: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResBlock(w, width, _EPS) for w in widths_in)
        self.attentions = nn.ModuleList(TransformerBlock(width, heads) for _ in widths_in if heads)
        self.upsamplers = nn.ModuleList([Upsample(width)] if up else [])

    def forward(self, x: Tensor, skips: list[Tensor], frames: int) -> Tensor:
        """Takes its skips off the end of ``skips``, a list of the caller's own."""
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat((x, skips.pop()), 1), frames)
            if self.attentions:
                x = self.attentions[i](x, frames)
        for upsampler in self.upsamplers:
            x = upsampler(x)
        return x


class PrunedUNet(nn.Module):
    """SD2.1's UNet at 75 % of its width: (N, 12, H, W) -> (N, 256, H, W), H and W multiples of 8.

    22 ResBlocks and 16 transformer blocks; the coarsest level has transformers in the middle block alone.
    """

    def __init__(self, config: AdcSRConfig) -> None:
        super().__init__()
        widths, last = config.unet_widths, len(config.unet_widths) - 1
        heads = [*config.heads[:last], 0]
        self.conv_in = conv3x3(config.unet_width_in, widths[0])
        self.down_blocks = nn.ModuleList(
            DownBlock(widths[max(i - 1, 0)], widths[i], config.layers, heads[i], down=i < last) for i in range(last + 1)
        )
        self.mid_block = MidBlock(widths[-1], config.heads[-1])
        self.up_blocks = nn.ModuleList()
        skips, width = skip_widths(config), widths[-1]
        for i in reversed(range(last + 1)):
            widths_in = [w + skips.pop() for w in (width, *[widths[i]] * config.layers)]
            self.up_blocks.append(UpBlock(widths_in, widths[i], heads[i], up=i > 0))
            width = widths[i]
        self.conv_norm_out = group_norm(widths[0], _EPS)
        self.conv_out = conv3x3(widths[0], config.unet_width_out)

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            skips += block(skips[-1], frames)
        x = self.mid_block(skips[-1], frames)
        for block in self.up_blocks:
            x = block(x, skips, frames)
        out: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return out


def skip_widths(config: AdcSRConfig) -> list[int]:
    """Widths of the skips in the order they are made: conv_in, then every layer and downsampler."""
    widths = config.unet_widths
    skips = [widths[0]]
    for i, width in enumerate(widths):
        skips += [width] * (config.layers + (i < len(widths) - 1))
    return skips


class VaeSource(nn.Module):
    """The ablation that keeps SD2.1's VAE encoder: LR (N, 3, h, w) in [-1, 1] -> latent (N, 4, h/2, w/2).

    No source describes it. Assumed, after OSEDiff: bicubic enlargement x4, encoder, quant_conv, the mean of
    the posterior times 0.18215 (no sampling), and a conv_in of 4 channels in the UNet.
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

    With ``link="latent"`` the UNet's 4 channels enter the decoder's own conv_in; assumed: no scheduler step
    and no post_quant_conv between them. ``frames`` are AdcVSR's; ``text`` (N, tokens, context) is for
    ``text="given"`` alone.
    """

    def __init__(self, config: AdcSRConfig) -> None:
        super().__init__()
        self.config = config
        self.source = _source(config)
        plain = config.text == "none" and not config.time_embedding
        self.unet: PrunedUNet | KeptUNet = PrunedUNet(config) if plain else KeptUNet(config)
        self.decoder = HalfDecoder(config, latent=config.link == "latent")
        if config.text == "null":  # filled from the text encoder when training starts
            self.null_text: Tensor
            self.register_buffer("null_text", torch.zeros(1, config.tokens, config.context, device="cpu"))

    def features(self, x: Tensor, frames: int = 1, text: Tensor | None = None) -> Tensor:
        """(N, 256, h/2, w/2) after the decoder's middle block: what distillation compares."""
        entering = self.source(x)
        if isinstance(self.unet, PrunedUNet):
            return self.decoder.features(self.unet(entering, frames))
        return self.decoder.features(self.unet(entering, self._text(entering, text), frames))

    def forward(self, x: Tensor, frames: int = 1, text: Tensor | None = None) -> Tensor:
        if x.shape[-2] % self.config.multiple or x.shape[-1] % self.config.multiple:
            size, multiple = tuple(x.shape[-2:]), self.config.multiple
            raise AdcbenchError(f"AdcSR takes sizes that divide by {multiple}, got {size}: use models.padding.padded")
        return self.decoder.pixels(self.features(x, frames, text))

    def _text(self, entering: Tensor, text: Tensor | None) -> Tensor | None:
        if self.config.text == "given" and text is None:
            raise AdcbenchError('this AdcSR has text="given": give its text embedding (N, tokens, context) with the LR')
        if self.config.text != "null":
            return text
        return self.null_text.to(entering).expand(len(entering), -1, -1)


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
