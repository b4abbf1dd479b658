"""The official files of OSEDiff: a dict of LoRA tensors, and Stable Diffusion 2.1-base in safetensors.

``osediff.pkl`` of cswry/OSEDiff holds ``state_dict_unet`` (LoRA, and conv_in itself, which was trained),
``state_dict_vae`` (LoRA), the names of the adapted layers and the ranks. AdcSR's hub has a file of the same
name with other content: full, merged weights, which ``load_merged`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, device, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.library_files import check_present, library_tensors
from adcbench.systems.checkpoints.pickles import read_checkpoint
from adcbench.systems.checkpoints.weights import check_finite, check_names, describe, load_strict
from adcbench.systems.layers.lora import Lora
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.osediff import LORA_FILE

if TYPE_CHECKING:
    from adcbench.systems.osediff.network import OSEDiff


def load_official(network: OSEDiff, weights: Mapping[str, Path]) -> None:
    """Fill a network without LoRA, built on the meta device, and put the released LoRA on it.

    Args:
        weights: paths by the names of ``osediff.system().files``.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    texts = (TEXT_FILE,) if network.config.base.text.vocabulary else ()
    check_present(weights, (LORA_FILE, UNET_FILE, VAE_FILE, *texts), "OSEDiff", "osediff")
    load_strict(network.unet, library_tensors(weights[UNET_FILE]), str(weights[UNET_FILE]))
    load_vae(network.vae, weights[VAE_FILE])
    for name in texts:
        load_text(network.text_encoder, weights[name])
    with device("meta"):
        network.add_lora()
    load_lora(network, weights[LORA_FILE])


def load_vae(vae: nn.Module, path: Path) -> None:
    """Fill an autoencoder from SD2.1-base's file. Raises AdcbenchError as ``load_official``."""
    load_strict(vae, library_tensors(path), str(path))


def load_text(text_encoder: nn.Module, path: Path) -> None:
    """Fill a text encoder from SD2.1-base's file. Raises AdcbenchError as ``load_official``."""
    load_strict(text_encoder, library_tensors(path), str(path))


def load_merged(vae: nn.Module, unet: nn.Module, path: Path) -> None:
    """Fill the networks, without LoRA, from AdcSR's ``osediff.pkl``: {'vae': tensors, 'unet': tensors}.

    Raises:
        AdcbenchError: a file that is unsafe or damaged, or of another kind.
    """
    content = read_checkpoint(path)
    parts = {"vae": vae, "unet": unet}
    if not isinstance(content, Mapping) or any(not isinstance(content.get(part), Mapping) for part in parts):
        raise AdcbenchError(
            f"{path}: no full VAE and U-Net in it, as AdcSR's osediff.pkl has. It looks like {describe(content)}"
        )
    for part, module in parts.items():
        load_strict(module, content[part], f"{path}: {part}")


def load_lora(network: OSEDiff, path: Path) -> None:
    """Put the released LoRA, and the trained conv_in, into a network that has its adapters on.

    Raises:
        AdcbenchError: a file that is unsafe or damaged, of other layers or ranks, or of another kind.
    """
    content = read_checkpoint(path)
    if not isinstance(content, Mapping) or "state_dict_unet" not in content:
        raise AdcbenchError(f"{path}: no OSEDiff LoRA (state_dict_unet) in it. It looks like {describe(content)}")
    _check_layers(network, content, path)
    _load_part(network.unet, _names(network.unet, "conv_in"), content["state_dict_unet"], f"{path}: state_dict_unet")
    _load_part(network.vae, _names(network.vae), content["state_dict_vae"], f"{path}: state_dict_vae")


def lora_checkpoint(network: OSEDiff) -> dict[str, Any]:
    """A network's LoRA in the layout of ``osediff.pkl``: what ``load_lora`` reads."""
    tensors = {part: getattr(network, part).state_dict() for part in ("unet", "vae")}
    return {
        **_layer_lists(network),
        "rank_unet": network.config.rank,
        "rank_vae": network.config.rank,
        "state_dict_unet": {name: tensors["unet"][name] for name in _names(network.unet, "conv_in")},
        "state_dict_vae": {name: tensors["vae"][name] for name in _names(network.vae)},
    }


def _names(network: nn.Module, *also: str) -> list[str]:
    """Names of the LoRA tensors, and of those that contain one of ``also``."""
    return [name for name in network.state_dict() if any(part in name for part in (".lora_", *also))]


def _layer_lists(network: OSEDiff) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for part in ("unet", "vae"):
        for name, module in getattr(network, part).named_modules():
            if isinstance(module, Lora):
                key = f"{part}_lora_{module.adapter.removeprefix('default_')}_modules"
                lists.setdefault(key, []).append(name)
    return lists


def _check_layers(network: OSEDiff, content: Mapping[str, Any], path: Path) -> None:
    for key in ("rank_unet", "rank_vae"):
        if content.get(key) != network.config.rank:
            raise AdcbenchError(f"{path}: {key} is {content.get(key)}; this network has rank {network.config.rank}")
    for key, names in _layer_lists(network).items():
        differ = set(names) ^ set(content.get(key, ()))  # upstream's lists repeat some names
        if differ:
            shown = ", ".join(sorted(differ)[:5])
            raise AdcbenchError(f"{path}: {key} names other layers than this network adapts: {shown}")


def _load_part(network: nn.Module, names: list[str], tensors: Mapping[str, Tensor], source: str) -> None:
    own = network.state_dict()
    check_names(tensors, {name: tuple(own[name].shape) for name in names}, source)
    check_finite(tensors, source)
    network.load_state_dict({name: t.float() for name, t in tensors.items()}, strict=False, assign=True)
