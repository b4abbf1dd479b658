"""BSRGAN against upstream's own network, and the loading of its checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import parity
import pytest
import torch
from bsrgan_files import GOLDEN, checkpoint, golden_make
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.bsrgan import FILE, FULL, canonical, load, system


def upscale(folder: Path, scale: str) -> Tensor:
    return load(golden_make.CONFIGS[scale], checkpoint(folder, scale), "cpu", "float32")(golden_make.lr())


def expected(scale: str) -> Tensor:
    return torch.from_numpy(np.load(GOLDEN / f"{scale}.npz")["sr"])


def test_equals_upstream(tmp_path: Path) -> None:
    assert expected("mini").shape == (1, 3, 36, 56)
    assert parity.equals(upscale(tmp_path, "mini"), expected("mini"))


def test_every_tensor_of_the_file_matters(tmp_path: Path) -> None:
    names = list(parity.read_manifest(GOLDEN / "mini.json.gz"))
    assert len({canonical(name) for name in names}) == len(names)
    for name in names:
        files = checkpoint(tmp_path, "mini")
        tensors = torch.load(files[FILE])
        torch.save({**tensors, name: tensors[name] * 1.25}, files[FILE])
        found = load(golden_make.CONFIGS["mini"], files, "cpu", "float32")(golden_make.lr())
        assert not parity.equals(found, expected("mini")), name


def test_full_size_names_are_the_checkpoint_s() -> None:
    shapes = parity.read_manifest(GOLDEN / "full.json.gz")
    assert len(shapes) == 702 and sum(np.prod(shape) for shape in shapes.values()) == 16_697_987
    assert canonical("RRDB_trunk.22.RDB3.conv5.bias") == "body.22.dense.2.out.bias"
    assert canonical("RRDB_trunk.0.RDB1.conv1.weight") == "body.0.dense.0.grow.0.weight"


def test_full_size_equals_upstream(full_size: None, tmp_path: Path) -> None:
    assert parity.equals(upscale(tmp_path, "full"), expected("full"), parity.DEEP)


def test_other_files_are_refused(tmp_path: Path) -> None:
    config = golden_make.CONFIGS["mini"]
    with pytest.raises(AdcbenchError, match=r"1 unexpected: conv_extra\.weight"):
        load(config, checkpoint(tmp_path, "mini", **{"conv_extra.weight": torch.ones(1)}), "cpu", "float32")
    with pytest.raises(AdcbenchError, match=r"1 wrong shape: up\.1\.bias"):
        load(config, checkpoint(tmp_path, "mini", **{"upconv2.bias": torch.ones(3)}), "cpu", "float32")
    with pytest.raises(AdcbenchError, match=r"BSRGAN needs BSRGAN\.pth: run adcbench weights fetch bsrgan"):
        load(config, {"other.pth": tmp_path}, "cpu", "float32")


def test_system() -> None:
    made = system()
    assert (made.name, made.scale, made.seed_use) == ("bsrgan", "full", "")
    assert json.loads(json.dumps(made.settings())) == {
        "blocks": 23, "features": 64, "growth": 32, "channels_last": True,
    }  # fmt: skip
    assert made.config == FULL and [file.name for file in made.files] == [FILE]


def test_deterministic_weights_run_at_any_size() -> None:
    upscaler = load(golden_make.CONFIGS["mini"], None, "cpu", "float32")
    lr = torch.rand(2, 3, 1, 5, generator=torch.Generator().manual_seed(0))
    sr = upscaler(lr)
    assert sr.shape == (2, 3, 4, 20) and bool(sr.isfinite().all())
    torch.testing.assert_close(upscaler(lr[1:])[0], sr[1], rtol=0, atol=1e-6)
