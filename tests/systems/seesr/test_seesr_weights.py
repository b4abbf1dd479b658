"""Files of SeeSR."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file
from seesr_files import official

from adcbench.core.errors import AdcbenchError
from adcbench.systems.seesr import CONTROLNET_FILE, MINI, UNET_FILE
from adcbench.systems.seesr import network as seesr
from adcbench.systems.seesr.weights import read_network


def test_wrong_files(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match="a ControlNet's file where SeeSR's U-Net belongs"):
        read_network(files[CONTROLNET_FILE], "U-Net")
    plain = {name: t for name, t in official("mini")["unet"].items() if "image_attentions" not in name}
    save_file(plain, tmp_path / "unet.safetensors")
    with pytest.raises(AdcbenchError, match="without image attentions, such as Stable Diffusion's own"):
        read_network(tmp_path / "unet.safetensors", "U-Net")
    with pytest.raises(AdcbenchError, match=f"needs {CONTROLNET_FILE}: run adcbench weights fetch seesr"):
        seesr.load_seesr(MINI, {name: path for name, path in files.items() if name != CONTROLNET_FILE})
    (tmp_path / "cut").write_bytes(files[UNET_FILE].read_bytes()[:1000])
    with pytest.raises(AdcbenchError, match="not a readable safetensors file"):
        read_network(tmp_path / "cut", "U-Net")
