"""LoRA wrappers: peft's names, scale and outputs; merging."""

from __future__ import annotations

import pytest
import torch
from osediff_files import LIBRARIES, filled, golden_make
from torch import nn

from adcbench.models.osediff import MINI
from adcbench.models.osediff.network import OSEDiff
from adcbench.models.parts.lora import Lora, add_lora, lora_tensors, merge_lora

example = golden_make.example


@pytest.fixture
def network() -> OSEDiff:
    with torch.device("meta"):
        network = OSEDiff(MINI)
    filled(network.unet)
    filled(network.vae)
    return network


def errors(network: OSEDiff) -> tuple[float, float]:
    """Largest differences from diffusers with peft: U-Net, VAE encoder."""
    text = example("text", (2, 77, 64))
    noise = network.unet(example("latent", golden_make.LATENT), 999, text)
    latent = network.vae.encode(example("image", golden_make.IMAGE), None)
    return (
        float((noise - LIBRARIES["lora_unet"]).abs().max()),
        float((latent - LIBRARIES["lora_vae_mean"]).abs().max()),
    )


def test_outputs_equal_diffusers_with_peft(network: OSEDiff) -> None:
    assert max(errors(network)) < 1e-5


def test_merged_equals_unmerged(network: OSEDiff) -> None:
    merge_lora(network)
    assert not any(isinstance(module, Lora) for module in network.modules())
    assert not lora_tensors(network)
    assert max(errors(network)) < 1e-5


def test_the_scale_and_every_adapter_matter(network: OSEDiff) -> None:
    for module in network.modules():
        if isinstance(module, Lora):
            module.scale = 1.0
    assert min(errors(network)) > 1e-5
    merge_lora(network)
    assert min(errors(network)) > 1e-5


@pytest.mark.parametrize("place", ["down_blocks", "mid_block", "up_blocks"])
def test_each_place_of_the_unet_has_its_adapter(network: OSEDiff, place: str) -> None:
    for name, module in network.unet.named_modules():
        if isinstance(module, Lora) and name.startswith(place):
            module.scale = 0.0
    assert errors(network)[0] > 1e-5


def test_a_strided_convolution() -> None:
    torch.manual_seed(0)
    layers = nn.ModuleDict({"a": nn.Conv2d(3, 6, 3, 2, 1)})
    add_lora(layers, {"a": "x"}, rank=2, scale=3.0)
    x = torch.randn(2, 3, 9, 8)
    apart = layers["a"](x)
    assert not torch.allclose(apart, layers["a"].base_layer(x), atol=1e-3)
    merge_lora(layers)
    assert torch.allclose(layers["a"](x), apart, atol=1e-5)
