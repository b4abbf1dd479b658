"""AdcSR: configurations and systems. No torch here, so that cache keys can be made without it.

The network is in ``network``, the official files' layout in ``weights``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adcbench.core.system import System, WeightFile

if TYPE_CHECKING:
    from adcbench.core.system import Upscaler

VERSION = "d0b2871"  # commit of github.com/Guaishou74851/AdcSR that the network equals
STUDENT_FILE = "net_params_200.pkl"
DECODER_FILE = "halfDecoder.ckpt"
_MODULES = ("adcbench.models.adcsr", "adcbench.models.adcsr.network", "adcbench.models.adcsr.weights")
_HUB = "https://huggingface.co/Guaishou74851/AdcSR/resolve/main/weight"
_LICENCE = "Apache-2.0; derived from Stable Diffusion 2.1, so CreativeML Open RAIL++-M applies too"


@dataclass(frozen=True)
class AdcSRConfig:
    """Sizes of an AdcSR network; the defaults are the paper's (AdcSR model.py).

    Args:
        source: what enters the UNet: unshuffled LR pixels, or (ablation) the latent of the SD2.1 VAE encoder.
        link: what leaves it: features for the decoder's middle block, or (ablation) a latent for its conv_in.
        unet_widths: channels by resolution, finest first: SD2.1's 320/640/1280/1280 times 0.75.
        heads: attention heads by resolution; the last entry serves the middle block alone.
        layers: ResBlocks per down block; up blocks, in UNet and decoder alike, have one more.
        unshuffle: factor of the PixelUnshuffle in front.
        decoder_widths: channels of the half decoder, finest first; the last is the width of the join.
        latent_width: channels of the VAE's latent.
        encoder_widths: channels of the kept VAE encoder, finest first; used only with ``source="vae"``.
        compiled: run through torch.compile (on a GPU with CUDA graphs): minutes for the first image of a size.
    """

    source: Literal["pixels", "vae"] = "pixels"
    link: Literal["features", "latent"] = "features"
    unet_widths: tuple[int, ...] = (240, 480, 960, 960)
    heads: tuple[int, ...] = (5, 10, 20, 20)
    layers: int = 2
    unshuffle: int = 2
    decoder_widths: tuple[int, ...] = (64, 128, 256, 256)
    latent_width: int = 4
    encoder_widths: tuple[int, ...] = (128, 256, 512, 512)
    compiled: bool = False

    @property
    def scale(self) -> int:
        """Output size over input size: 4."""
        return int(2 ** (len(self.decoder_widths) - 1)) // self.unshuffle

    @property
    def multiple(self) -> int:
        """Height and width of the LR must divide by this: 16 (three halvings after the unshuffle)."""
        return int(2 ** (len(self.unet_widths) - 1)) * self.unshuffle

    @property
    def unet_width_in(self) -> int:
        """Channels that enter the UNet: 12 unshuffled pixels, or the latent's 4."""
        return 3 * self.unshuffle**2 if self.source == "pixels" else self.latent_width

    @property
    def unet_width_out(self) -> int:
        """Channels that leave the UNet: the join's 256, or the latent's 4."""
        return self.decoder_widths[-1] if self.link == "features" else self.latent_width


FULL = AdcSRConfig()
MINI = AdcSRConfig(
    unet_widths=(18, 36, 72, 72),
    heads=(1, 2, 4, 4),
    decoder_widths=(18, 36, 72, 72),
    encoder_widths=(18, 36, 72, 72),
)
# Ablations. No source prints their networks in detail: what is assumed stands in network.py.
FULL_VAE_ENCODER = replace(FULL, source="vae")
FULL_LATENT_LINK = replace(FULL, link="latent")


def system(config: AdcSRConfig = FULL) -> System:
    """AdcSR with the released weights (hub repository Guaishou74851/AdcSR)."""
    return System(
        name="adcsr",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        files=(
            # The sha256 is quoted by a third-party downloader, not by the authors.
            WeightFile(
                STUDENT_FILE,
                f"{_HUB}/{STUDENT_FILE}",
                sha256="87fc2d3b2a007ebd568065f77b1a90fe6c10570408a38b7d72b28e6a16946111",
                size=1_790_000_000,
                licence=_LICENCE,
                folder="adcsr",
            ),
            WeightFile(
                DECODER_FILE,
                f"{_HUB}/pretrained/{DECODER_FILE}",
                size=378_000_000,
                licence=_LICENCE,
                folder="adcsr",
            ),
        ),
        get="adcbench weights fetch adcsr",
        thread_safe=True,
    )


def compiled_system() -> System:
    """AdcSR through torch.compile."""
    return replace(system(replace(FULL, compiled=True)), name="adcsr-compiled", thread_safe=False)


def mini_system() -> System:
    """The same code at small widths with deterministic, untrained weights: for tests and timing."""
    return system(MINI).mini()


def load(config: AdcSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, not clamped, any h and w.

    Args:
        weights: paths of ``net_params_200.pkl`` and ``halfDecoder.ckpt``; None for deterministic weights.
        dtype: ``float32``, or a reduced precision of all but norms and colours; an image that overflows is repeated.

    Raises:
        AdcbenchError: a checkpoint that is missing, unsafe, or not exactly of this network.
    """
    from adcbench.models.adcsr.network import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)
