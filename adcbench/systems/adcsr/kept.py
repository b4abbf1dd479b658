"""The student's UNet for the ablations that keep cross-attention or the time embedding of SD2.1.

No source describes them. Assumed: both shrink with the UNet, but the text keeps its width; norm2 stays with the
cross-attention it belongs to; the time step is 999, as the full-size teacher's.

Like those of the plain network its blocks have a place for AdcVSR's ``temporal``: what a ResBlock and a transformer
are called with holds the number of frames too.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from torch import Tensor, nn

from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.layers.blocks import ResBlock, TransformerBlock, conv3x3
from adcbench.systems.layers.sd21 import LAST_STEP, UNetConfig
from adcbench.systems.layers.unet import LayerKinds, TextTransformer, TimedResBlock, UNet

_EPS = 1e-5


Told: TypeAlias = tuple[Tensor | None, int]  # time or text embedding, where it is kept, and frames of a clip


class KeptUNet(UNet):
    """``forward``: (N, 12, H, W), text embedding (N, tokens, context) or None, frames of a clip -> (N, 256, H, W)."""

    def __init__(self, config: AdcSRConfig) -> None:
        sizes = UNetConfig(config.unet_width_in, config.unet_widths, config.heads, config.context, config.layers)
        transformer = (
            _TextlessTransformer if config.text == "none" else partial(_TextTransformer, context=config.context)
        )
        kinds = LayerKinds(_TimedResBlock if config.time_embedding else _TimelessResBlock, {"attentions": transformer})
        super().__init__(sizes, kinds)
        self.conv_out = conv3x3(config.unet_widths[0], config.unet_width_out)
        self.timed = config.time_embedding
        if not self.timed:
            del self.time_embedding

    def forward(self, x: Tensor, text: Tensor | None = None, frames: int = 1) -> Tensor:  # type: ignore[override]
        time = self.embed(LAST_STEP, x) if self.timed else None
        return self.run(x, (time, frames), ((text, frames),))


class _TimelessResBlock(ResBlock):
    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__(width_in, width, _EPS)

    def forward(self, x: Tensor, told: Told) -> Tensor:  # type: ignore[override]
        return super().forward(x, told[1])


class _TextlessTransformer(TransformerBlock):
    def forward(self, x: Tensor, told: Told) -> Tensor:  # type: ignore[override]
        return super().forward(x, told[1])


class _TimedResBlock(TimedResBlock):
    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__(width_in, width, time)
        self.width = width
        self.temporal: nn.Module | None = None

    def forward(self, x: Tensor, told: Told) -> Tensor:  # type: ignore[override]
        time, frames = told
        assert time is not None
        out = super().forward(x, time)
        return self.temporal(out, frames) if self.temporal else out


class _TextTransformer(TextTransformer):
    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__(width, heads, context)
        self.width = width
        self.temporal: nn.Module | None = None

    def forward(self, x: Tensor, told: Told) -> Tensor:  # type: ignore[override]
        text, frames = told
        assert text is not None
        out = super().forward(x, text)
        return self.temporal(out, frames) if self.temporal else out
