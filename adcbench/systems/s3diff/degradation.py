"""The network that scores an image's blur and noise: MM-RealSR's DEResNet (upstream de_net.py), names as there.

Mou et al., "Metric Learning based Interactive Modulation for Real-World Super-Resolution" (ECCV 2022).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import conv3x3
from adcbench.systems.s3diff import DegradationConfig

SCORES = 2  # blur and noise, each with a network of its own


class DegradationNet(nn.Module):
    """``forward``: (B, 3, h, w) RGB in [0, 1], any h and w -> (B, 2) scores in (0, 1)."""

    def __init__(self, config: DegradationConfig) -> None:
        super().__init__()
        widths = config.widths
        self.conv_first = nn.ModuleList(conv3x3(3, widths[0]) for _ in range(SCORES))
        self.body = nn.ModuleList(_body(config) for _ in range(SCORES))
        self.fc_degree = nn.ModuleList(
            nn.Sequential(nn.Linear(widths[-1], config.hidden), nn.ReLU(), nn.Linear(config.hidden, 1), nn.Sigmoid())
            for _ in range(SCORES)
        )

    def forward(self, image: Tensor) -> Tensor:
        branches = zip(self.conv_first, self.body, self.fc_degree, strict=True)
        return torch.cat([score(body(first(image)).mean((2, 3))) for first, body, score in branches], 1)


class PlainBlock(nn.Module):
    """Residual block without norms: (B, width, h, w) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(width, width)
        self.conv2 = conv3x3(width, width)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + change


def _body(config: DegradationConfig) -> nn.Sequential:
    """Stages of residual blocks; a convolution after a stage where the width changes or the size is halved."""
    layers: list[nn.Module] = []
    widths = config.widths
    for width, after, blocks, stride in zip(
        widths, (*widths[1:], widths[-1]), config.blocks, config.strides, strict=True
    ):
        layers += [PlainBlock(width) for _ in range(blocks)]
        if stride > 1 or after != width:
            layers.append(conv3x3(width, after, stride))
    return nn.Sequential(*layers)
