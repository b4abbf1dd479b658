"""AdcSR as a diffusers pipeline, so that the student travels on the hub like any other model.

from adcbench.systems.adcsr.pipeline import AdcSRPipeline

pipeline = AdcSRPipeline.from_official("net_params_200.pkl", "halfDecoder.ckpt")
pipeline.save_pretrained("adcsr")                      # config and safetensors
pipeline = AdcSRPipeline.from_pretrained("adcsr").to("cuda", torch.bfloat16)
image = pipeline(Image.open("lr.png")).images[0]       # 4 times the size
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.outputs import checked_finite, checked_shape
from adcbench.data.media.pictures import rgb_picture
from adcbench.systems.adcsr import DECODER_FILE, FULL, STUDENT_FILE, AdcSRConfig
from adcbench.systems.adcsr.network import AdcSR, load_network, upscaler

_SETTINGS = asdict(FULL)
_SCALE = 4
_Image: TypeAlias = Image.Image | Tensor | np.ndarray
Inputs: TypeAlias = _Image | list[_Image] | tuple[_Image, ...]
Outputs: TypeAlias = list[Image.Image] | Tensor | np.ndarray


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
    """``images``: PIL images; or a tensor (N, 3, 4h, 4w) or an array (N, 4h, 4w, 3), float32 in [0, 1]."""

    images: Outputs


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
        image: Inputs,
        output_type: Literal["pil", "pt", "np"] = "pil",
        return_dict: bool = True,
    ) -> AdcSROutput | tuple[Outputs]:
        """Upscale x4.

        Args:
            image: PIL images of any size, read as ``adcbench upscale`` reads files: turned upright, made RGB, and
                refused with 16 bits a channel or transparent pixels. Or tensors (N, 3, h, w) or (3, h, w), or arrays
                (N, h, w, 3) or (h, w, 3), of floats in [0, 1]. One, or a list.
            output_type: ``pil``, rounded to 8 bits, with the ICC profile of the image it was made of; ``pt``, a
                tensor (N, 3, 4h, 4w); ``np``, an array (N, 4h, 4w, 3).
            return_dict: false: a tuple in place of ``AdcSROutput``.

        Raises:
            AdcbenchError: no images, or of another kind; values that are no floats, not finite or outside [0, 1];
                several sizes that are to become one tensor or array; an output with NaN or infinity.
        """
        if output_type not in ("pil", "pt", "np"):
            raise AdcbenchError(f"output_type {output_type!r}: AdcSRPipeline gives 'pil', 'pt' or 'np'")
        inputs = _inputs(image)
        sizes = {tuple(one.batch.shape[-2:]) for one in inputs}
        if output_type != "pil" and len(sizes) > 1:
            raise AdcbenchError(
                f"images of {len(sizes)} sizes can't be one {output_type!r} output: call once a size, or take "
                "output_type='pil'"
            )
        outputs = [self._checked(one.batch.to(self.device)) for one in inputs]
        if output_type == "pil":
            made: Any = [_picture(sr, one.profile) for one, batch in zip(inputs, outputs, strict=True) for sr in batch]
        else:
            made = torch.cat(outputs)
            made = made.permute(0, 2, 3, 1).cpu().numpy() if output_type == "np" else made
        return AdcSROutput(images=made) if return_dict else (made,)

    def _checked(self, lr: Tensor) -> Tensor:
        count, channels, height, width = lr.shape
        sr = self._upscale()(lr)
        return checked_finite(checked_shape(sr, (count, channels, _SCALE * height, _SCALE * width))).float().clamp(0, 1)

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


class _Input(NamedTuple):
    """Images of one size, (N, 3, h, w) float32 in [0, 1], and the ICC profile of their colours."""

    batch: Tensor
    profile: bytes = b""


def _inputs(image: Any) -> list[_Input]:
    if not isinstance(image, list | tuple):
        return _inputs([image])
    inputs = [_input(one, f"image {number} of {len(image)}") for number, one in enumerate(image, 1)]
    if not sum(len(one.batch) for one in inputs):
        raise AdcbenchError("AdcSRPipeline was given no image")
    return inputs


def _input(image: Any, name: str) -> _Input:
    if isinstance(image, Image.Image):
        pixels, profile = rgb_picture(image, name)
        return _Input(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255, profile)
    is_array = isinstance(image, np.ndarray)
    if not is_array and not isinstance(image, Tensor):
        raise AdcbenchError(
            f"AdcSRPipeline takes PIL images or a tensor (N, 3, h, w) or an array (N, h, w, 3); {name} is a "
            f"{type(image).__name__}"
        )
    if is_array and image.dtype.kind not in "fiub":
        raise AdcbenchError(f"{name} is an array of {image.dtype}: give floats in 0..1, or a PIL image")
    if is_array and image.dtype.kind == "f":
        image = image.astype(np.float32)  # torch has neither other byte orders nor long doubles
    values = torch.from_numpy(np.ascontiguousarray(image)) if is_array else image
    if values.layout != torch.strided or values.is_meta:
        raise AdcbenchError(f"{name} is {values.layout} on {values.device}: give a plain tensor with its values")
    if values.dim() == 3:
        values = values[None]
    if values.dim() == 4 and is_array:
        values = values.permute(0, 3, 1, 2)
    if values.dim() != 4 or values.shape[1] != 3 or not values.shape[2] * values.shape[3]:
        expected = "(N, h, w, 3)" if is_array else "(N, 3, h, w)"
        raise AdcbenchError(f"{name} has the shape {tuple(image.shape)}, not {expected} with 3 channels of RGB")
    if not values.is_floating_point():
        raise AdcbenchError(f"{name} is {image.dtype}: give floats in 0..1, of bytes x.float() / 255, or a PIL image")
    values = values.float()
    if not values.isfinite().all():
        raise AdcbenchError(f"{name} has values that are NaN or infinite")
    if values.numel() and not 0 <= values.min() <= values.max() <= 1:
        raise AdcbenchError(
            f"{name} has values from {values.min():.9g} to {values.max():.9g}, outside 0..1: scale them, or clamp(0, 1)"
        )
    return _Input(values)


def _picture(sr: Tensor, profile: bytes) -> Image.Image:
    """(3, h, w) in [0, 1] to 8 bits, to the nearest level."""
    picture = Image.fromarray((sr * 255 + 0.5).byte().permute(1, 2, 0).cpu().numpy())
    if profile:
        picture.info["icc_profile"] = profile
    return picture
