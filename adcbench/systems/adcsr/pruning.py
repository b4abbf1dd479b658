"""The student's weights before training, from SD2.1's (AdcSR section 3.2; upstream model.py, class Net).

Pruning keeps the first channels of every layer, by no measure of importance: the first 75 % of the U-Net's. Inputs
that join a skip are cut the same way, so they no longer line up with what made them; training repairs that.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError, listed
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.checkpoints.weights import shapes

Tensors = Mapping[str, Tensor]


def initial_student(
    config: AdcSRConfig, unet: Tensors, decoder: Tensors, vae: Tensors | None = None, null_text: Tensor | None = None
) -> AdcSR:
    """The student as stage 2 starts with it, float32 on the CPU; nothing is shared with the arguments.

    Args:
        unet: SD2.1's U-Net, by diffusers' names.
        decoder: the half decoder of stage 1, with its conv_in.
        vae: SD2.1's VAE, for ``source="vae"``: its encoder and quant_conv.
        null_text: (1, tokens, context), the embedding of an empty prompt, for ``text="null"``.

    Raises:
        AdcbenchError: an argument that the config needs and is absent, or tensors that are absent or too small.
    """
    with torch.device("meta"):
        student = AdcSR(config)
    tensors = {f"unet.{name}": tensor for name, tensor in prune_unet(unet, student).items()}
    for name, shape in shapes(student.decoder).items():
        tensors[f"decoder.{name}"] = _first(decoder, name, shape, "the half decoder")
    for name, shape in shapes(student.source).items():
        tensors[f"source.{name}"] = _first(vae or {}, name, shape, "the VAE")
    if config.text == "null":
        shape = tuple(student.null_text.shape)
        tensors["null_text"] = _first({} if null_text is None else {"null_text": null_text}, "null_text", shape, "text")
    student.load_state_dict(tensors, assign=True)
    return student


def prune_unet(unet: Tensors, student: AdcSR) -> dict[str, Tensor]:
    """The student's U-Net from SD2.1's: the first channels of every layer; what the student lacks is left out.

    The channels of the latent, which conv_in takes and conv_out gives, are repeated for as many as the student has,
    not rescaled. So conv_in sums 3 times what it did (12 channels for 4); an input of more channels than the
    reference's (``source="bicubic"``) is scaled down to that sum.

    Args:
        unet: SD2.1's, by diffusers' names.
        student: gives names and shapes, so the meta device will do.

    Raises:
        AdcbenchError: tensors that are absent or too small.
    """
    ends = {"conv_in.weight": 1, "conv_out.weight": 0, "conv_out.bias": 0}  # the dimension of the latent's channels
    wanted, config = shapes(student.unet), student.config
    repeated = {name: _repeated(unet[name], dim, wanted[name][dim]) for name, dim in ends.items() if name in unet}
    pruned = {name: _first({**unet, **repeated}, name, shape, "SD2.1's U-Net") for name, shape in wanted.items()}
    reference = 3 * config.unshuffle**2
    pruned["conv_in.weight"] *= min(1.0, reference / config.unet_width_in)
    return pruned


def prune_decoder(decoder: Tensors, half: HalfDecoder) -> dict[str, Tensor]:
    """The half decoder before stage 1: the first half of the channels of the VAE's decoder.

    Upstream never released stage 1: that it may start like this is chosen, after its U-Net. The VAE's post_quant_conv
    stays outside, as in stage 2.

    Args:
        decoder: the VAE's, by diffusers' names without ``decoder.``.
        half: gives names and shapes, so the meta device will do.

    Raises:
        AdcbenchError: tensors that are absent or too small.
    """
    return {name: _first(decoder, name, shape, "the VAE's decoder") for name, shape in shapes(half).items()}


def _repeated(weight: Tensor, dim: int, count: int) -> Tensor:
    """The slices along ``dim`` over and over, until there are ``count``."""
    return weight.index_select(dim, torch.arange(count) % weight.shape[dim])


def _first(tensors: Tensors, name: str, shape: tuple[int, ...], source: str) -> Tensor:
    """A copy of the first entries of a tensor in every dimension, float32."""
    if name not in tensors:
        raise AdcbenchError(f"{source} has no tensor {name!r} to start from; it has {listed(list(tensors)) or 'none'}")
    tensor = tensors[name].detach()
    if tensor.ndim != len(shape) or any(have < want for have, want in zip(tensor.shape, shape, strict=True)):
        raise AdcbenchError(f"{source}: {name} is {tuple(tensor.shape)}, too small to cut {shape} from")
    cut = tensor[tuple(slice(size) for size in shape)]
    return cut.to("cpu", torch.float32).clone(memory_format=torch.contiguous_format)
