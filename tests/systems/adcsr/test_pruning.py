"""Pruning against upstream's own Net at mini size (tests/golden/adcsr_pruning)."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parity import OTHER_DRAWS, SAME_DRAWS, equals
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import FULL, TRAINED_MINI, AdcSRConfig, variants
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR, trainable_parameters
from adcbench.systems.adcsr.pruning import initial_student, prune_decoder, prune_unet
from adcbench.systems.checkpoints.weights import shapes
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import TRAINED_MINI as TEACHER

GOLDEN = Path(__file__).parents[2] / "golden" / "adcsr_pruning"
TRAINED_UNET, TRAINED_VAE = TEACHER.base.unet, TEACHER.base.vae  # the mini scale's, which the student is cut from


def load_make() -> Any:
    spec = importlib.util.spec_from_file_location("adcsr_pruning_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = load_make()
FIXTURE: dict[str, Any] = json.loads(gzip.decompress((GOLDEN / "pruned.json.gz").read_bytes()))
OUTPUTS = {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / "outputs.npz").items()}


def sources(unet: UNetConfig, decoder: AdcSRConfig) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Deterministic SD2.1 UNet and half decoder of a size."""
    with torch.device("meta"):
        networks = UNet(unet), HalfDecoder(decoder, latent=True)
    first, second = (make.weights(shapes(network)) for network in networks)
    return first, second


@pytest.fixture(scope="module")
def student() -> AdcSR:
    return initial_student(make.MINI, *sources(make.SD_MINI, make.MINI))


@pytest.mark.skipif(not SAME_DRAWS, reason=OTHER_DRAWS)
def test_every_tensor_equals_upstreams(student: AdcSR) -> None:
    ours = {name: make.fingerprint(tensor) for name, tensor in student.state_dict().items()}
    assert {name: ours[name] for name in FIXTURE["pruned"]} == FIXTURE["pruned"]
    assert {name.split(".")[1] for name in ours.keys() - FIXTURE["pruned"].keys()} == {
        "up_blocks", "conv_norm_out", "conv_out"
    }  # fmt: skip


def test_the_output_equals_upstreams(student: AdcSR) -> None:
    with torch.no_grad():
        assert equals(student.features(make.example("lr", (2, 3, 32, 16))), OUTPUTS["student"])


def test_stage_2_trains_all_but_the_decoders_tail() -> None:
    with torch.device("meta"):
        network = AdcSR(FULL)
    assert sum(p.numel() for p in trainable_parameters(network).values()) == 446_321_744
    assert not network.decoder.conv_out.weight.requires_grad and network.unet.conv_in.weight.requires_grad
    assert len(trainable_parameters(network, whole_decoder=True)) == len(list(network.parameters()))


@pytest.mark.parametrize("name", variants())
def test_every_variant_starts_and_runs(name: str) -> None:
    config = variants(TRAINED_MINI)[name]
    unet, decoder = sources(TRAINED_UNET, config)
    with torch.device("meta"):
        vae = Vae(TRAINED_VAE)
    null = torch.full((1, config.tokens, config.context), 0.5)
    student = initial_student(config, unet, decoder, make.weights(shapes(vae)), null)
    text = torch.rand(2, config.tokens, config.context) if config.text == "given" else None
    sr = student(torch.rand(2, 3, 16, 32), text=text)
    assert sr.shape == (2, 3, 64, 128) and bool(sr.isfinite().all())
    assert not any(tensor.is_meta for tensor in student.state_dict().values())
    if config.text == "null":
        assert torch.equal(student.null_text, null)


@pytest.mark.parametrize(("source", "factor"), [("pixels", 1.0), ("bicubic", 12 / 192)])
def test_conv_in_repeats_the_latents_channels(source: Any, factor: float) -> None:
    config = replace(TRAINED_MINI, source=source)
    unet, decoder = sources(TRAINED_UNET, config)
    weight, origin = initial_student(config, unet, decoder).unet.conv_in.weight, unet["conv_in.weight"]
    width, latent = len(weight), origin.shape[1]
    assert weight.shape[1] == (12 if source == "pixels" else 192)
    for channel in range(weight.shape[1]):
        assert torch.equal(weight[:, channel], origin[:width, channel % latent] * factor)


