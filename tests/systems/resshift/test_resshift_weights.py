"""Files of ResShift and SinSR."""

from __future__ import annotations

from pathlib import Path

import parity
import pytest
import torch
from resshift_files import GOLDEN, LR, official_files

from adcbench.core.errors import AdcbenchError
from adcbench.systems.resshift import FULL, MINI, SINSR_FILE, SINSR_MINI, UNET_FILE, VQ_FILE, load
from adcbench.systems.resshift.network import ResShift, load_network
from adcbench.systems.resshift.weights import canonical


def test_full_size_names_are_the_checkpoints() -> None:
    with torch.device("meta"):
        full = ResShift(FULL)
    for part, parameters in (("unet", 118_593_583), ("vq", 55_322_782)):
        ours = {name: list(tensor.shape) for name, tensor in getattr(full, part).state_dict().items()}
        theirs = parity.read_manifest(GOLDEN / f"full_{part}.json.gz")
        constants = [name for name in theirs if name.endswith(("attn_mask", "relative_position_index"))]
        assert len(constants) == {"unet": 18 + 6, "vq": 0}[part]
        assert {canonical(name): shape for name, shape in theirs.items() if name not in constants} == ours
        assert sum(tensor.numel() for tensor in getattr(full, part).parameters()) == parameters


def test_prefixes_of_parallel_and_compiled_training_are_dropped(tmp_path: Path) -> None:
    files = official_files(tmp_path)
    tensors = torch.load(files[UNET_FILE])
    for prefix in ("module.", "_orig_mod.", "module._orig_mod."):
        torch.save({"state_dict": {prefix + name: tensor for name, tensor in tensors.items()}}, files[UNET_FILE])
        load_network(MINI, files)


def test_other_files_are_refused(tmp_path: Path) -> None:
    files = official_files(tmp_path)
    with pytest.raises(AdcbenchError, match=r"s15_v1\.pth: not a checkpoint of this network\. 153 missing: encoder"):
        load_network(MINI, {**files, VQ_FILE: files[UNET_FILE]})
    with pytest.raises(AdcbenchError, match=r"SinSR needs SinSR_v1\.pth: run adcbench weights fetch sinsr"):
        load_network(SINSR_MINI, files)
    with pytest.raises(AdcbenchError, match=r"ResShift needs resshift_.*\.pth and auto.*\.pth: run adcbench weights"):
        load_network(MINI, {"other.pth": tmp_path})


def test_sinsr_reads_its_own_file(tmp_path: Path) -> None:
    files = official_files(tmp_path, unet_file=SINSR_FILE)
    assert load(SINSR_MINI, files, "cpu", "float32")(LR).shape == (2, 3, 32, 64)
