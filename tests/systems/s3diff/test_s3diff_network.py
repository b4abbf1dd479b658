"""S3Diff against upstream's own classes, and its inference path."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import parity
import pytest
import torch
import torch.nn.functional as F
from s3diff_files import GOLDEN, make, official
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers import colour
from adcbench.systems.layers.pixels import truncate
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE, one_step
from adcbench.systems.s3diff import DEGRADATION_FILE, FULL, LORA_FILE, MINI, S3DiffConfig, load, system
from adcbench.systems.s3diff.network import ModulatedLora, S3Diff, upscaler
from adcbench.systems.s3diff.weights import load_lora

LR = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(1))
Tensors = dict[str, Tensor]
LIMITS = (2 * parity.DOUBLE[0], 2 * parity.DOUBLE[1])  # the image is enlarged in float32 all the same


@pytest.fixture
def exact(network: S3Diff, monkeypatch: pytest.MonkeyPatch) -> S3Diff:
    """In float64, which every processor computes alike."""
    monkeypatch.setattr(Tensor, "float", parity.as_given)
    return copy.deepcopy(network).double()


@pytest.fixture
def changed(network: S3Diff) -> Iterator[Any]:
    """Changes settings of the network for one test."""
    before = network.config

    def change(**changes: Any) -> S3Diff:
        network.config = replace(before, **changes)
        return network

    yield change
    network.config = before


def expected(size: str) -> Tensors:
    return {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / f"{size}.npz").items()}


def image(network: S3Diff, size: str) -> Tensor:
    given = parity.suited(network, make.inputs(size))
    return network(given["lr"], given["image"], torch.tensor(make.IDS), given["noise"])[..., ::2, ::2]


def outputs(network: S3Diff, size: str) -> Tensors:
    """What upstream's run kept, from ours."""
    given, found = parity.suited(network, (make.inputs(size), expected(size)))
    network.follow(given["lr"])
    prompts = network.text_encoder(torch.tensor(make.IDS))
    positive, negative = (network.unet(found["latent"], 999, text.expand(len(given["lr"]), -1, -1)) for text in prompts)
    return {
        "scores": network.degradation(given["lr"]),
        "latent": network.vae.encode(given["image"], given["noise"]),
        "positive": positive,
        "negative": negative,
        "image": image(network, size),
    }


def test_equals_upstream(exact: S3Diff) -> None:
    golden = expected("mini")
    found, whole = outputs(exact, "mini"), exact.config
    exact.config = replace(whole, tile=make.TILE, overlap=make.OVERLAP)
    found["tiled"] = image(exact, "mini")
    exact.config = whole
    assert {name for name in golden if not parity.equals(found[name], golden[name], LIMITS)} == set()
    assert not parity.equals(found["tiled"], golden["image"], LIMITS)


# softmax takes out what every query finds alike, so that these cannot matter
_CANCELLED = {"encoder.mid_block.attentions.#.to_k.base_layer.bias", "decoder.mid_block.attentions.#.to_k.bias",
              "text_model.encoder.layers.#.self_attn.k_proj.bias"}  # fmt: skip