def test_conv_out_repeats_the_latents_channels() -> None:
    unet, _ = sources(TRAINED_UNET, TRAINED_MINI)
    with torch.device("meta"):
        student = AdcSR(TRAINED_MINI)
    pruned = prune_unet(unet, student)
    weight, origin = pruned["conv_out.weight"], unet["conv_out.weight"]
    assert len(weight) == TRAINED_MINI.decoder_widths[-1] > len(origin)
    for channel in range(len(weight)):
        assert torch.equal(weight[channel], origin[channel % len(origin), : weight.shape[1]])
        assert pruned["conv_out.bias"][channel] == unet["conv_out.bias"][channel % len(origin)]


def test_the_decoder_is_cut_to_its_first_channels() -> None:
    with torch.device("meta"):
        whole, half = Vae(TRAINED_VAE).decoder, HalfDecoder(TRAINED_MINI, latent=True)
    tensors = make.weights(shapes(whole))
    pruned = prune_decoder(tensors, half)
    assert {name: tuple(t.shape) for name, t in pruned.items()} == shapes(half)
    narrow, wide = TRAINED_MINI.decoder_widths[0], TRAINED_MINI.decoder_widths[-1]
    assert torch.equal(pruned["conv_in.weight"], tensors["conv_in.weight"][:wide])
    assert torch.equal(pruned["conv_out.weight"], tensors["conv_out.weight"][:, :narrow])


def test_the_mini_student_is_cut_from_the_mini_teacher() -> None:
    assert TRAINED_MINI.unet_widths == tuple(w * 75 // 100 for w in TRAINED_UNET.widths)
    assert TRAINED_MINI.decoder_widths == tuple(w // 2 for w in TRAINED_VAE.widths)
    assert TRAINED_MINI.encoder_widths == TRAINED_VAE.widths
    assert (TRAINED_MINI.heads, TRAINED_MINI.layers) == (TRAINED_UNET.heads, TRAINED_UNET.layers)
    assert TRAINED_MINI.layers == TRAINED_VAE.layers
    assert (TRAINED_MINI.tokens, TRAINED_MINI.context) == (TEACHER.base.text.tokens, TRAINED_UNET.context)
    assert variants(TRAINED_MINI)["unet-100"].unet_widths == TRAINED_UNET.widths
    assert variants(TRAINED_MINI)["decoder-100"].decoder_widths == TRAINED_VAE.widths


def test_nothing_is_shared_with_the_sources() -> None:
    unet, decoder = sources(make.SD_MINI, make.MINI)
    before = {name: tensor.clone() for name, tensor in {**unet, **decoder}.items()}
    with torch.no_grad():
        for parameter in initial_student(make.MINI, unet, decoder).parameters():
            parameter.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in {**unet, **decoder}.items())


def test_wrong_sources_are_named() -> None:
    unet, decoder = sources(make.SD_MINI, make.MINI)
    with pytest.raises(AdcbenchError, match=r"SD2\.1's U-Net: conv_in\.weight is .*too small"):
        initial_student(FULL, unet, decoder)
    with pytest.raises(AdcbenchError, match=r"the half decoder has no tensor 'mid_block"):
        initial_student(make.MINI, unet, {})
    with pytest.raises(AdcbenchError, match=r"the VAE has no tensor 'encoder"):
        initial_student(replace(make.MINI, source="vae"), unet, decoder)


def test_a_given_text_must_be_given() -> None:
    config = variants(TRAINED_MINI)["text"]
    with pytest.raises(AdcbenchError, match='text="given"'):
        initial_student(config, *sources(TRAINED_UNET, config))(torch.zeros(1, 3, 16, 16))
