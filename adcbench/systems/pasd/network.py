"""PASD's networks (section 3 of the paper; upstream pasd/models/pasd/): plain torch, names of the released files.

- ``PASDUNet``: pixel-aware cross-attention. Every layer of the way up ends with a further transformer, whose
  cross-attention reads one of the ControlNet's outputs in place of text.
- ``DegradationRemoval``: the ControlNet's hint encoder, which also makes a picture at each resolution.
- ``ClipText``: CLIP ViT-L/14's text encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.blocks import conv3x3
from adcbench.systems.layers.controlnet import HINT_WIDTHS, ControlNet, HintEncoder
from adcbench.systems.layers.sd21 import TextConfig, UNetConfig
from adcbench.systems.layers.text_encoder import TextEncoder, TextLayer
from adcbench.systems.layers.text_transformer import TextTransformer
from adcbench.systems.layers.unet import Conditioning, UNet, UpStage
from adcbench.systems.layers.vae import Vae
from adcbench.systems.pasd import PASDConfig
from adcbench.systems.pasd.weights import load_official


class PASD(nn.Module):
    """Stable Diffusion 1.5 with PASD's U-Net and ControlNet.

    ``forward``: latent (B, 4, h, w), step, text (B, tokens, context), image (B, 3, 8h, 8w) RGB in [0, 1]
    -> the noise in the latent.
    """

    def __init__(self, config: PASDConfig) -> None:
        super().__init__()
        self.config = config
        self.vae = Vae(config.vae)
        self.unet = PASDUNet(config.unet)
        self.controlnet = ControlNet(config.unet, hint=DegradationRemoval(config.unet.widths[0]))
        self.text_encoder = ClipText(config.text)

    def forward(self, latent: Tensor, step: Tensor | int, text: Tensor, image: Tensor) -> Tensor:
        sides = [self.config.conditioning * side for side in self.controlnet(latent, step, text, image)]
        noise: Tensor = self.unet(latent, step, text, sides)
        return noise


class PASDUNet(UNet):
    """A U-Net that reads the ControlNet's outputs twice: added to the skips, and by pixel-aware attention.

    ``forward`` as ``UNet``; ``control`` can't be left out.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        sides = list(self.skip_widths)
        for stage, width, heads in zip(self.up_blocks, reversed(config.widths), reversed(config.heads), strict=True):
            count = len(list(stage.get_submodule("resnets").children()))
            readers = [TextTransformer(width, heads, sides.pop(), config.linear) for _ in range(count)]
            stage.add_module("pixel_attentions", nn.ModuleList(readers))

    def run(self, latent: Tensor, conditioning: Conditioning, control: Sequence[Tensor] | None = None) -> Tensor:
        if control is None:
            raise ValueError("PASD's U-Net needs the ControlNet's outputs")
        *sides, middle = control
        skips, x = self.down(self.conv_in(latent), conditioning)
        skips = [skip + side for skip, side in zip(skips, sides, strict=True)]
        x = x + middle
        for stage in self.up_blocks:
            x = _way_up(cast(UpStage, stage), x, skips, sides, conditioning)
        noise: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return noise


def _way_up(stage: UpStage, x: Tensor, skips: list[Tensor], sides: list[Tensor], conditioning: Conditioning) -> Tensor:
    """``UpStage.forward`` with a reader of the sides after each layer; takes skips and sides off the lists' ends."""
    for i, read in enumerate(stage.get_submodule("pixel_attentions").children()):
        x = stage.layer(i, torch.cat([x, skips.pop()], 1), conditioning)
        x = read(x, sides.pop().flatten(2).transpose(1, 2))  # pixels as tokens
    for upsample in stage.upsamplers:
        x = upsample(x, skips[-1].shape[2:])
    return x


class DegradationRemoval(HintEncoder):
    """A hint encoder that is trained to show a clean picture at 1/2, 1/4 and 1/8 of the size.

    ``forward``: (B, 3, 8h, 8w) RGB in [0, 1] -> features (B, width, h, w). It makes the pictures too, as upstream
    does at inference: they count as work, and nobody looks at them.
    """

    def __init__(self, width: int, widths: Sequence[int] = HINT_WIDTHS) -> None:
        super().__init__(width, widths)
        self.to_rgbs = nn.ModuleList([conv3x3(size, 3) for size in widths[1:]])

    def forward(self, image: Tensor) -> Tensor:
        return self.features_and_pictures(image)[0]

    def features_and_pictures(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The features, and the pictures (B, 3, ...) from the largest to the smallest, in [-1, 1] by training."""
        x, pictures = F.silu(self.conv_in(image)), []
        for (same, halve), to_rgb in zip(list(pairwise(self.blocks))[::2], self.to_rgbs, strict=True):
            x = F.silu(halve(F.silu(same(x))))
            pictures.append(to_rgb(x))
        return self.conv_out(x), pictures


class ClipText(TextEncoder):
    """CLIP's own text encoder, which OpenCLIP's differs from in its activation: ids (B, tokens) -> embedding."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__(config)
        layers = nn.ModuleList([ClipLayer(config.width, config.heads) for _ in range(config.layers)])
        self.text_model["encoder"] = nn.ModuleDict({"layers": layers})


class ClipLayer(TextLayer):
    """A layer with CLIP's approximate GELU, x sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        hidden = self.mlp["fc1"](self.layer_norm2(x))
        change: Tensor = self.mlp["fc2"](hidden * torch.sigmoid(1.702 * hidden))
        return x + change


def load_network(config: PASDConfig, weights: Mapping[str, Path] | None) -> PASD:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    return built(lambda: PASD(config), weights, load_official)
