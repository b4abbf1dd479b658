"""Whole inference against upstream's own code: latent tiles, and every weight of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import parity
import pytest
import torch
from osediff_files import golden_make
from osediff_paths import fixture, make, parts
from safetensors.torch import save_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.osediff import LORA_FILE, MINI
from adcbench.systems.osediff.network import OSEDiff, load_network
from adcbench.systems.osediff.weights import load_lora, load_merged, lora_checkpoint

TILED = replace(MINI, latent_tile=make.TILE, latent_overlap=make.OVERLAP, tags=False)


def base(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without LoRA, as Stable Diffusion's own files."""
    return {make.seed_name(name): tensor for name, tensor in tensors.items() if ".lora_" not in name}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> OSEDiff:
    """OSEDiff with the fixture's weights, loaded from files as the authors write them."""
    folder, tensors = tmp_path_factory.mktemp("osediff"), parts("pipeline-mini", 4.0)
    for name, part in ((UNET_FILE, "unet"), (VAE_FILE, "vae"), (TEXT_FILE, "text_encoder")):
        save_file(base(tensors[part]), folder / name)
    with torch.device("meta"):
        lora = lora_checkpoint(OSEDiff(MINI))
    for part, also in (("unet", "conv_in"), ("vae", ".lora_")):
        used = {name: tensor for name, tensor in tensors[part].items() if ".lora_" in name or also in name}
        lora[f"state_dict_{part}"] = used
    torch.save(lora, folder / LORA_FILE)
    return load_network(TILED, {name: folder / name for name in (UNET_FILE, VAE_FILE, TEXT_FILE, LORA_FILE)})


def run(network: OSEDiff) -> Tensor:
    torch.manual_seed(3)
    image = make.uniform("pipeline", make.IMAGE) * 2 - 1
    with torch.inference_mode():
        return network(
            image, torch.tensor(golden_make.IDS), torch.randn(1, 4, image.shape[2] // 8, image.shape[3] // 8)
        )


def test_inference_in_latent_tiles_equals_upstream(network: OSEDiff) -> None:
    expected = fixture("pipeline-mini")["image"]
    assert float((expected.abs() < 1).float().mean()) > 0.8  # hardly clamped: the fixture sees what happens
    assert parity.equals(run(network), expected)
    network.config = replace(TILED, latent_tile=96)
    assert not parity.equals(run(network), expected)
    network.config = TILED


def test_every_adapter_matters(network: OSEDiff) -> None:
    names = [name for name, _ in network.named_parameters() if ".lora_" in name]
    adapters = {name.split(".")[0] + name.split(".lora_")[1] for name in names}
    assert len(adapters) == 2 * (3 + 1)
    for adapter in adapters:
        own = [name for name in names if name.split(".")[0] + name.split(".lora_")[1] == adapter]
        with parity.perturbed(network, own):
            assert not parity.equals(run(network), fixture("pipeline-mini")["image"]), adapter


def test_every_weight_matters(full_size: None, network: OSEDiff) -> None:
    """Not large, but minutes."""
    softmax_cancels = {
        "vae.encoder.mid_block.attentions.#.to_k.base_layer.bias",
        "vae.decoder.mid_block.attentions.#.to_k.bias",
        "text_encoder.text_model.encoder.layers.#.self_attn.k_proj.bias",
    }
    assert set(parity.unnoticed(network, lambda: run(network), fixture("pipeline-mini")["image"])) == softmax_cancels


def test_the_two_osediff_pkl_are_told_apart(tmp_path: Path) -> None:
    network, path = OSEDiff(MINI), tmp_path / LORA_FILE
    plain = OSEDiff(MINI, lora=False)
    readers: tuple[tuple[Any, Callable[[], None], str], ...] = (
        (lora_checkpoint(network), lambda: load_merged(plain.vae, plain.unet, path), r"OSEDiff's own osediff\.pkl"),
        ({"vae": {}, "unet": {}}, lambda: load_lora(network, path), r"the AdcSR hub's osediff\.pkl"),
    )
    for content, read, message in readers:
        torch.save(content, path)
        with pytest.raises(AdcbenchError, match=message):
            read()
    torch.save({"vae": plain.vae.state_dict(), "unet": {}}, path)
    with pytest.raises(AdcbenchError, match=r"osediff\.pkl: unet: not a checkpoint of this network"):
        load_merged(plain.vae, plain.unet, path)