@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_parameter_matters(exact: S3Diff) -> None:
    """Each network's to what it alone computes, of the first image."""
    network = exact
    golden, given = (
        parity.suited(network, {name: value[:1] for name, value in tensors.items()})
        for tensors in (expected("mini"), make.inputs("mini"))
    )
    ids = torch.tensor(make.IDS)
    network.follow(given["lr"])
    text = network.text_encoder(ids)

    def restored() -> Tensor:
        return network(given["lr"], given["image"], ids, given["noise"])[..., ::2, ::2]

    def decoded() -> Tensor:
        noise = network.config.guidance * (golden["positive"] - golden["negative"]) + golden["negative"]
        return network.vae.decode(one_step(golden["latent"], noise)).clamp(-1, 1)[..., ::2, ::2]

    vae = network.vae
    runs: list[tuple[nn.Module, Callable[[], Tensor], str]] = [
        (network.degradation, lambda: network.degradation(given["lr"]), "scores"),
        (
            nn.ModuleDict({"encoder": vae.encoder, "quant_conv": vae.quant_conv}),
            lambda: vae.encode(given["image"], given["noise"]),
            "latent",
        ),
        (network.unet, lambda: network.unet(golden["latent"], 999, text[:1]), "positive"),
        (nn.ModuleDict({"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv}), decoded, "image"),
        (network.text_encoder, restored, "image"),
        (network.modulators, restored, "image"),
        (nn.ParameterDict({"W": network.W}), restored, "image"),
    ]
    quiet = [group for part, run, name in runs for group in parity.unnoticed(part, run, golden[name], LIMITS)]
    assert set(quiet) == _CANCELLED


def test_full_size_equals_upstream(full_size: None) -> None:
    content = official("full")
    with torch.device("meta"):
        network = S3Diff(FULL, lora=False)
    for part, file in (("unet", UNET_FILE), ("vae", VAE_FILE), ("text_encoder", TEXT_FILE)):
        load_strict(network.get_submodule(part), content.pop(file), file)
    load_strict(network.degradation, content.pop(DEGRADATION_FILE), DEGRADATION_FILE)
    load_lora(network, content.pop(LORA_FILE), LORA_FILE)
    network.eval().requires_grad_(False)
    found, golden = outputs(network, "full"), expected("full")
    print({name: parity.errors(found[name], golden[name]) for name in golden})
    assert {name for name in golden if not parity.equals(found[name], golden[name], parity.DEEP)} == set()


def test_layers_at_full_size() -> None:
    with torch.device("meta"):
        network = S3Diff(FULL)
    layers = {part: [m for m in network.get_submodule(part).modules() if isinstance(m, ModulatedLora)]
              for part in ("unet", "vae")}  # fmt: skip
    assert {part: len(found) for part, found in layers.items()} == {"unet": 257, "vae": 31}
    assert {m.scale for m in layers["unet"]} == {0.25} and {m.scale for m in layers["vae"]} == {0.5}
    adapters = {part: sum(p.numel() for n, p in network.get_submodule(part).named_parameters() if ".lora_" in n)
                for part in ("unet", "vae")}  # fmt: skip
    assert adapters == {"unet": 32_434_304, "vae": 1_477_168}


def run(network: S3Diff, lr: Tensor = LR, seed: int = 0, dtype: str = "float32") -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return upscaler(network, torch.tensor(make.IDS), dtype)(lr)


@pytest.mark.parametrize("size", [(1, 1), (17, 13), (16, 33)])
def test_any_size(network: S3Diff, size: tuple[int, int]) -> None:
    sr = run(network, F.interpolate(LR[:1], size))
    assert sr.shape == (1, 3, 4 * size[0], 4 * size[1]) and bool(sr.isfinite().all())


def test_images_of_a_batch_are_independent(network: S3Diff) -> None:
    together, alone = run(network)[1:], run(network, LR[1:])
    assert parity.levels_apart(together, alone) <= 1  # a level may fall either way
    assert (together - alone).abs().mean().item() == pytest.approx(0, abs=1e-4)


def test_seeds(network: S3Diff, changed: Any) -> None:
    assert torch.equal(run(network, seed=1), run(network, seed=1))
    assert not torch.equal(run(network, seed=1), run(network, seed=2))
    mean = changed(posterior="mean")
    assert torch.equal(run(mean, seed=1), run(mean, seed=2))


def test_the_lora_follows_the_image(network: S3Diff) -> None:
    given = make.inputs("mini")
    ids, latents = torch.tensor(make.IDS), []
    for lr in (given["lr"], given["lr"].flip(0)):
        latents.append(network(lr, given["image"], ids, given["noise"]))
    assert not torch.allclose(*latents, atol=1e-3)


def test_guidance(network: S3Diff, changed: Any) -> None:
    given = make.inputs("mini")
    network.follow(given["lr"])
    text = network.text_encoder(torch.tensor(make.IDS))
    positive, negative = (changed(guidance=weight).guided(given["noise"], text) for weight in (1.0, 0.0))
    assert torch.allclose(
        changed(guidance=1.07).guided(given["noise"], text), 1.07 * positive - 0.07 * negative, atol=1e-5
    )


def test_colour_fixes(changed: Any) -> None:
    """On 8-bit levels of output and enlarged input, the padding cut off."""
    lr = LR[..., :15, :21]
    large = truncate(F.interpolate(lr, (60, 84), mode="bilinear"))
    plain = run(changed(colour_fix="nofix"), lr)
    assert torch.allclose(plain * 255, (plain * 255).round(), atol=1e-3)
    assert torch.allclose(run(changed(colour_fix="wavelet"), lr), colour.wavelet(plain, large), atol=1e-6)
    assert torch.allclose(run(changed(colour_fix="adain"), lr), colour.adain(plain, large), atol=1e-6)


def test_narrow_latents_in_tiles(changed: Any) -> None:
    """Upstream never ends where the tile is no wider than the overlap."""
    sr = run(changed(tile=9, overlap=8), LR[:1, :, :16, :24])
    assert sr.shape == (1, 3, 64, 96) and bool(sr.isfinite().all())


def test_bfloat16_keeps_the_matrices_in_float32(network: S3Diff) -> None:
    full, half = run(network, LR[:1]), run(network, LR[:1], dtype="bfloat16")
    assert half.dtype == torch.float32 and bool(half.isfinite().all()) and not torch.equal(half, full)
    matrices = {m.matrix.dtype for m in network.modules() if isinstance(m, ModulatedLora) and m.matrix is not None}
    assert matrices == {torch.float32}


def test_systems() -> None:
    for made, name, scale in ((system(), "s3diff", "full"), (system(MINI).mini(), "s3diff-mini", "mini")):
        assert (made.name, made.scale) == (name, scale) and "posterior" in made.seed_use
        json.dumps(made.settings())
    assert {file.folder for file in system().files if file.name.endswith("safetensors")} == {"sd-turbo"}
    assert system().get == "adcbench weights fetch s3diff" and not system(MINI).mini().files
    assert system(replace(MINI, posterior="mean")).mini().seed_use == ""
    assert system(MINI).mini().load(None, "cpu", "float32")(LR[:1]).shape == (1, 3, 64, 96)


def test_bad_arguments(network: S3Diff) -> None:
    with pytest.raises(AdcbenchError, match="RGB images"):
        run(network, LR[:, :1])
    with pytest.raises(AdcbenchError, match="dtype 'int8'"):
        load(MINI, None, "cpu", "int8")
    with pytest.raises(AdcbenchError, match="overlap is 96; it must be 0 or more and below tile, 96"):
        S3DiffConfig(overlap=96)
