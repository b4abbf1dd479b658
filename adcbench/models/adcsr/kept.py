"""The student's UNet for the ablations that keep cross-attention or the time embedding of SD2.1.

No source describes them. Assumed: both shrink with the UNet, but the text keeps its width; norm2 stays with the
cross-attention it belongs to; the time step is 999, as the full-size teacher's.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from adcbench.models.adcsr import AdcSRConfig
from adcbench.models.parts.blocks import ResBlock, TransformerBlock, conv3x3
from adcbench.models.parts.sd21 import LAST_STEP, UNetConfig
from adcbench.models.parts.unet import LayerKinds, TextTransformer, TimedResBlock, UNet

_EPS = 1e-5


class KeptUNet(UNet):
    """``forward``: (N, 12, H, W), text embedding (N, tokens, context) or None -> (N, 256, H, W)."""

    def __init__(self, config: AdcSRConfig) -> None:
        sizes = UNetConfig(config.unet_width_in, config.unet_widths, config.heads, config.context, config.layers)
        transformer = (
            _TextlessTransformer if config.text == "none" else partial(TextTransformer, context=config.context)
        )
        kinds = LayerKinds(TimedResBlock if config.time_embedding else _TimelessResBlock, {"attentions": transformer})
        super().__init__(sizes, kinds)
        self.conv_out = conv3x3(config.unet_widths[0], config.unet_width_out)
        self.timed = config.time_embedding
        if not self.timed:
            del self.time_embedding

    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.run(x, self.embed(LAST_STEP, x) if self.timed else None, (text,))


class _TimelessResBlock(ResBlock):
    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__(width_in, width, _EPS)

    def forward(self, x: Tensor, time: Any = None) -> Tensor:
        return super().forward(x)


class _TextlessTransformer(TransformerBlock):
    def forward(self, x: Tensor, text: Any = None) -> Tensor:
        return super().forward(x)
