"""The official AdcSR files: their names, aliases and containers, mapped to our network's names.

``net_params_200.pkl`` holds ``module.body.1.*`` (U-Net; all but conv_in a second time under
``module.body.1.body.<i>.*``) and ``module.body.2.*`` (the decoder's middle block, trained).
``halfDecoder.ckpt`` is a Lightning checkpoint whose ``decoder.*`` gives the rest, frozen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DECODER_FILE, STUDENT_FILE
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import check_present
from adcbench.systems.checkpoints.weights import check_finite, check_names, describe, drop_aliases, drop_prefix, shapes

# The upstream U-Net registers these a second time in a Sequential called body; index 10 is the SiLU.
_ALIASED = (
    "down_blocks.0", "down_blocks.1", "down_blocks.2", "down_blocks.3", "mid_block",
    "up_blocks.0", "up_blocks.1", "up_blocks.2", "up_blocks.3", "conv_norm_out", "", "conv_out",
)  # fmt: skip
_PREFIXES = (("body.1.", "unet."), ("body.2.", "decoder.mid_block."))  # theirs, ours
_COMPVIS = re.compile(r"decoder\.(up|mid)\.(\d+\.)?(block|attn)")


def canonical_name(name: str) -> str:
    """Our parameter's name in the official files, without ``module.``: what deterministic weights go by."""
    for theirs, ours in _PREFIXES:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def alias_target(name: str) -> str | None:
    """The name that ``body.1.body.<i>.*`` repeats; None for names that are no alias."""
    match = re.fullmatch(r"body\.1\.body\.(\d+)\.(.+)", name)
    if not match or int(match[1]) >= len(_ALIASED):
        return None
    return f"body.1.{_ALIASED[int(match[1])]}.{match[2]}"


def official_tensors(weights: Mapping[str, Path], network: nn.Module, decoder: nn.Module) -> dict[str, Tensor]:
    """All tensors of the student under our names, from the two official files.

    Args:
        weights: paths by official file name.
        network: the student, and ``decoder``: a whole half decoder with its conv_in. They give the names and
            shapes to check by, so the meta device will do.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    check_present(weights, (STUDENT_FILE, DECODER_FILE), "AdcSR", "adcsr")
    student = student_tensors(weights[STUDENT_FILE], network)
    tail = decoder_tensors(weights[DECODER_FILE], decoder)
    unused = ("decoder.conv_in.", "decoder.mid_block.")  # the student has its own trained middle block
    return student | {name: tensor for name, tensor in tail.items() if not name.startswith(unused)}


def student_tensors(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """U-Net and trained middle block of ``net_params_200.pkl``, under our names.

    Raises:
        AdcbenchError: not exactly the student's tensors, aliases that contradict them, or values not finite.
    """
    tensors = drop_prefix(converted(path), "module.")
    if not any(name.startswith("body.1.") for name in tensors):
        raise AdcbenchError(f"{path}: not AdcSR's student (no module.body.1.*). It looks like {describe(tensors)}")
    tensors = drop_aliases(tensors, alias_target, str(path))
    expected = {canonical_name(name): shape for name, shape in shapes(network).items()}
    check_names(tensors, {name: shape for name, shape in expected.items() if name.startswith("body.")}, str(path))
    check_finite(tensors, str(path))
    return {_our_name(name): tensor for name, tensor in tensors.items()}


def decoder_tensors(path: Path, decoder: nn.Module) -> dict[str, Tensor]:
    """The half decoder of ``halfDecoder.ckpt`` as ``decoder.*``; its encoder, losses and optimisers are left.

    Raises:
        AdcbenchError: CompVis names (from stock latent-diffusion training), not exactly this decoder, or
            values not finite.
    """
    content = converted(path)
    if any(_COMPVIS.search(name) for name in content):
        raise AdcbenchError(
            f"{path}: its decoder has CompVis names (decoder.up.1.block...), as stock latent-diffusion training "
            "writes them. Convert it to diffusers names (decoder.up_blocks...) first"
        )
    tensors = {name: tensor for name, tensor in content.items() if name.startswith("decoder.")}
    if not tensors:
        raise AdcbenchError(f"{path}: no half decoder (decoder.*) in it. It looks like {describe(content)}")
    check_names(tensors, {f"decoder.{name}": shape for name, shape in shapes(decoder).items()}, str(path))
    check_finite(tensors, str(path))
    return tensors


def _our_name(name: str) -> str:
    for theirs, ours in _PREFIXES:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
