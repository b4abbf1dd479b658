"""The half decoder's names and shapes are the official file's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import torch
from adcsr_files import GOLDEN
from torch import nn

from adcbench.systems.adcsr import FULL
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR


def manifest(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))
    return content


def shapes(module: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in module.state_dict().items()}


@pytest.fixture(scope="module")
def on_meta() -> AdcSR:
    with torch.device("meta"):
        return AdcSR(FULL)


def test_decoder_names_and_shapes_are_the_official_ones(on_meta: AdcSR) -> None:
    with torch.device("meta"):
        whole = HalfDecoder(FULL, latent=True)
    official = manifest("halfDecoder")["shapes"]
    assert {f"decoder.{n}": s for n, s in shapes(whole).items()} == official
    tail = {n: s for n, s in shapes(on_meta).items() if n.startswith("decoder.") and "mid_block" not in n}
    assert tail.items() <= official.items()
