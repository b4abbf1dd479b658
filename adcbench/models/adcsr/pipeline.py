"""AdcSR as a diffusers pipeline, so that the student travels on the hub like any other model.

from adcbench.models.adcsr.pipeline import AdcSRPipeline

pipeline = AdcSRPipeline.from_official("net_params_200.pkl", "halfDecoder.ckpt")
pipeline.save_pretrained("adcsr")                      # config and safetensors
pipeline = AdcSRPipeline.from_pretrained("adcsr").to("cuda", torch.bfloat16)
image = pipeline(Image.open("lr.png")).images[0]       # 4 times the size
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.models.adcsr import DECODER_FILE, FULL, STUDENT_FILE, AdcSRConfig
from adcbench.models.adcsr.network import AdcSR, load_network, upscaler

_SETTINGS = asdict(FULL)


class AdcSRModel(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The student with a config that ``save_pretrained`` keeps; arguments are those of ``AdcSRConfig``.

    ``forward``: (N, 3, h, w) in [-1, 1] -> (N, 3, 4h, 4w) in about [-1, 1], h and w multiples of 16.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        source: Literal["pixels", "bicubic", "vae"] = "pixels",
        link: Literal["features", "latent"] = "features",
        unet_widths: tuple[int, ...] = FULL.unet_widths,
        heads: tuple[int, ...] = FULL.heads,
        layers: int = FULL.layers,
        unshuffle: int = FULL.unshuffle,
        decoder_widths: tuple[int, ...] = FULL.decoder_widths,
        latent_width: int = FULL.latent_width,
        encoder_widths: tuple[int, ...] = FULL.encoder_widths,
        latent_scaling: float = FULL.latent_scaling,
        text: Literal["none", "null", "given"] = "none",
        tokens: int = FULL.tokens,
        context: int = FULL.context,
        time_embedding: bool = False,
    ) -> None:
        super().__init__()
        self.network = AdcSR(self.settings())

    def settings(self) -> AdcSRConfig:
        """The config as the network's frozen dataclass."""
        known = {name: value for name, value in self.config.items() if name in _SETTINGS}
        fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
        return AdcSRConfig(**fields)

    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.network(lr)
        return sr


@dataclass
class AdcSROutput(BaseOutput):  # type: ignore[misc]
    """``images``: PIL images, or a tensor (N, 3, 4h, 4w) in [0, 1]."""

    images: list[Image.Image] | Tensor


class AdcSRPipeline(DiffusionPipeline):  # type: ignore[misc]
    """One-step super-resolution x4: images in, images of four times their height and width out.

    In bfloat16 or float16 norms and colours stay in float32, and an image that overflows is repeated in float32.
    """

    def __init__(self, student: AdcSRModel) -> None:
        super().__init__()
        self.register_modules(student=student)
        self._loaded: tuple[Any, Callable[[Tensor], Tensor]] | None = None

    @classmethod
    def from_official(cls, student: str | Path, decoder: str | Path, config: AdcSRConfig = FULL) -> AdcSRPipeline:
        """The pipeline with the authors' two files, ``net_params_200.pkl`` and ``halfDecoder.ckpt``.

        Raises:
            AdcbenchError: a file that is missing, unsafe, or not exactly of this network.
        """
        network = load_network(config, {STUDENT_FILE: Path(student), DECODER_FILE: Path(decoder)})
        return cls.from_network(network)

    @classmethod
    def from_network(cls, network: AdcSR) -> AdcSRPipeline:
        """The pipeline around a network that is already here, such as one just trained."""
        settings = asdict(network.config)
        settings.pop("compiled")
        with torch.device("meta"):
            model = AdcSRModel(**settings)
        model.network = network
        return cls(model)

    @torch.inference_mode()
    def __call__(
        self,
        image: Image.Image | Sequence[Image.Image] | Tensor,
        output_type: Literal["pil", "pt"] = "pil",
        return_dict: bool = True,
    ) -> AdcSROutput | tuple[list[Image.Image] | Tensor]:
        """Upscale x4.

        Args:
            image: PIL images of any mode and size, or a tensor (N, 3, h, w) in [0, 1].
            output_type: ``pil``, rounded to 8 bits, or ``pt``.
            return_dict: false: a tuple in place of ``AdcSROutput``.

        Raises:
            AdcbenchError: something else than images.
        """
        if isinstance(image, Tensor):
            results = list(self._upscale()(image.to(self.device)).clamp(0, 1))
        else:
            pictures = [image] if isinstance(image, Image.Image) else list(image)
            results = [self._upscale()(_tensor(picture, self.device))[0].clamp(0, 1) for picture in pictures]
        images: Any = [_picture(sr) for sr in results] if output_type == "pil" else torch.stack(results)
        return AdcSROutput(images=images) if return_dict else (images,)

    def _upscale(self) -> Callable[[Tensor], Tensor]:
        """The upscaler for where and in which precision the student is now, made again only when that changes."""
        student: AdcSRModel = self.student
        state = (student.device, student.dtype, id(student.network))
        if self._loaded is None or self._loaded[0] != state:
            dtype = str(student.dtype).removeprefix("torch.")
            self._loaded = state, upscaler(_in_float32(student.network), dtype)
        return self._loaded[1]


def _in_float32(network: AdcSR) -> AdcSR:
    """The network in float32 (the upscaler lowers a copy of it by itself)."""
    if next(network.parameters()).dtype == torch.float32:
        return network
    with torch.device("meta"):
        exact = AdcSR(network.config)
    exact.load_state_dict({name: tensor.float() for name, tensor in network.state_dict().items()}, assign=True)
    return exact.eval().requires_grad_(False)


def _tensor(picture: Any, device: torch.device) -> Tensor:
    if not isinstance(picture, Image.Image):
        raise AdcbenchError(f"AdcSRPipeline takes PIL images or a tensor (N, 3, h, w); got a {type(picture).__name__}")
    pixels = np.array(picture.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device).float() / 255


def _picture(sr: Tensor) -> Image.Image:
    """(3, h, w) in [0, 1] to 8 bits, to the nearest level."""
    return Image.fromarray((sr * 255 + 0.5).byte().permute(1, 2, 0).cpu().numpy())
