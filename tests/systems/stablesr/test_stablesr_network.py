"""StableSR against upstream's own classes (tests/golden/stablesr), and its inference path at mini size."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch
from stablesr_files import GOLDEN, make, official_files
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.stablesr import CFW_FILE, DIFFUSION_FILE, FULL, MINI, StableSRConfig, system
from adcbench.systems.stablesr.network import StableSR, enlarge, load_network, schedule, upscaler

LR = torch.rand((2, 3, 32, 32), generator=torch.Generator().manual_seed(3))
# Softmax takes no notice of what is added to all scores of a query, as a key's bias does.
KEY_BIASES = {
    "text_encoder": ["text_model.encoder.layers.#.self_attn.k_proj.bias"],
    "vae": ["decoder.mid_block.attentions.#.to_k.bias", "encoder.mid_block.attentions.#.to_k.bias"],
}


def fixtures(scale: str) -> dict[str, Tensor]:
    """Upstream's outputs; the structure encoder's maps as one, and the U-Net's noise and middle block as one."""
    found = {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / f"{scale}.npz").items()}
    maps = torch.cat([found.pop(name).flatten() for name in sorted(found) if name.startswith("map")])
    return {"maps": maps, "unet": join(found.pop("noise"), found.pop("middle")), **found}


def join(noise: Tensor, middle: Tensor) -> Tensor:
    """The U-Net's two outputs, at comparable sizes: the middle block's own small layers hardly move the noise."""
    return torch.cat([noise.flatten(), middle.flatten() / 50])


@pytest.fixture(scope="module")
def exact(network: StableSR) -> StableSR:
    """In float64, which every processor computes alike."""
    return copy.deepcopy(network).double()


def outputs(network: StableSR) -> dict[str, Callable[[], Tensor]]:
    """Our side of the fixtures, by their names."""
    given = parity.suited(network, make.inputs(network.config))

    def maps() -> list[Tensor]:
        return network.structure_encoder(given["lr"], make.STEP)

    told = maps()

    def denoise() -> Tensor:
        middles: list[Tensor] = []
        hook = network.unet.mid_block.register_forward_hook(lambda *args: middles.append(args[-1]))
        noise = network.denoise(given["latent"], make.STEP, given["text"], *told)
        hook.remove()
        return join(noise, *middles)

    def image() -> Tensor:
        _, features = network.vae.encode_with_features(given["image"], None)
        return network.vae.decode_with_features(given["code"], features)

    return {
        "maps": lambda: torch.cat([make.crop("map", x).flatten() for x in maps()]),
        "unet": denoise,
        "code": lambda: network.vae.encode(given["image"], None),
        "image": image,
        "text": lambda: make.crop("text", network.text_encoder(given["ids"])),
    }


@torch.inference_mode()
def test_networks_equal_upstreams(exact: StableSR) -> None:
    expected = fixtures("mini")
    for name, run in outputs(exact).items():
        assert parity.equals(run(), expected[name], parity.DOUBLE), (name, parity.errors(run(), expected[name]))


@torch.no_grad()
@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("structure_encoder", ("maps",)),
        ("unet", ("unet",)),
        ("vae", ("image", "code")),
        ("text_encoder", ("text",)),
    ],
)
@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_the_fixtures_notice_every_group_of_parameters(exact: StableSR, part: str, names: tuple[str, ...]) -> None:
    expected, ours, owner = fixtures("mini"), outputs(exact), exact.get_submodule(part)
    quiet = [set(parity.unnoticed(owner, ours[name], expected[name], parity.DOUBLE)) for name in names]
    assert sorted(set.intersection(*quiet)) == KEY_BIASES.get(part, [])


@torch.inference_mode()
@pytest.mark.parametrize(("name", "lr", "start"), [("sampled", "lr", "noise"), ("sampled_in_windows", "wide", "lr")])
def test_sampler_equals_upstreams(network: StableSR, name: str, lr: str, start: str) -> None:
    given, expected = make.inputs(MINI), fixtures("mini")[name]
    draws = make.noises(given[lr].shape)
    before = network.config
    network.config = replace(MINI, start=start)
    try:
        found = network.sample(given[lr], given["text"], lambda _: next(draws))
    finally:
        network.config = before
    assert parity.equals(found, expected, parity.DEEP), parity.errors(found, expected)


def test_schedule_equals_upstreams() -> None:
    expected, ours = fixtures("mini"), schedule(200)[::-1]
    assert [step.time for step in ours] == expected["times"].tolist()
    for name, values in (
        ("posterior_mean_coef1", [step.clean for step in ours]),
        ("posterior_mean_coef2", [step.noisy for step in ours]),
        ("posterior_variance", [step.deviation**2 for step in ours]),
    ):
        assert np.allclose(values, expected[name], rtol=1e-4, atol=1e-7), name


@torch.no_grad()
def test_full_size_equals_upstreams(full_size: None, tmp_path: Path) -> None:
    network = load_network(FULL, official_files(tmp_path, "full"))
    expected = fixtures("full")
    for name, run in outputs(network).items():
        found = run()
        print(name, parity.errors(found, expected[name]))
        assert parity.equals(found, expected[name], parity.DEEP), name


def upscale(network: StableSR, lr: Tensor, seed: int = 0, **changes: object) -> Tensor:
    before = network.config
    network.config = replace(before, **changes)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return upscaler(network, "float32")(lr)
    finally:
        network.config = before


@pytest.fixture(scope="module")
def untrained() -> StableSR:
    return load_network(MINI, None)


def test_images_of_a_batch_do_not_depend_on_each_other(untrained: StableSR) -> None:
    assert torch.allclose(upscale(untrained, LR)[1:], upscale(untrained, LR[1:]), atol=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (41, 33), (5, 9), (33, 70)])
def test_any_size(untrained: StableSR, size: tuple[int, int]) -> None:
    sr = upscale(untrained, LR[:1].repeat(1, 1, 2, 3)[..., : size[0], : size[1]])
    assert sr.shape == (1, 3, 4 * size[0], 4 * size[1])
    assert bool(sr.isfinite().all())
    assert float(sr.min()) >= 0 and float(sr.max()) <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 4},
        {"cfw_weight": 1.0},
        {"start": "lr"},
        {"posterior": "mean"},
        {"colour_fix": "nofix"},
        {"upsampling": "bicubic"},
        {"seed": 1},
    ],
)
def test_every_setting_and_the_seed_change_the_output(untrained: StableSR, changes: dict[str, Any]) -> None:
    if "cfw_weight" in changes:
        network = load_network(replace(MINI, **changes), None)
        changes = {}
    else:
        network = untrained
    assert not torch.allclose(upscale(untrained, LR[:1]), upscale(network, LR[:1], **changes), atol=1e-4)


def test_enlarges_small_images_to_the_size_of_a_window() -> None:
    image = torch.zeros(1, 3, 64, 100)
    assert enlarge(image, FULL).shape == (1, 3, 512, 800)
    assert enlarge(image.new_zeros(1, 3, 128, 200), FULL).shape == (1, 3, 512, 800)


def test_systems() -> None:
    assert {file.name for file in system().files} == {DIFFUSION_FILE, CFW_FILE}
    assert all(file.non_commercial for file in system().files)
    assert system().config == FULL and system(MINI).mini().config == MINI
    with pytest.raises(AdcbenchError, match="steps is 1"):
        StableSRConfig(steps=1)
    with pytest.raises(AdcbenchError, match="takes RGB images"):
        system(MINI).mini().load(None, "cpu", "float32")(torch.zeros(3, 8, 8))
