"""PASD's official files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pasd_files import official, official_files

from adcbench.core.errors import AdcbenchError
from adcbench.systems.pasd import CONTROLNET_FILE, MINI, TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.pasd.network import PASD
from adcbench.systems.pasd.weights import load_official


def test_loads_the_official_files(live: PASD, tmp_path: Path) -> None:
    """With the older names of SD1.5's VAE, and the constant in its text encoder."""
    files = official("mini")
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, name in old.items():
        files[VAE_FILE] = {key.replace(f".{new}.", f".{name}."): t for key, t in files[VAE_FILE].items()}
    files[TEXT_FILE]["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    with torch.device("meta"):
        network = PASD(MINI)
    load_official(network, official_files(tmp_path, **files))
    expected = live.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        (UNET_FILE, lambda t: {n: v for n, v in t.items() if "pixel" not in n}, "pasd_light"),
        (CONTROLNET_FILE, lambda t: t | {"controlnet_cond_embedding.preprocesser.0.x": torch.zeros(1)}, "pasd_rrdb"),
        (CONTROLNET_FILE, lambda t: {n: v for n, v in t.items() if "to_rgbs" not in n}, "6 missing.*to_rgbs"),
        (VAE_FILE, lambda t: {n: v * float("nan") for n, v in t.items()}, "NaN or infinite"),
    ],
)
def test_refuses_other_checkpoints(file: str, change: Callable[..., Any], words: str, tmp_path: Path) -> None:
    with torch.device("meta"):
        network = PASD(MINI)
    paths = official_files(tmp_path, **{file: change(official("mini")[file])})
    with pytest.raises(AdcbenchError, match=f"(?s){file}.*{words}"):
        load_official(network, paths)


def test_refuses_absent_and_unreadable_files(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = PASD(MINI)
    with pytest.raises(AdcbenchError, match=f"needs {UNET_FILE}.*weights fetch pasd"):
        load_official(network, {})
    paths = official_files(tmp_path)
    paths[UNET_FILE].write_bytes(b"zip")
    with pytest.raises(AdcbenchError, match="not a readable safetensors"):
        load_official(network, paths)
