"""Names of the official student's file."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import torch
from adcsr_files import GOLDEN
from torch import nn

from adcbench.systems.adcsr import FULL
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.adcsr.weights import alias_target, canonical_name


def manifest(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))
    return content


def shapes(module: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in module.state_dict().items()}


@pytest.fixture(scope="module")
def on_meta() -> AdcSR:
    with torch.device("meta"):
        return AdcSR(FULL)


def test_student_names_and_shapes_are_the_official_ones(on_meta: AdcSR) -> None:
    official = manifest("net_params_200")
    own = {f"module.{canonical_name(n)}": s for n, s in shapes(on_meta).items()}
    own = {name: shape for name, shape in own.items() if name.startswith("module.body.")}
    aliases = official["alias_of"]
    assert own == {n: s for n, s in official["shapes"].items() if n not in aliases}
    for alias, target in aliases.items():
        assert alias_target(alias.removeprefix("module.")) == target.removeprefix("module.")
    assert not any(alias_target(name.removeprefix("module.")) for name in own)
