"""The official files of S3Diff: LoRA and small layers in one dict, the degradation network, and SD-Turbo.

``s3diff.pkl`` is what upstream's ``save_model`` writes: ``state_dict_unet`` (LoRA, and conv_in itself, which
was trained), ``state_dict_vae`` (LoRA), ``state_dict_{vae,unet}_{de,block,fuse}_mlp``, ``w`` (frequencies),
``state_embeddings`` of the block numbers, the ranks, and which layers are adapted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, device, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.library_files import check_present, library_tensors
from adcbench.systems.checkpoints.pickles import read_checkpoint
from adcbench.systems.checkpoints.weights import check_finite, check_names, describe, load_strict, state_dict
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.s3diff import DEGRADATION_FILE, LORA_FILE

if TYPE_CHECKING:
    from adcbench.systems.s3diff.network import S3Diff

_MLPS = ("de_mlp", "block_mlp", "fuse_mlp")


def load_official(network: S3Diff, weights: Mapping[str, Path]) -> None:
    """Fill a network without LoRA, built on the meta device, and put the released LoRA on it.

    Args:
        weights: paths by the names of ``s3diff.system().files``.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    files = (LORA_FILE, DEGRADATION_FILE, UNET_FILE, VAE_FILE, TEXT_FILE)
    check_present(weights, files, "S3Diff", "s3diff")
    for part, file in ((network.unet, UNET_FILE), (network.vae, VAE_FILE), (network.text_encoder, TEXT_FILE)):
        load_strict(part, library_tensors(weights[file]), str(weights[file]))
    load_strict(network.degradation, state_dict(weights[DEGRADATION_FILE]), str(weights[DEGRADATION_FILE]))
    load_lora(network, read_checkpoint(weights[LORA_FILE]), str(weights[LORA_FILE]))


def load_lora(network: S3Diff, content: Any, source: str) -> None:
    """Put the adapters on a network, and everything that ``s3diff.pkl`` holds into it.

    Args:
        content: of the file.
        source: its path, for errors.

    Raises:
        AdcbenchError: content of another kind, or of other layers or ranks.
    """
    if not isinstance(content, Mapping) or "state_dict_unet_fuse_mlp" not in content:
        raise AdcbenchError(f"{source}: no S3Diff LoRA (state_dict_unet_fuse_mlp). It looks like {describe(content)}")
    for part in ("unet", "vae"):
        rank, expected = content.get(f"rank_{part}"), getattr(network.config, f"rank_{part}")
        if rank != expected:
            raise AdcbenchError(f"{source}: rank_{part} is {rank}; this network has rank {expected}")
    with device("meta"):
        network.add_lora()
    _load_adapters(network.unet, _section(content, "state_dict_unet", source), f"{source}: state_dict_unet", "conv_in")
    _load_adapters(network.vae, _section(content, "state_dict_vae", source), f"{source}: state_dict_vae")
    load_strict(network.modulators, _small_layers(content, source), source)
    frequencies = content.get("w")
    if not isinstance(frequencies, Tensor) or frequencies.shape != network.W.shape:
        raise AdcbenchError(f"{source}: w, {len(network.W)} frequencies, is absent or of another shape")
    check_finite({"w": frequencies}, source)
    network.W = nn.Parameter(frequencies.detach().float(), requires_grad=False)


def lora_checkpoint(network: S3Diff) -> dict[str, Any]:
    """A network's LoRA and small layers in the layout of ``s3diff.pkl``: what ``load_lora`` reads."""
    config = network.config
    content: dict[str, Any] = {"rank_unet": config.rank_unet, "rank_vae": config.rank_vae, "w": network.W}
    content |= {"state_dict_unet": _adapters(network.unet, "conv_in"), "state_dict_vae": _adapters(network.vae)}
    embeddings = {}
    for part, modulator in network.modulators.items():
        content |= {f"state_dict_{part}_{mlp}": modulator.get_submodule(mlp).state_dict() for mlp in _MLPS}
        embeddings[f"state_dict_{part}_block"] = modulator.get_submodule("block_embeddings").state_dict()
    return {**content, "state_embeddings": embeddings}


def _small_layers(content: Mapping[str, Any], source: str) -> dict[str, Tensor]:
    """The layers that make the matrices, under their names in ``S3Diff.modulators``."""
    tensors: dict[str, Tensor] = {}
    for part in ("vae", "unet"):
        sections = {mlp: _section(content, f"state_dict_{part}_{mlp}", source) for mlp in _MLPS}
        embeddings = _section(content, "state_embeddings", source)
        sections["block_embeddings"] = _section(embeddings, f"state_dict_{part}_block", source)
        tensors |= {f"{part}.{layer}.{name}": t for layer, section in sections.items() for name, t in section.items()}
    return tensors


def _section(content: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    section = content.get(key)
    if not isinstance(section, Mapping):
        raise AdcbenchError(f"{source}: no {key} in it. It looks like {describe(content)}")
    return section


def _adapters(network: nn.Module, *also: str) -> dict[str, Tensor]:
    """LoRA tensors, and those whose names start with one of ``also``."""
    return {name: t for name, t in network.state_dict().items() if ".lora_" in name or name.startswith(also)}


def _load_adapters(network: nn.Module, tensors: Mapping[str, Tensor], source: str, *also: str) -> None:
    expected = {name: tuple(tensor.shape) for name, tensor in _adapters(network, *also).items()}
    check_names(tensors, expected, source)
    check_finite(tensors, source)
    network.load_state_dict({name: t.float() for name, t in tensors.items()}, strict=False, assign=True)
