"""What the tests of StableSR share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import parity
import torch

from adcbench.systems.stablesr import CFW_FILE, DIFFUSION_FILE, StableSRConfig

GOLDEN = Path(__file__).parents[1] / "golden" / "stablesr"


def load_make() -> Any:
    spec = importlib.util.spec_from_file_location("stablesr_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = load_make()


def official_files(folder: Path, scale: str) -> dict[str, Path]:
    """Checkpoints laid out as the official ones, with what those hold besides."""
    config: StableSRConfig = make.CONFIGS[scale]
    tensors = make.tensors(config, parity.read_manifest(GOLDEN / f"{scale}.json.gz"), scale)
    cfw = {name.removeprefix(make.CFW): tensors.pop(name) for name in list(tensors) if name.startswith(make.CFW)}
    paths = {name: folder / name for name in (DIFFUSION_FILE, CFW_FILE)}
    plain = {"betas": torch.zeros(1000), "first_stage_model.encoder.conv_in.bias": torch.zeros(4)}
    torch.save({"state_dict": tensors | plain, "global_step": 1}, paths[DIFFUSION_FILE])
    torch.save({"state_dict": cfw | {"loss.logvar": torch.zeros(())}}, paths[CFW_FILE])
    return paths
