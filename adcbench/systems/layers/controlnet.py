"""ControlNet: a copy of the U-Net's first half whose outputs are added to the U-Net's skips.

Zhang et al., "Adding Conditional Control to Text-to-Image Diffusion Models" (ICCV 2023); parameter names of
diffusers' ControlNetModel.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import conv3x3
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.layers.unet import Contexts, LayerKinds, UNetHalf

HINT_WIDTHS = (16, 32, 96, 256)


class ControlNet(UNetHalf):
    """``forward``: latent (B, channels, h, w), step, contexts -> one output for each skip, and the middle's last.

    Args:
        hint: its output is added after ``conv_in``, under the name ``controlnet_cond_embedding``; None where
            the condition enters as further channels of the latent.
    """

    def __init__(self, config: UNetConfig, kinds: LayerKinds | None = None, hint: nn.Module | None = None) -> None:
        super().__init__(config, kinds)
        if hint is not None:
            self.controlnet_cond_embedding = hint
        self.controlnet_down_blocks = nn.ModuleList([nn.Conv2d(width, width, 1) for width in self.skip_widths])
        self.controlnet_mid_block = nn.Conv2d(config.widths[-1], config.widths[-1], 1)

    def forward(
        self, latent: Tensor, step: Tensor | int, text: Tensor | Contexts, hint: Tensor | None = None
    ) -> list[Tensor]:
        """``hint`` (B, 3, 8h, 8w) is the image that a ControlNet with a hint encoder follows."""
        x = self.conv_in(latent)
        if hint is not None:
            x = x + self.controlnet_cond_embedding(hint)
        skips, middle = self.down(x, self.conditioning(latent, step, text))
        sides = [conv(skip) for conv, skip in zip(self.controlnet_down_blocks, skips, strict=True)]
        return [*sides, self.controlnet_mid_block(middle)]


class HintEncoder(nn.Module):
    """Convolutions from an image to the U-Net's first features: (B, 3, 8h, 8w) -> (B, width, h, w)."""

    def __init__(self, width: int, widths: Sequence[int] = HINT_WIDTHS) -> None:
        super().__init__()
        self.conv_in = conv3x3(3, widths[0])
        pairs = pairwise(widths)
        self.blocks = nn.ModuleList([conv for a, b in pairs for conv in (conv3x3(a, a), conv3x3(a, b, stride=2))])
        self.conv_out = conv3x3(widths[-1], width)

    def forward(self, image: Tensor) -> Tensor:
        x = F.silu(self.conv_in(image))
        for conv in self.blocks:
            x = F.silu(conv(x))
        features: Tensor = self.conv_out(x)
        return features
