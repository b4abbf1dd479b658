"""A patch discriminator (Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017).

As latent-diffusion has it (taming-transformers' NLayerDiscriminator), with one deviation: GroupNorm in place of
BatchNorm, so that a step doesn't depend on how its batch is split over micro-batches and processes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.layers.blocks import group_norm

IMAGE_LAYERS = 3  # patches of 70 x 70 pixels
FEATURE_LAYERS = 1  # of 16 x 16 features, 128 x 128 pixels: the nearest to that
_STD = 0.02
_WIDEST = 8  # times the first layer's width


class PatchDiscriminator(nn.Module):
    """``forward``: (B, channels, H, W) -> logits (B, 1, h, w), one a patch, higher for real; sides 512 -> 62.

    Args:
        channels: of its input: 3 of an image, or the width of the join for features.
        width: channels of its first layer; published: 64.
        generator: on the CPU; draws the weights: normal with standard deviation 0.02, about 1 for norms, biases zero.
        layers: strided convolutions; the side of a patch is 16, 34, 70 for 1, 2, 3.
    """

    def __init__(self, channels: int, width: int, generator: torch.Generator, layers: int = IMAGE_LAYERS) -> None:
        super().__init__()
        widths = [width * min(2**i, _WIDEST) for i in range(layers + 1)]
        with torch.device("meta"):  # torch's own start would draw from the global generator
            parts: list[nn.Module] = [_conv(channels, widths[0], 2), nn.LeakyReLU(0.2, inplace=True)]
            for i, wide in enumerate(widths[1:], 1):
                parts += [_conv(widths[i - 1], wide, 2 if i < layers else 1, bias=False), group_norm(wide, 1e-5)]
                parts += [nn.LeakyReLU(0.2, inplace=True)]
            self.layers = nn.Sequential(*parts, _conv(widths[-1], 1, 1))
        self.to_empty(device="cpu")
        _initialise(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


def _conv(width_in: int, width: int, stride: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, 4, stride, 1, bias=bias)


@torch.no_grad()
def _initialise(network: nn.Module, generator: torch.Generator) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.GroupNorm):
            mean = 1.0 if isinstance(module, nn.GroupNorm) else 0.0
            module.weight.copy_(mean + _STD * torch.randn(module.weight.shape, generator=generator))
            if module.bias is not None:
                module.bias.zero_()
