"""Files of StableSR."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from adcbench.core.errors import AdcbenchError
from adcbench.systems.stablesr import CFW_FILE, DIFFUSION_FILE, MINI
from adcbench.systems.stablesr.network import StableSR
from adcbench.systems.stablesr.weights import load_official


def test_wrong_files_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    def load(weights: dict[str, Path]) -> str:
        with torch.device("meta"):
            network = StableSR(MINI)
        with pytest.raises(AdcbenchError) as error:
            load_official(network, weights)
        return str(error.value)

    assert "adcbench weights fetch stablesr" in load({})
    assert "not StableSR's stablesr_000117.ckpt" in load({**files, DIFFUSION_FILE: files[CFW_FILE]})
    content = torch.load(files[CFW_FILE])["state_dict"]
    plain = tmp_path / CFW_FILE
    torch.save({name: value for name, value in content.items() if "fusion_layer" not in name}, plain)
    assert "missing: cfw.0" in load({**files, CFW_FILE: plain})
