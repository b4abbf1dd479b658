"""AdcVSR's student: AdcSR run frame by frame, with temporal residual blocks inside its U-Net.

After each of the 22 residual blocks and 16 transformers stands a 1D block along time (AdcVSR, section 3.2
and figure 2). That placement is inferred from the printed 0.57 B, which only it reaches.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr.network import AdcSR, check_size
from adcbench.systems.adcvsr import AdcVSRConfig
from adcbench.systems.layers.blocks import Block


class TemporalBlock(Block):
    """Conv1d, ReLU, Conv1d along time at each pixel, with a skip: (B*frames, width, h, w) -> the same shape.

    Both convolutions keep the width and pad with zeros; not causal. The last starts at zero, so that a new
    block changes nothing (zeroing both, another reading of the paper, would stop all gradients but one bias).
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        nn.init.zeros_(self.conv2.weight)
        if self.conv2.bias is not None:
            nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        channels, height, width = x.shape[1:]
        clip = x.reshape(-1, frames, channels, height, width)
        lines = clip.permute(0, 3, 4, 2, 1).flatten(0, 2)  # (B*h*w, channels, frames)
        lines = self.conv2(F.relu(self.conv1(lines)))
        change: Tensor = lines.reshape(-1, height, width, channels, frames).permute(0, 4, 3, 1, 2)
        return x + change.flatten(0, 1)


class AdcVSR(nn.Module):
    """The video student: LR (B, T, 3, h, w) in [-1, 1] -> SR (B, T, 3, 4h, 4w); h, w multiples of 16.

    ``image`` is the 2D network, so an AdcSR checkpoint loads into it: all it lacks are ``temporal`` tensors.
    ``text`` (B, T, tokens, context) is for an image network with ``text="given"`` alone.
    """

    def __init__(self, config: AdcVSRConfig) -> None:
        super().__init__()
        self.config = config
        self.image = AdcSR(config.image, partial(TemporalBlock, kernel=config.kernel) if config.temporal else None)

    def features(self, clip: Tensor, text: Tensor | None = None) -> Tensor:
        """(B, T, 256, h/2, w/2) after the decoder's middle block: what distillation compares."""
        image, frames = self.image, clip.shape[1]
        entering = image.source(clip.flatten(0, 1))
        conditioning = image.conditioning(entering, None if text is None else text.flatten(0, 1))
        leaving = image.unet.run(entering, conditioning._replace(frames=frames))
        return torch.unflatten(image.decoder.features(leaving), 0, (-1, frames))

    def forward(self, clip: Tensor, text: Tensor | None = None) -> Tensor:
        if clip.ndim != 5 or clip.shape[2] != 3:
            raise AdcbenchError(f"AdcVSR takes clips (B, T, 3, h, w); got a tensor of shape {tuple(clip.shape)}")
        check_size(self.config.image, clip)
        frames = self.image.decoder.pixels(self.features(clip, text).flatten(0, 1))
        return torch.unflatten(frames, 0, (-1, clip.shape[1]))
