"""Official-format files of OSEDiff, written from a mini network and read back."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from osediff_files import mini_network, official_files

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.sd21 import UNET_FILE, VAE_FILE
from adcbench.systems.osediff import LORA_FILE, MINI
from adcbench.systems.osediff.network import OSEDiff, load_network
from adcbench.systems.osediff.weights import load_lora, lora_checkpoint


@pytest.fixture(scope="module")
def network() -> OSEDiff:
    return mini_network()


@pytest.fixture
def files(network: OSEDiff, tmp_path: Path) -> dict[str, Path]:
    return official_files(network, tmp_path)


def same(a: OSEDiff, b: OSEDiff) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_round_trip(network: OSEDiff, files: dict[str, Path]) -> None:
    loaded = load_network(MINI, files)
    assert same(network, loaded)
    assert not any(p.is_meta or p.requires_grad for p in loaded.parameters())


def test_older_names(network: OSEDiff, tmp_path: Path) -> None:
    assert same(network, load_network(MINI, official_files(network, tmp_path, old_names=True)))


def test_half_precision_files_become_float32(files: dict[str, Path]) -> None:
    content = torch.load(files[LORA_FILE])
    for part in ("state_dict_unet", "state_dict_vae"):
        content[part] = {name: tensor.half() for name, tensor in content[part].items()}
    torch.save(content, files[LORA_FILE])
    assert {p.dtype for p in load_network(MINI, files).parameters()} == {torch.float32}


def test_the_trained_conv_in_replaces_the_base_s(network: OSEDiff, files: dict[str, Path]) -> None:
    content = torch.load(files[LORA_FILE])
    content["state_dict_unet"]["conv_in.base_layer.weight"] += 1
    torch.save(content, files[LORA_FILE])
    loaded = load_network(MINI, files).state_dict()["unet.conv_in.base_layer.weight"]
    assert torch.equal(loaded, network.state_dict()["unet.conv_in.base_layer.weight"] + 1)


_NAME = "down_blocks.0.resnets.0.conv1.lora_A.default_encoder.weight"
BROKEN = {
    "missing": (lambda c: c["state_dict_unet"].pop(_NAME), r"state_dict_unet.*1 missing: down_blocks.0.*conv1.lora_A"),
    "extra": (lambda c: c["state_dict_vae"].update(x=torch.zeros(1)), r"state_dict_vae.*1 unexpected: x"),
    "shape": (lambda c: c["state_dict_unet"].update({_NAME: torch.zeros(2, 2)}), r"1 wrong shape: .*\(2, 2\) instead"),
    "nan": (lambda c: c["state_dict_unet"][_NAME].fill_(float("nan")), r"NaN or infinite values in 1 tensors"),
    "rank": (lambda c: c.update(rank_unet=8), r"rank_unet is 8; this network has rank 4"),
    "layers": (lambda c: c["unet_lora_others_modules"].append("zz"), r"unet_lora_others_modules .* adapts: zz"),
    "merged": (lambda c: [c.clear(), c.update(unet={}, vae={})], r"no OSEDiff LoRA .*the AdcSR hub's osediff.pkl"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_lora_files(network: OSEDiff, tmp_path: Path, case: str) -> None:
    change, message = BROKEN[case]
    content = copy.deepcopy(lora_checkpoint(network))
    change(content)
    torch.save(content, tmp_path / LORA_FILE)
    with pytest.raises(AdcbenchError, match=message):
        load_lora(network, tmp_path / LORA_FILE)


def test_broken_base_files(files: dict[str, Path]) -> None:
    files[VAE_FILE].write_bytes(files[VAE_FILE].read_bytes()[:100])
    with pytest.raises(AdcbenchError, match=r"vae.safetensors: not a readable safetensors file"):
        load_network(MINI, files)
    with pytest.raises(AdcbenchError, match=r"text_encoder.safetensors: not a checkpoint of this network"):
        load_network(MINI, {**files, UNET_FILE: files["text_encoder.safetensors"]})
    with pytest.raises(AdcbenchError, match=r"OSEDiff needs unet.safetensors: run adcbench weights fetch osediff"):
        load_network(MINI, {name: path for name, path in files.items() if name != UNET_FILE})
    files[UNET_FILE].unlink()
    with pytest.raises(AdcbenchError, match="no such checkpoint"):
        load_network(MINI, files)
