"""Files of S3Diff."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from s3diff_files import official

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.s3diff import DEGRADATION_FILE, LORA_FILE, MINI
from adcbench.systems.s3diff.network import S3Diff, load_network
from adcbench.systems.s3diff.weights import lora_checkpoint


def test_round_trip(network: S3Diff) -> None:
    """Our checkpoint has the sections of upstream's, and they load."""
    saved, upstreams = lora_checkpoint(network), official("mini")[LORA_FILE]
    assert set(saved) == set(upstreams)
    for name, section in upstreams.items():
        if name.startswith("state_dict"):
            assert set(saved[name]) == set(section) and all(torch.equal(saved[name][n], t) for n, t in section.items())


def test_the_trained_conv_in_replaces_the_base_s(files: dict[str, Path], tmp_path: Path) -> None:
    content = official("mini")[LORA_FILE]
    content["state_dict_unet"]["conv_in.weight"].zero_()
    torch.save(content, tmp_path / LORA_FILE)
    loaded = load_network(MINI, {**files, LORA_FILE: tmp_path / LORA_FILE})
    assert not loaded.unet.conv_in.weight.any()


_NAME = "down_blocks.0.resnets.0.conv1.lora_A.default.weight"
BROKEN = {
    "missing": (lambda c: c["state_dict_unet"].pop(_NAME), r"state_dict_unet.*1 missing: down_blocks.0.*conv1.lora_A"),
    "shape": (lambda c: c["state_dict_unet"].update({_NAME: torch.zeros(2, 2)}), r"1 wrong shape: .*\(2, 2\) instead"),
    "nan": (lambda c: c["state_dict_unet"][_NAME].fill_(float("nan")), r"NaN or infinite values in 1 tensors"),
    "rank": (lambda c: c.update(rank_vae=8), r"rank_vae is 8; this network has rank 4"),
    "mlp": (lambda c: c.update(state_dict_vae_de_mlp={}), r"2 missing: vae.de_mlp"),
    "section": (lambda c: c.pop("state_embeddings"), r"no state_embeddings in it"),
    "w": (lambda c: c.pop("w"), r"w, 64 frequencies, is absent"),
    "osediff": (lambda c: [c.clear(), c.update(rank_unet=4)], r"no S3Diff LoRA .*OSEDiff's own osediff.pkl"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_lora_files(files: dict[str, Path], tmp_path: Path, case: str) -> None:
    change, message = BROKEN[case]
    content = official("mini")[LORA_FILE]
    change(content)
    torch.save(content, tmp_path / LORA_FILE)
    with pytest.raises(AdcbenchError, match=message):
        load_network(MINI, {**files, LORA_FILE: tmp_path / LORA_FILE})


def test_broken_base_files(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"text_encoder.safetensors: not a checkpoint of this network"):
        load_network(MINI, {**files, UNET_FILE: files[TEXT_FILE]})
    with pytest.raises(AdcbenchError, match=r"S3Diff needs de_net.pth: run adcbench weights fetch s3diff"):
        load_network(MINI, {name: path for name, path in files.items() if name != DEGRADATION_FILE})
    with pytest.raises(AdcbenchError, match="no such checkpoint"):
        load_network(MINI, {**files, VAE_FILE: tmp_path / VAE_FILE})
    cut = tmp_path / UNET_FILE
    cut.write_bytes(files[UNET_FILE].read_bytes()[:100])
    with pytest.raises(AdcbenchError, match="not a readable safetensors file"):
        load_network(MINI, {**files, UNET_FILE: cut})
