"""AdcSR: configurations and systems. No torch here, so that cache keys can be made without it.

The network is in ``network``, the official files' layout in ``weights``, the start of training in ``pruning``, its
opponents in ``discriminator`` and ``patch_discriminator``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adcbench.core.weight_files import WeightFile
from adcbench.systems.layers.sd21 import LAST_STEP, UNetConfig
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "d0b2871"  # commit of github.com/Guaishou74851/AdcSR that the network equals
STUDENT_FILE = "net_params_200.pkl"
DECODER_FILE = "halfDecoder.ckpt"
_MODULES = (
    "adcbench.systems.adcsr",
    "adcbench.systems.adcsr.network",
    "adcbench.systems.adcsr.weights",
)
COMPONENTS = "adcbench.systems.adcsr.components:student"
_HUB = "https://huggingface.co/Guaishou74851/AdcSR/resolve/main/weight"
_LICENCE = "Apache-2.0; derived from Stable Diffusion 2.1, so CreativeML Open RAIL++-M applies too"


@dataclass(frozen=True)
class AdcSRConfig:
    """Sizes of an AdcSR network; the defaults are the paper's (AdcSR model.py).

    Args:
        source: what enters the U-Net: unshuffled LR pixels, or (ablations) the pixels of the bicubic enlargement,
            unshuffled to the same size, or its latent from the SD2.1 VAE encoder.
        link: what leaves it: features for the decoder's middle block, or (ablation) a latent for its conv_in.
        unet_widths: channels by resolution, finest first: SD2.1's 320/640/1280/1280 times 0.75.
        heads: attention heads by resolution; the last entry serves the middle block alone.
        layers: residual blocks per level on the way down; on the way up, in U-Net and decoder alike, one more.
        unshuffle: factor of the PixelUnshuffle in front.
        decoder_widths: channels of the half decoder, finest first; the last is the width of the join.
        latent_width: channels of the VAE's latent.
        encoder_widths: channels of the VAE's encoder, finest first; used only with ``source="vae"``.
        latent_scaling: factor from that encoder's latent to the U-Net's.
        text: what the cross-attention reads: there is none; (ablations) one fixed embedding, part of the network;
            an embedding given with every image.
        tokens, context: length and width of that embedding.
        time_embedding: keep the time embedding (ablation); the time step is always 999.
        compiled: run through torch.compile (on a GPU with CUDA graphs): minutes for the first image of a size.
    """

    source: Literal["pixels", "bicubic", "vae"] = "pixels"
    link: Literal["features", "latent"] = "features"
    unet_widths: tuple[int, ...] = (240, 480, 960, 960)
    heads: tuple[int, ...] = (5, 10, 20, 20)
    layers: int = 2
    unshuffle: int = 2
    decoder_widths: tuple[int, ...] = (64, 128, 256, 256)
    latent_width: int = 4
    encoder_widths: tuple[int, ...] = (128, 256, 512, 512)
    latent_scaling: float = 0.18215
    text: Literal["none", "null", "given"] = "none"
    tokens: int = 77
    context: int = 1024
    time_embedding: bool = False
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
        """Channels that enter the U-Net: 12 unshuffled pixels, or 192 of the enlarged image, or the latent's 4."""
        factor = {"pixels": self.unshuffle, "bicubic": self.unshuffle * self.scale}
        return 3 * factor[self.source] ** 2 if self.source in factor else self.latent_width

    @property
    def unet_width_out(self) -> int:
        """Channels that leave the U-Net: the join's 256, or the latent's 4."""
        return self.decoder_widths[-1] if self.link == "features" else self.latent_width


FULL = AdcSRConfig()
MINI = AdcSRConfig(
    unet_widths=(18, 36, 72, 72),
    heads=(1, 2, 4, 4),
    decoder_widths=(18, 36, 72, 72),
    encoder_widths=(18, 36, 72, 72),
)
# The architecture of the mini scale's trained weights: UNet at 75 % and decoder at 50 % of the mini teacher's.
TRAINED_MINI = AdcSRConfig(
    unet_widths=(30, 60, 60, 60),
    heads=(1, 2, 2, 2),
    layers=1,
    decoder_widths=(10, 20, 40, 40),
    latent_width=16,
    encoder_widths=(20, 40, 80, 80),
    tokens=1,
    context=8,
)


def variants(base: AdcSRConfig = FULL) -> dict[str, AdcSRConfig]:
    """The ablations whose network differs, by name; no source prints their networks in detail.

    What is assumed stands in ``network``. ``text`` and ``prompt-extractor`` are one network, and
    one training: both read DAPE's tags.

    Args:
        base: the reference: UNet at 75 %, decoder at 50 %.
    """
    width = base.unet_widths
    return {
        "vae-encoder": replace(base, source="vae"),
        "bicubic-input": replace(base, source="bicubic"),
        "latent-link": replace(base, link="latent"),
        "unet-100": replace(base, unet_widths=tuple(w * 100 // 75 for w in width)),
        "unet-50": replace(base, unet_widths=tuple(w * 50 // 75 for w in width)),
        "decoder-100": replace(base, decoder_widths=tuple(2 * w for w in base.decoder_widths)),
        "cross-attention": replace(base, text="null"),
        "time-embedding": replace(base, time_embedding=True),
        "text": replace(base, text="given"),
        "prompt-extractor": replace(base, text="given"),
    }


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator of stage 2: SD2.1's U-Net on features; the defaults are upstream's (train.py, utils.py).

    Args:
        unet: sizes of the U-Net, whose own input is a latent.
        width: channels of the features it takes: the width of the join.
        step: the time step that conditions it.
        weights: which are trained: a LoRA and conv_in, or (ablation) all.
        rank, alpha: of the LoRA; alpha is peft's default.
    """

    unet: UNetConfig = field(default_factory=UNetConfig)
    width: int = 256
    step: int = LAST_STEP
    weights: Literal["lora", "all"] = "lora"
    rank: int = 4
    alpha: float = 8.0


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
        components=COMPONENTS,
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


def load(config: AdcSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, not clamped, any h and w.

    Args:
        weights: paths of ``net_params_200.pkl`` and ``halfDecoder.ckpt``; None for deterministic weights.
        dtype: ``float32``, or a reduced precision of all but norms and colours; an image that overflows is repeated.

    Raises:
        AdcbenchError: a checkpoint that is missing, unsafe, or not exactly of this network.
    """
    from adcbench.systems.adcsr.network import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)


SYSTEMS = both_scales("adcsr", system, MINI) | {"adcsr-compiled": compiled_system}
