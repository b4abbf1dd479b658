"""PASD, pixel-aware Stable Diffusion: configurations and systems. No torch here, so that keys can be made without it.

Yang et al., "Pixel-Aware Stable Diffusion for Realistic Image Super-Resolution and Personalized Stylization"
(ECCV 2024). SD1.5 whose way up attends, pixel by pixel, to a ControlNet's features. The networks are in
``network``, the sampler in ``sampling``, the official files' layout in ``weights``.

Which choices change its numbers:

- ``high_level``: since 23 January 2024 upstream's default prompt starts with CoCa's caption of each image (638 M
  parameters more, which the counts hold). Not built here: every image gets the fixed words alone, as by upstream's
  default before that date, and today by ``--high_level_info`` without a value.
- Until that date guidance was 7.5, and until 18 March 2024 the added noise level was 400 (``IN_2023`` has both).
  Papers that compare with PASD do not say which release they ran.
- ``added_noise_level``: 900 is the paper's (section 4.2), and taken at its word here, as by the code with diffusers
  0.21. The versions that upstream pins since January 2024 (0.25, 0.29) do not find step 900 among the 20 and
  silently take the last one, 50, in its place: ``added_noise_level=50`` gives exactly that.
- ``process_size``: the enlarged image is enlarged again to at least 768 on its short side, so 128 x 128 is
  restored at 768 x 768 and then shrunk to 512 x 512. The networks were trained at 512, and the MACs printed of
  PASD are near those of 512.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import WeightFile
from adcbench.systems.layers.sd21 import TextConfig, UNetConfig, VaeConfig
from adcbench.systems.layers.tokenizer import TOKENIZER_FILES
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "396f9ac"  # commit of github.com/yangxy/PASD that the networks equal
UNET_FILE, CONTROLNET_FILE = "pasd_unet.safetensors", "pasd_controlnet.safetensors"
VAE_FILE, TEXT_FILE = "vae.safetensors", "text_encoder.safetensors"

_HUB = "https://huggingface.co/yangtao9009/PASD/resolve/main/pasd/checkpoint-100000"
_ZIP = "https://public-vigen-video.oss-cn-shanghai.aliyuncs.com/robin/models/PASD/pasd.zip"
_SD15 = "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5/resolve/main"  # runwayml's left the hub
_RAIL = "CreativeML Open RAIL-M"
_LICENCE = f"Apache-2.0; derived from Stable Diffusion 1.5, so {_RAIL} applies too"
FILES = (
    *(
        WeightFile(
            name,
            f"{_HUB}/{member}/diffusion_pytorch_model.safetensors",
            licence=_LICENCE,
            by_hand=f"{_ZIP}: its checkpoint-100000/{member}/diffusion_pytorch_model.safetensors, saved as {name}",
        )
        for name, member in ((UNET_FILE, "unet"), (CONTROLNET_FILE, "controlnet"))
    ),
    *(
        WeightFile(name, f"{_SD15}/{member}", sha256=sha256, size=size, licence=_RAIL, folder="sd15")
        for name, member, size, sha256 in (  # hashes as third parties quote them
            (
                VAE_FILE,
                "vae/diffusion_pytorch_model.safetensors",
                334_643_276,
                "a2b5134f4dbc140d9c11f11cba3233099e00af40f262f136c691fb7d38d2194c",
            ),
            (
                TEXT_FILE,
                "text_encoder/model.safetensors",
                492_265_874,
                "d008943c017f0092921106440254dbbe00b6a285f7883ec8ba160c3faad88334",
            ),
        )
    ),
    *TOKENIZER_FILES,  # CLIP's, the same in Stable Diffusion 1.5 and 2.1
)
_MODULES = (
    "adcbench.systems.pasd",
    "adcbench.systems.pasd.network",
    "adcbench.systems.pasd.sampling",
    "adcbench.systems.pasd.weights",
)


@dataclass(frozen=True)
class PASDConfig:
    """Every setting of PASD; the defaults are those of its test_pasd.py, but for ``high_level`` (there ``caption``).

    Args:
        unet: of Stable Diffusion 1.5, with 8 heads everywhere; the ControlNet has the sizes of its first half.
        vae, text: of Stable Diffusion 1.5; the text encoder is CLIP ViT-L/14's.
        steps: of UniPC (second order), evenly from 999 to 0.
        guidance: scale of classifier-free guidance; up to 1: none, and half the work.
        conditioning: factor on the ControlNet's outputs.
        high_level: network whose words come first in each image's prompt; only ``none`` is built here.
        prompt: the user's words, before ``added_prompt``.
        start: the sampler starts from the encoded input under noise, or from noise alone.
        added_noise_level: step whose noise is added to the start once more; see the module.
        upscale: output size over input size.
        process_size: images whose enlarged short side is smaller are enlarged to it.
        tile, overlap: side of the latent's windows and their overlap; a latent of at most ``tile`` x ``tile``
            pixels runs whole.
        colour_fix: ``wavelet``, ``adain`` or ``nofix``.
    """

    unet: UNetConfig = field(default_factory=lambda: UNetConfig(heads=(8, 8, 8, 8), context=768, linear=False))
    vae: VaeConfig = field(default_factory=VaeConfig)
    text: TextConfig = field(default_factory=lambda: TextConfig(width=768, layers=12, heads=12))
    steps: int = 20
    guidance: float = 9.0
    conditioning: float = 1.0
    high_level: Literal["none", "classification", "detection", "caption"] = "none"
    prompt: str = ""
    added_prompt: str = "clean, high-resolution, 8k"
    negative_prompt: str = "blurry, dotted, noise, raster lines, unclear, lowres, over-smoothed"
    start: Literal["lr", "noise"] = "lr"
    added_noise_level: int = 900
    upscale: int = 4
    process_size: int = 768
    tile: int = 320
    overlap: int = 8
    colour_fix: Literal["wavelet", "adain", "nofix"] = "wavelet"

    def __post_init__(self) -> None:
        if not 0 <= self.added_noise_level <= 999:
            raise AdcbenchError(f"PASDConfig: added_noise_level is {self.added_noise_level}; it must be 0 to 999")
        if not 0 <= self.overlap < self.tile:
            raise AdcbenchError(f"PASDConfig: overlap is {self.overlap}; it must be 0 to {self.tile - 1}")

    @property
    def positive_prompt(self) -> str:
        """The words that guide every image."""
        return f"{self.prompt}, {self.added_prompt}" if self.prompt else self.added_prompt


FULL = PASDConfig()
IN_2023 = replace(FULL, guidance=7.5, added_noise_level=400)
MINI = PASDConfig(
    unet=UNetConfig(widths=(32, 64, 64, 64), heads=(4, 4, 4, 4), context=64, linear=False),
    vae=VaeConfig(widths=(32, 32, 64, 64), layers=1),
    text=TextConfig(width=64, layers=2, heads=2),
    steps=3,
    process_size=32,
    tile=16,
    overlap=4,
)


def system(config: PASDConfig = FULL) -> System:
    """PASD with the released weights (``pasd``, not ``pasd_light`` or ``_rrdb``) on Stable Diffusion 1.5.

    Nobody published hashes of PASD's own files, so the first download records them.
    """
    return System(
        name="pasd",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.pasd.components:network",
        seed_use="noise of the VAE posterior and of the sampler's start",
        files=FILES,
        get="adcbench weights fetch pasd",
    )


def load(config: PASDConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w, SR in 8-bit levels; reduced precision under autocast (weights, norms stay float32).

    Raises:
        Blocked: a prompt that needs a network which is not built here.
    """
    if config.high_level != "none":
        raise Blocked(f"PASD's {config.high_level} network is not built here: set high_level to 'none'")
    from adcbench.systems.layers.tokenizer import PAD_SD15, load_tokenizer  # torch: keys and tables do without it
    from adcbench.systems.pasd.network import load_network
    from adcbench.systems.pasd.sampling import upscaler

    tokenize = load_tokenizer(weights, config.text.tokens, pad=PAD_SD15)
    return upscaler(load_network(config, weights).to(device), tokenize, dtype)


SYSTEMS = both_scales("pasd", system, MINI)
