"""DiffBIR's official files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffbir_files import write_files

from adcbench.core.errors import AdcbenchError
from adcbench.systems.diffbir import (
    BASE_FILE,
    CONTROL_FILE,
    MINI,
    STAGE1_FILE,
)
from adcbench.systems.diffbir.network import DiffBIR, load_network


@pytest.mark.parametrize("prefix", ["", "module."])
def test_official_files(certified: DiffBIR, tmp_path: Path, prefix: str) -> None:
    loaded = load_network(MINI, write_files(tmp_path, prefix)).state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in certified.state_dict().items())


def test_wrong_files_are_named(tmp_path: Path) -> None:
    files = write_files(tmp_path)
    with pytest.raises(
        AdcbenchError, match=r"swinir_v1.ckpt: not a checkpoint of this network.*unexpected: conv_first.1.weight"
    ):
        load_network(MINI, {**files, CONTROL_FILE: files[STAGE1_FILE]})
    with pytest.raises(AdcbenchError, match=r"v1_general.pth: not v2-1_512-ema-pruned.ckpt of Stable Diffusion"):
        load_network(MINI, {**files, BASE_FILE: files[CONTROL_FILE]})
    base = torch.load(files[BASE_FILE])
    torch.save({n: t for n, t in base.items() if n != "first_stage_model.decoder.conv_in.bias"}, files[BASE_FILE])
    with pytest.raises(AdcbenchError, match=r"pruned.ckpt: VAE: .*1 missing: decoder.conv_in.bias"):
        load_network(MINI, files)
    with pytest.raises(AdcbenchError, match=r"needs general_swinir_v1.ckpt: run adcbench weights fetch diffbir"):
        load_network(MINI, {name: path for name, path in files.items() if name != STAGE1_FILE})
