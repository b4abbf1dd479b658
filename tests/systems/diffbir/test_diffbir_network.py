"""DiffBIR v1: its networks, sampler and pipeline against upstream's, and the system."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import parity
import pytest
import torch
from diffbir_files import FILES, GOLDEN, from_manifest, make
from PIL import Image
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest
from adcbench.inference.forward import to_pixels
from adcbench.systems.diffbir import FULL, MINI, NEGATIVE_PROMPT, DiffBIRConfig, load, system
from adcbench.systems.diffbir.network import DiffBIR, enlarge, upscaler, working_size
from adcbench.systems.layers.pixels import shared_noise
from adcbench.systems.layers.tokenizer import load_tokenizer

LR = torch.rand((2, 3, 16, 24), generator=torch.Generator().manual_seed(3))


def expected(size: str) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / f"{size}.npz").items()}


@pytest.fixture(scope="module")
def exact(certified: DiffBIR) -> DiffBIR:
    """In float64, which every processor computes alike."""
    return copy.deepcopy(certified).double()


def outputs(network: DiffBIR, *names: str) -> dict[str, Tensor]:
    """What the fixtures hold of a network, or some of it."""
    given = parity.suited(network, make.inputs(network.config))
    pair = torch.cat([given["latent"], given["condition"]], 1)
    runs = {
        "stage1": lambda: network.clean(given["image"]),
        "control": lambda: make.joined(network.controlnet(pair, make.STEP, given["text"])),
        "noise": lambda: network.predict(given["latent"], given["condition"], make.STEP, [given["text"]]),
        "encoded": lambda: network.vae.encode(given["image"] * 2 - 1, None),
        "decoded": lambda: network.vae.decode(given["latent"][:, :, :8, :12]),
        "embedding": lambda: network.text_encoder(given["ids"]),
    }
    with torch.inference_mode():
        return {name: make.cropped(name, runs[name]()) for name in names or runs}


def with_config(network: DiffBIR, **changes: object) -> DiffBIR:
    """The same networks under other settings."""
    other = DiffBIR.__new__(DiffBIR)
    other.__dict__ = {**network.__dict__, "config": replace(network.config, **changes)}
    return other


def run(network: DiffBIR, lr: Tensor = LR, seed: int = 0, **changes: object) -> Tensor:
    """The pipeline under other settings, seeded as inference does."""
    tokenize = load_tokenizer(None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return upscaler(with_config(network, **changes), tokenize, "float32")(lr)


@pytest.mark.parametrize("name", ["stage1", "control", "noise", "encoded", "decoded", "embedding"])
def test_networks_equal_upstream_s(exact: DiffBIR, name: str) -> None:
    found = outputs(exact, name)[name]
    assert parity.equals(found, expected("mini")[name], parity.DOUBLE), parity.errors(found, expected("mini")[name])


def test_networks_equal_upstream_s_at_full_size(full_size: None) -> None:
    found = outputs(from_manifest("full"))
    errors = {name: parity.errors(found[name], value) for name, value in expected("full").items()}
    print(errors)
    assert all(parity.equals(found[name], value, parity.DEEP) for name, value in expected("full").items()), errors


CANCELLED = {  # softmax takes away what a key's bias adds to all scores of a query
    "encoded": ["mid_block.attentions.#.to_k.bias"],
    "decoded": ["mid_block.attentions.#.to_k.bias"],
    "embedding": ["text_model.encoder.layers.#.self_attn.k_proj.bias"],
}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("stage1", ["swinir"]),
        ("control", ["controlnet"]),
        ("noise", ["unet"]),
        ("encoded", ["vae.encoder", "vae.quant_conv"]),
        ("decoded", ["vae.decoder", "vae.post_quant_conv"]),
        ("embedding", ["text_encoder"]),
    ],
)
@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_parameter_matters(exact: DiffBIR, name: str, parts: list[str]) -> None:
    quiet = []
    for part in parts:
        owner = exact.get_submodule(part)
        quiet += parity.unnoticed(owner, lambda: outputs(exact, name)[name], expected("mini")[name], parity.DOUBLE)
    assert quiet == CANCELLED.get(name, [])


@pytest.mark.parametrize(("name", "tile"), [("sampled", 0), ("sampled_tiled", make.TILE)])
def test_sampler_equals_upstream_s(certified: DiffBIR, name: str, tile: int) -> None:
    given = make.inputs(MINI)
    changes = {
        "guidance": make.GUIDANCE,
        "strength": make.STRENGTH,
        "steps": make.SAMPLES,
        "tile": tile,
        "tile_stride": make.STRIDE,
    }
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(make.SEED)
        found = with_config(certified, **changes).diffuse(given["condition"], [given["text"], given["negative"]])
    assert parity.equals(found, expected("mini")[name], parity.DEEP), parity.errors(found, expected("mini")[name])


def test_pipeline_equals_upstream_s(certified: DiffBIR) -> None:
    """Enlarged, brought up to 512, padded, restored, cropped, coloured, shrunk and cut to 8 bits."""
    lr = torch.from_numpy(make.lr_image()).permute(2, 0, 1)[None] / 255
    network = copy.deepcopy(certified)
    network.swinir.conv_last.weight.mul_(make.QUIETER)
    sr = run(network, lr, make.SEED, smallest=512, steps=make.PIPELINE_STEPS)[make.CROP]
    levels = torch.from_numpy(to_pixels(sr, "truncate")).permute(2, 0, 1)[None]
    difference = (levels.float() - expected("mini")["pipeline"].float()).abs()
    assert expected("mini")["pipeline"].float().std() > 10
    assert difference.max() <= 1 and difference.mean() < 1e-3  # float rounding at the edge between two levels


def test_noise_is_the_same_for_each_image() -> None:
    torch.manual_seed(0)
    noise = shared_noise(torch.zeros(3, 4, 8, 12))
    torch.manual_seed(0)
    assert torch.equal(noise[0], noise[2]) and torch.equal(noise[:1], shared_noise(torch.zeros(1, 4, 8, 12)))


def test_upscales_by_four(network: DiffBIR) -> None:
    sr = run(network)
    assert sr.shape == (2, 3, 64, 96) and sr.dtype == torch.float32
    assert bool(sr.isfinite().all())


@pytest.mark.parametrize("size", [(17, 13), (16, 25), (1, 3), (20, 16)])
def test_any_size(network: DiffBIR, size: tuple[int, int]) -> None:
    lr = torch.rand(1, 3, *size)
    sr = run(network, lr, steps=1)
    assert sr.shape == (1, 3, 4 * size[0], 4 * size[1])
    assert bool(sr.isfinite().all())


def test_images_of_a_batch_are_apart(network: DiffBIR) -> None:
    assert torch.allclose(run(network)[1:], run(network, LR[1:]), atol=1e-4)


def test_settings_change_the_output(network: DiffBIR) -> None:
    lr, plain = LR[:1], run(network, LR[:1])
    assert torch.equal(plain, run(network, lr))
    assert torch.equal(plain, run(network, lr, negative_prompt="blurry"))  # not run without guidance
    changes: list[dict[str, Any]] = [
        {"seed": 1}, {"steps": 4}, {"strength": 0.0}, {"start": "cond"}, {"colour_fix": "nofix"}, {"prompt": "sharp"},
        {"guidance": 4.0, "negative_prompt": NEGATIVE_PROMPT},
    ]  # fmt: skip
    with_others = [run(network, lr, **change) for change in changes]
    assert not [change for change, other in zip(changes, with_others, strict=True) if torch.equal(plain, other)]


def test_guidance_of_equal_prompts_is_none(network: DiffBIR) -> None:
    assert torch.allclose(run(network, guidance=4.0), run(network), atol=1e-4)


def test_tiles_no_smaller_than_the_image_change_nothing(network: DiffBIR) -> None:
    lr = torch.rand(1, 3, 16, 16)
    assert torch.equal(run(network, lr), run(network, lr, tile=128, tile_stride=64, stage1_tile=128, stage1_stride=64))
    cut = run(network, LR[:1], stage1_tile=64, stage1_stride=32)
    assert not torch.equal(cut, run(network, LR[:1]))


def test_enlarging_is_pillow_s() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    ours = enlarge(torch.from_numpy(pixels).permute(2, 0, 1) / 255, 4)
    larger = Image.fromarray(pixels).resize((56, 36), Image.Resampling.BICUBIC)
    assert np.array_equal((ours * 255).round().byte().permute(1, 2, 0).numpy(), np.array(larger))


def test_working_sizes() -> None:
    assert working_size(512, 512, 512) == (512, 512) and working_size(600, 700, 512) == (600, 700)
    assert working_size(384, 520, 512) == (512, 693) and working_size(520, 384, 512) == (693, 512)
    assert working_size(100, 100, 512) == (512, 512)


def test_systems() -> None:
    for made, name, scale in ((system(), "diffbir", "full"), (system(MINI).mini(), "diffbir-mini", "mini")):
        assert (made.name, made.scale) == (name, scale)
        assert "231" in made.seed_use
        assert digest(made.settings()) != digest({**made.settings(), "guidance": 4.0})
        json.dumps(made.settings())
    assert [file.name for file in system().files][:3] == list(FILES)
    assert not system(MINI).mini().files
    assert FULL.guidance == 1 and FULL.steps == 50 and FULL.prompt == FULL.negative_prompt == ""  # v1, as released


def test_reduced_precision() -> None:
    torch.manual_seed(0)
    half = load(MINI, None, "cpu", "bfloat16")(LR[:1])
    assert half.dtype == torch.float32 and bool(half.isfinite().all())


def test_bad_arguments(network: DiffBIR) -> None:
    with pytest.raises(AdcbenchError, match="RGB images"):
        run(network, LR[:, :1])
    with pytest.raises(AdcbenchError, match="dtype 'int8'"):
        load(MINI, None, "cpu", "int8")
    with pytest.raises(AdcbenchError, match="steps is 0; it must be 1 to 1000"):
        DiffBIRConfig(steps=0)
    with pytest.raises(AdcbenchError, match="tile 500 with stride 256; a tile is a multiple of 64 pixels"):
        DiffBIRConfig(tile=500)
