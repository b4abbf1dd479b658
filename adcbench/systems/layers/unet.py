"""The U-Net of the Stable Diffusion family, in plain torch with the parameter names of diffusers.

Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (CVPR 2022), section 3.
Certified against diffusers' UNet2DConditionModel by ``tests/systems/layers/test_sd21.py``; ``sd21`` says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import Downsample, ResBlock, conv3x3, group_norm
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.layers.text_transformer import TextTransformer

_EPS = 1e-5  # of the residual blocks' and the last norm
_TEMPORAL = "temporal"  # name of a temporal block, inside the block that it follows
Contexts: TypeAlias = "Sequence[Any]"  # what each transformer of a layer attends to, in their order


def residual_block(width_in: int, width: int, time: int) -> ResBlock:
    """A residual block that a time embedding of width ``time`` shifts; 0: none does."""
    return ResBlock(width_in, width, _EPS, time)


class Conditioning(NamedTuple):
    """What the layers of a U-Net take besides features.

    Args:
        time: of the residual blocks: the time embedding (N, 4 * widths[0]); None where they have none.
        contexts: one for each of the kinds' transformers: (N, tokens, context); None where they read nothing.
        frames: of the temporal blocks: T, where the batch is N = B * T frames, those of a clip in a row.
    """

    time: Any
    contexts: Contexts
    frames: int = 1


@dataclass(frozen=True)
class LayerKinds:
    """What a U-Net's layers are made of.

    Args:
        transformers: name of the stages' list -> (channels, heads) -> module called with (x, context); each
            layer runs them in this order, each with its own context.
        resblock: (channels in, channels out, width of the time embedding or 0) -> module called with (x, time).
        timed: the residual blocks read a time embedding; false: the U-Net has none.
        temporal: (channels) -> module called with (x, frames); one follows each residual block and each transformer.
            None: frames don't mix.
    """

    transformers: Mapping[str, Callable[[int, int], nn.Module]]
    resblock: Callable[[int, int, int], nn.Module] = residual_block
    timed: bool = True
    temporal: Callable[[int], nn.Module] | None = None


def stable_diffusion_layers(config: UNetConfig) -> LayerKinds:
    """Residual blocks shifted by the time, and one transformer that reads the text."""
    return LayerKinds({"attentions": partial(TextTransformer, context=config.context, linear=config.linear)})


class UNetHalf(nn.Module):
    """The way down and the middle: all of a ControlNet but its outputs, and the first half of a U-Net.

    Args:
        kinds: what its layers are made of; None: ``stable_diffusion_layers``.
    """

    def __init__(self, config: UNetConfig, kinds: LayerKinds | None = None) -> None:
        super().__init__()
        self.config = config
        self.kinds = kinds or stable_diffusion_layers(config)
        widths, lowest = config.widths, len(config.widths) - 1
        self.time_width = 4 * widths[0] if self.kinds.timed else 0
        if self.kinds.timed:
            self.time_embedding = TimeEmbedding(widths[0], self.time_width)
        self.conv_in = conv3x3(config.channels, widths[0])
        self.skip_widths = [widths[0]]  # channels of every feature map that the way up takes back
        self.down_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            inputs = [self.skip_widths[-1]] + [width] * (config.layers - 1)
            heads = config.heads[i] if i < lowest else 0
            self.down_blocks.append(DownStage(inputs, width, self.time_width, heads, self.kinds, halve=i < lowest))
            self.skip_widths += [width] * (config.layers + (i < lowest))
        self.mid_block = MidStage(widths[-1], self.time_width, config.heads[-1], self.kinds)

    def embed(self, step: Tensor | int, like: Tensor) -> Tensor:
        """The time embedding (N, 4 * widths[0]) of a step, for a batch with the size and type of ``like``."""
        steps = torch.as_tensor(step, device=like.device).expand(len(like))
        time: Tensor = self.time_embedding(sinusoid(steps, self.config.widths[0]).to(like.dtype))
        return time

    def conditioning(self, like: Tensor, step: Tensor | int, text: Tensor | Contexts | None) -> Conditioning:
        """What the layers take: the embedding of a step (if this U-Net is timed), and a context for each transformer.

        Args:
            like: the batch, for its size and type.
            step: 0-999, int or (N,).
            text: (N, tokens, context), or a sequence with one context for each of the kinds' transformers; None
                where they read nothing.
        """
        contexts = (text,) if text is None or isinstance(text, Tensor) else text
        return Conditioning(self.embed(step, like) if self.kinds.timed else None, contexts)

    def down(self, x: Tensor, conditioning: Conditioning) -> tuple[list[Tensor], Tensor]:
        """Features after ``conv_in`` -> every feature map on the way down, ``x`` first, and the middle's output."""
        skips = [x]
        for stage in self.down_blocks:
            skips += stage(skips[-1], conditioning)
        return skips, self.mid_block(skips[-1], conditioning)


