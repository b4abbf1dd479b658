"""The UNet discriminator against upstream's (diffusers and peft; tests/golden/adcsr_pruning), and its start."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from parity import equals
from test_pruning import FIXTURE, OUTPUTS, make
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DiscriminatorConfig
from adcbench.systems.adcsr.discriminator import Discriminator, make_discriminator, trainable_parameters
from adcbench.systems.checkpoints.weights import shapes
from adcbench.systems.layers.lora import Lora
from adcbench.systems.layers.unet import UNet


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def unet() -> dict[str, Tensor]:
    with torch.device("meta"):
        network = UNet(make.SD_MINI)
    tensors: dict[str, Tensor] = make.weights(shapes(network))
    return tensors


def judged(network: Discriminator) -> Tensor:
    logits: Tensor = network(make.example("features", (2, 32, 16, 8)), make.example("text", (2, 77, 64)))
    return logits


@torch.no_grad()
def test_the_output_equals_upstreams(unet: dict[str, Tensor]) -> None:
    network = make_discriminator(make.JUDGE, unet, generator())
    lora = {n: tuple(p.shape) for n, p in network.unet.named_parameters() if "lora" in n}
    network.unet.load_state_dict(make.weights(lora), strict=False)
    logits = judged(network)
    assert logits.shape == (2, 4, 16, 8)
    assert equals(logits, OUTPUTS["judge"])


def test_what_is_trained_is_upstreams(unet: dict[str, Tensor]) -> None:
    network = make_discriminator(make.JUDGE, unet, generator())
    trained = {n.removeprefix("unet."): list(p.shape) for n, p in trainable_parameters(network).items()}
    assert trained == FIXTURE["trained"]
    assert {n.removeprefix("unet.") for n, p in network.named_parameters() if p.requires_grad} == trained.keys()


def test_counts_at_full_size() -> None:
    with torch.device("meta"):
        network = Discriminator(DiscriminatorConfig())
        network.add_lora(None)
    trained = trainable_parameters(network)
    assert sum(p.numel() for p in network.parameters()) == 870_701_268
    assert sum(p.numel() for p in trained.values()) == 4_802_384
    assert sum(p.numel() for n, p in trained.items() if "lora" in n) == 4_064_784
    assert sum(isinstance(module, Lora) for module in network.modules()) == 258


@torch.no_grad()
def test_the_start_is_peft_gaussian_from_its_own_generator(unet: dict[str, Tensor]) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (make_discriminator(make.JUDGE, unet, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    tensors = [network.state_dict() for network in (first, again, other)]
    assert all(torch.equal(t, tensors[1][n]) for n, t in tensors[0].items())
    downs = [n for n in tensors[0] if "lora_A" in n]
    assert not any(torch.equal(tensors[0][n], tensors[2][n]) for n in downs)
    deviation = torch.cat([tensors[0][n].flatten() for n in downs]).std().item()
    assert deviation == pytest.approx(FIXTURE["lora_A_std"], rel=0.02) == pytest.approx(1 / 4, rel=0.02)
    assert not any(t.any() for n, t in tensors[0].items() if "lora_B" in n)


@torch.no_grad()
def test_equal_features_give_what_the_latent_gave(unet: dict[str, Tensor]) -> None:
    with torch.device("meta"):
        plain = UNet(make.SD_MINI)
    plain.load_state_dict(unet, assign=True)
    latent, text = make.example("latent", (1, 4, 8, 8)), make.example("text", (1, 77, 64))
    judge = make_discriminator(make.JUDGE, unet, generator())
    assert equals(judge(latent.repeat(1, 8, 1, 1), text), plain(latent, 999, text))


@pytest.mark.parametrize("weights", ["lora", "all"])
def test_training_leaves_the_source_alone(unet: dict[str, Tensor], weights: str) -> None:
    before = {name: tensor.clone() for name, tensor in unet.items()}
    network = make_discriminator(replace(make.JUDGE, weights=weights), unet, generator())  # type: ignore[arg-type]
    trained = trainable_parameters(network)
    judged(network).mean().backward()
    assert {n for n, p in network.named_parameters() if p.grad is not None} == trained.keys()
    torch.optim.SGD(trained.values(), 1.0).step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in unet.items())
    assert len(trained) == (len(unet) if weights == "all" else len(FIXTURE["trained"]))


def test_a_wrong_unet_is_named() -> None:
    with pytest.raises(AdcbenchError, match=r"no conv_in\.weight"):
        make_discriminator(make.JUDGE, {}, generator())
    with pytest.raises(AdcbenchError, match=r"SD2\.1's U-Net: not a checkpoint of this network"):
        make_discriminator(
            make.JUDGE, {"conv_in.weight": torch.zeros(32, 4, 3, 3), "conv_in.bias": torch.zeros(32)}, generator()
        )
