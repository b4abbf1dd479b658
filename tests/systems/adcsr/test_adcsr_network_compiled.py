"""AdcSR through torch.compile gives what it gives without; compiled to machine code with --full (a minute)."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
from parity import equals

from adcbench.systems.adcsr import MINI, TRAINED_MINI, AdcSRConfig, load
from adcbench.systems.adcsr.network import load_network
from adcbench.systems.adcvsr import AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR


def test_compiled_equals_eager(full_size: None) -> None:
    if not shutil.which("g++"):
        pytest.skip("torch.compile needs g++ on CPU")
    lr = torch.rand((1, 3, 32, 48), generator=torch.Generator().manual_seed(0))
    eager, compiled = (load(replace(MINI, compiled=on), None, "cpu", "float32")(lr) for on in (False, True))
    assert equals(compiled, eager)


@pytest.mark.parametrize("config", [TRAINED_MINI, replace(TRAINED_MINI, text="null", time_embedding=True)])
def test_the_network_is_one_graph(config: AdcSRConfig) -> None:
    network = load_network(config, None)
    x = torch.rand((1, 3, 16, 32), generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    with torch.inference_mode():
        assert torch.equal(compiled(x), network(x))


def test_the_video_network_is_one_graph() -> None:
    network = AdcVSR(AdcVSRConfig(image=TRAINED_MINI)).requires_grad_(False)
    clip = torch.rand((1, 2, 3, 16, 32), generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    assert torch.equal(compiled(clip), network(clip))