class UNet(UNetHalf):
    """Predicts the noise in a latent.

    ``forward``: latent (N, 4, h, w), any h and w; time step (int or (N,) tensor, 0-999); text embedding
    (N, tokens, context), or a sequence with one context for each of the kinds' transformers -> (N, 4, h, w).
    ``control`` are a ControlNet's outputs, added to the skips and, the last one, to the middle.

    Args:
        width_out: channels that leave it; None: as many as enter (``config.channels``).
    """

    def __init__(self, config: UNetConfig, kinds: LayerKinds | None = None, width_out: int | None = None) -> None:
        super().__init__(config, kinds)
        widths, lowest, skips = config.widths, len(config.widths) - 1, list(self.skip_widths)
        width = widths[-1]
        self.up_blocks = nn.ModuleList()
        for i, out in reversed(list(enumerate(widths))):
            inputs = [width + skips.pop()] + [out + skips.pop() for _ in range(config.layers)]
            heads = config.heads[i] if i < lowest else 0
            self.up_blocks.append(UpStage(inputs, out, self.time_width, heads, self.kinds, double=i > 0))
            width = out
        self.conv_norm_out = group_norm(width, _EPS)
        self.conv_out = conv3x3(width, width_out or config.channels)

    def forward(
        self,
        latent: Tensor,
        step: Tensor | int,
        text: Tensor | Contexts | None,
        control: Sequence[Tensor] | None = None,
    ) -> Tensor:
        return self.run(latent, self.conditioning(latent, step, text), control)

    def run(self, latent: Tensor, conditioning: Conditioning, control: Sequence[Tensor] | None = None) -> Tensor:
        """As ``forward``, with what the layers take in place of the step and the text."""
        skips, x = self.down(self.conv_in(latent), conditioning)
        if control is not None:
            *sides, middle = control
            skips = [skip + side for skip, side in zip(skips, sides, strict=True)]
            x = x + middle
        for stage in self.up_blocks:
            x = stage(x, skips, conditioning)
        noise: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return noise


class Stage(nn.Module):
    """Residual blocks of one resolution, the first ``transformers`` of them followed by transformers.

    Args:
        inputs: channels that each residual block takes.
        heads: attention heads of the transformers.
    """

    def __init__(
        self, inputs: Sequence[int], width: int, time: int, heads: int, kinds: LayerKinds, transformers: int
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([kinds.resblock(size, width, time) for size in inputs])
        self.lists = tuple(kinds.transformers)
        for name, make in kinds.transformers.items():
            self.add_module(name, nn.ModuleList([make(width, heads) for _ in range(transformers)]))
        self.temporal = kinds.temporal is not None
        if kinds.temporal is not None:
            for block in [block for blocks in self.children() for block in blocks.children()]:
                block.add_module(_TEMPORAL, kinds.temporal(width))

    def layer(self, i: int, x: Tensor, conditioning: Conditioning) -> Tensor:
        """One layer: (N, inputs[i], h, w) -> (N, width, h, w)."""
        x = self._run(self.resnets[i], x, conditioning.time, conditioning.frames)
        for name, context in zip(self.lists, conditioning.contexts, strict=True):
            transformers: nn.ModuleList = getattr(self, name)
            if i < len(transformers):  # some layers have none
                x = self._run(transformers[i], x, context, conditioning.frames)
        return x

    def _run(self, block: nn.Module, x: Tensor, given: Any, frames: int) -> Tensor:
        """A block, and the temporal block that follows it."""
        x = block(x, given)
        return block.get_submodule(_TEMPORAL)(x, frames) if self.temporal else x


class DownStage(Stage):
    """A stage on the way down; it gives back every layer's output, and the halved one last."""

    def __init__(
        self, inputs: Sequence[int], width: int, time: int, heads: int, kinds: LayerKinds, halve: bool
    ) -> None:
        super().__init__(inputs, width, time, heads, kinds, len(inputs) if heads else 0)
        self.downsamplers = nn.ModuleList([Downsample(width)] if halve else [])

    def forward(self, x: Tensor, conditioning: Conditioning) -> list[Tensor]:
        outputs = []
        for i in range(len(self.resnets)):
            x = self.layer(i, x, conditioning)
            outputs.append(x)
        return outputs + [downsample(x) for downsample in self.downsamplers]


class MidStage(Stage):
    """The coarsest resolution: residual block, transformers, residual block."""

    def __init__(self, width: int, time: int, heads: int, kinds: LayerKinds) -> None:
        super().__init__([width] * 2, width, time, heads, kinds, transformers=1)

    def forward(self, x: Tensor, conditioning: Conditioning) -> Tensor:
        return self.layer(1, self.layer(0, x, conditioning), conditioning)


class UpStage(Stage):
    """A stage on the way up; it takes its skips off the end of the caller's list."""

    def __init__(
        self, inputs: Sequence[int], width: int, time: int, heads: int, kinds: LayerKinds, double: bool
    ) -> None:
        super().__init__(inputs, width, time, heads, kinds, len(inputs) if heads else 0)
        self.upsamplers = nn.ModuleList([UpsampleTo(width)] if double else [])

    def forward(self, x: Tensor, skips: list[Tensor], conditioning: Conditioning) -> Tensor:
        for i in range(len(self.resnets)):
            x = self.layer(i, torch.cat([x, skips.pop()], 1), conditioning)
        for upsample in self.upsamplers:
            x = upsample(x, skips[-1].shape[2:])  # odd sizes come back as they were
        return x


class UpsampleTo(nn.Module):
    """Nearest-neighbour to a given size, then a convolution: (N, width, h, w) -> (N, width, *size)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = conv3x3(width, width)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        upsampled: Tensor = self.conv(F.interpolate(x, size, mode="nearest"))
        return upsampled


class TimeEmbedding(nn.Module):
    """(N, width) sinusoid -> (N, time)."""

    def __init__(self, width: int, time: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, time)
        self.linear_2 = nn.Linear(time, time)

    def forward(self, x: Tensor) -> Tensor:
        embedding: Tensor = self.linear_2(F.silu(self.linear_1(x)))
        return embedding


def sinusoid(steps: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of the steps at ``width / 2`` wavelengths up to 10000: (N,) -> (N, width)."""
    half = width // 2
    rates = torch.exp(-math.log(10000) / half * torch.arange(half, device=steps.device))
    angles = steps[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], 1)
