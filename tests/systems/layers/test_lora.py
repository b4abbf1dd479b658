"""LoRA wrappers: peft's names, scale and outputs; merging."""

from __future__ import annotations

import parity
import pytest
import torch
from osediff_files import LIBRARIES, filled, golden_make
from torch import Tensor, nn

from adcbench.systems.layers.lora import Lora, add_lora, lora_parameters, merge_lora
from adcbench.systems.osediff import MINI
from adcbench.systems.osediff.network import OSEDiff


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    return golden_make.example(name, shape).double()


@pytest.fixture
def network() -> OSEDiff:
    with torch.device("meta"):
        network = OSEDiff(MINI)
    filled(network.unet)
    filled(network.vae)
    network.unet.double()
    network.vae.double()
    return network


def noise(network: OSEDiff) -> Tensor:
    return network.unet(example("latent", golden_make.LATENT), 999, example("text", (2, 77, 64)))


def equal(network: OSEDiff) -> tuple[bool, bool]:
    """Whether U-Net and VAE encoder give what diffusers with peft gave, all in float64."""
    latent = network.vae.encode(example("image", golden_make.IMAGE), None)
    pairs = ((noise(network), LIBRARIES["lora_unet"]), (latent, LIBRARIES["lora_vae_mean"]))
    first, second = (parity.equals(*pair, parity.EXACT) for pair in pairs)
    return first, second


def test_outputs_equal_diffusers_with_peft(network: OSEDiff) -> None:
    assert equal(network) == (True, True)


def test_merged_equals_unmerged(network: OSEDiff) -> None:
    merge_lora(network)
    assert not any(isinstance(module, Lora) for module in network.modules())
    assert not lora_parameters(network)
    assert equal(network) == (True, True)


def test_the_scale_and_every_adapter_matter(network: OSEDiff) -> None:
    for module in network.modules():
        if isinstance(module, Lora):
            module.scale = 1.0
    assert equal(network) == (False, False)
    merge_lora(network)
    assert equal(network) == (False, False)


@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_half_of_every_adapter_matters(network: OSEDiff) -> None:
    """Each alone, wherever it is."""
    for owner, run, name in (
        (network.unet, lambda: noise(network), "lora_unet"),
        (network.vae, lambda: network.vae.encode(example("image", golden_make.IMAGE), None), "lora_vae_mean"),
    ):
        halves = {n.rpartition(".lora_")[2] for n, _ in owner.named_parameters() if ".lora_" in n}
        assert len(halves) == {"lora_unet": 6, "lora_vae_mean": 2}[name]
        for half in halves:
            names = [n for n, _ in owner.named_parameters() if n.endswith(f".lora_{half}")]
            with parity.perturbed(owner, names):
                assert not parity.equals(run(), LIBRARIES[name], parity.EXACT), half


@pytest.mark.parametrize("place", ["down_blocks", "mid_block", "up_blocks"])
def test_each_place_of_the_unet_has_its_adapter(network: OSEDiff, place: str) -> None:
    for name, module in network.unet.named_modules():
        if isinstance(module, Lora) and name.startswith(place):
            module.scale = 0.0
    assert not equal(network)[0]


def test_a_strided_convolution() -> None:
    torch.manual_seed(0)
    layers = nn.ModuleDict({"a": nn.Conv2d(3, 6, 3, 2, 1)})
    add_lora(layers, {"a": "x"}, rank=2, scale=3.0)
    x = torch.randn(2, 3, 9, 8)
    apart = layers["a"](x)
    assert not torch.allclose(apart, layers["a"].base_layer(x), atol=1e-3)
    merge_lora(layers)
    assert torch.allclose(layers["a"](x), apart, atol=1e-5)
