"""SeeSR at mini size: parity with upstream's networks and its pipeline's loop, end to end."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch
from PIL import Image
from seesr_files import GOLDEN, fixture, official
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.tagger_files import TAGGER_FILES
from adcbench.systems.seesr import FULL, MINI, SeeSRConfig, system
from adcbench.systems.seesr import network as seesr
from adcbench.systems.seesr.network import Networks, SeeSR, load_networks, upscaler


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("seesr_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _load_make()  # the inputs that the fixtures were made from
LR = make.example("lr", 2, 3, 8, 12).div(4).add(0.5).clamp(0, 1)


@pytest.fixture(scope="module")
def certified(files: dict[str, Path]) -> SeeSR:
    """The mini network with the fixture's weights, through the loader of the official files."""
    return seesr.load_seesr(MINI, files)


@pytest.fixture(scope="module")
def exact(certified: SeeSR) -> SeeSR:
    """In float64, which every processor computes alike."""
    return copy.deepcopy(certified).double()


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(MINI, None)


def predict_control(network: SeeSR, given: dict[str, Tensor]) -> list[Tensor]:
    """The ControlNet's outputs."""
    with torch.inference_mode():
        control: list[Tensor] = network.controlnet(
            given["latent"], make.STEP, (given["text"], given["embeds"]), given["hint"]
        )
    return control


def predict(network: SeeSR, given: dict[str, Tensor], control: list[Tensor] | None = None) -> dict[str, Tensor]:
    """What ``make`` stored: the noise, the U-Net's middle block, the ControlNet's last output and its first."""
    inside: list[Tensor] = []
    control = control or predict_control(network, given)
    hook = network.unet.mid_block.register_forward_hook(lambda *call: inside.append(call[2]))
    with torch.inference_mode():
        noise = network.unet(given["latent"], make.STEP, (given["text"], given["embeds"]), control)
    hook.remove()
    return {"noise": noise, "inside": inside[0], "middle": control[-1], "first_side": control[0][..., :8, :8]}


def test_equals_upstream(exact: SeeSR) -> None:
    expected = fixture("mini")[1]
    for name, found in predict(exact, parity.suited(exact, make.inputs(**make.MINI_INPUTS))).items():
        assert parity.equals(found, expected[name], parity.DOUBLE), (name, parity.errors(found, expected[name]))


@pytest.mark.parametrize(("part", "others"), [("unet", ["inside"]), ("controlnet", ["middle"])])
@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_parameter_is_noticed(exact: SeeSR, part: str, others: list[str]) -> None:
    """On one of the two images, and for the U-Net with the ControlNet run once: more would only take longer."""
    given = parity.suited(exact, {name: value[:1] for name, value in make.inputs(**make.MINI_INPUTS).items()})
    control = predict_control(exact, given) if part == "unet" else None
    expected = fixture("mini")[1]

    def joint(outputs: dict[str, Tensor]) -> Tensor:
        return torch.cat([(outputs[name][:1] / expected[name].std()).flatten() for name in ["noise", *others]])

    def again() -> Tensor:
        return joint(predict(exact, given, control))

    assert parity.unnoticed(getattr(exact, part), again, joint(expected), parity.DOUBLE) == []


def test_full_size_equals_upstream(full_size: None) -> None:
    shapes, expected = fixture("full")
    with torch.device("meta"):
        network = SeeSR(FULL)
    assert {name for name in network.state_dict() if name.startswith(("unet.", "controlnet."))} == set(shapes)
    for part, tensors in official("full", 1.0).items():
        load_strict(getattr(network, part), tensors, part)
    for name, found in predict(network.eval(), make.inputs(**make.FULL_INPUTS)).items():
        errors = parity.errors(found, expected[name])
        print(name, errors)
        assert parity.equals(found, expected[name], parity.DEEP), (name, errors)


@pytest.fixture
def given_noise(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the sampler draw what ``make`` gave upstream's, from the start."""

    def reset() -> None:
        given = make.inputs(**{**make.MINI_INPUTS, "batch": 1})
        draws = make.noises(tuple(given["latent"].shape))
        monkeypatch.setattr(seesr, "shared_noise", lambda like: next(draws).double().expand(like.shape))

    return reset


GROWN = (2e-3, 4e-4)  # upstream's rounding grows over the steps, in tiles to 3e-4 deviations


@pytest.mark.parametrize("case", list(make.CASES))
def test_sampler_equals_upstreams_pipeline(
    exact: SeeSR, given_noise: Callable[[], None], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    given_noise()
    monkeypatch.setattr(Tensor, "float", parity.as_given)
    config = replace(MINI, steps=make.STEPS, guidance=make.GUIDANCE, **make.CASES[case])
    given = parity.suited(exact, make.inputs(**{**make.MINI_INPUTS, "batch": 1}))
    text = torch.cat([make.example("negative", *given["text"].shape).double(), given["text"]])
    with configured(exact, config), torch.inference_mode():
        assert seesr.prompts([""], config)[0] == config.negative_prompt  # first, as ``text`` here
        latent = seesr.restore(exact, given["hint"], text, given["embeds"])
    expected = fixture("mini")[1][f"sampled_{case}"]
    assert parity.equals(latent, expected, GROWN), parity.errors(latent, expected)


@contextmanager
def configured(network: SeeSR, config: SeeSRConfig) -> Iterator[None]:
    """A network under another configuration of the same sizes, for as long as the context lasts."""
    before, network.config = network.config, config
    try:
        yield
    finally:
        network.config = before


def test_steps_are_diffusers_leading_ones() -> None:
    taken = seesr.time_steps(FULL.steps)
    assert (len(taken), taken[:2], taken[-2:]) == (50, [981, 961], [21, 1])


def test_last_step_adds_no_noise() -> None:
    latent, noise = torch.randn(2, 4), torch.randn(2, 4)
    arrived = (seesr.ddpm_step(latent, noise, fresh, 1, -19) for fresh in (torch.zeros(2, 4), torch.ones(2, 4)))
    assert torch.equal(*arrived)


def test_prompts() -> None:
    negative = "dotted, noise, blur, lowres, smooth"
    assert seesr.prompts(["cat, tree", ""], FULL) == [
        negative,
        negative,
        "cat, tree, ,clean, high-resolution, 8k",
        ", ,clean, high-resolution, 8k",
    ]
    assert len(seesr.prompts(["cat"], replace(FULL, guidance=1.0))) == 1


def test_enlarges_as_pillow() -> None:
    pixels = (LR[0] * 255).round().byte().permute(1, 2, 0).numpy()
    expected = np.array(Image.fromarray(pixels).resize((48, 32)))
    assert np.array_equal((seesr.enlarge(LR[0], MINI) * 255).round().permute(1, 2, 0).numpy(), expected)
    assert seesr.enlarge(LR[0, :, :4, :5], MINI).shape == (3, 32, 40)  # to process_size first
    assert seesr.enlarge(LR[0, :, :, :9], replace(MINI, upscale=3)).shape == (3, 24, 32)  # 30 x 33 at first


def run(networks: Networks, lr: Tensor = LR, seed: int = 0, **changes: Any) -> Tensor:
    """The mini network under other settings, seeded as inference does."""
    config = replace(networks.seesr.config, **changes)
    with configured(networks.seesr, config), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return upscaler(networks, "float32")(lr)


def test_upscales_any_size_by_four(networks: Networks) -> None:
    sr = run(networks)
    assert sr.shape == (2, 3, 32, 48) and sr.dtype == torch.float32 and bool(sr.isfinite().all())
    for size in ((9, 13), (1, 3)):
        lr = torch.nn.functional.interpolate(LR[:1], size)
        assert run(networks, lr).shape == (1, 3, 4 * size[0], 4 * size[1])


def test_images_of_a_batch_do_not_meet(networks: Networks) -> None:
    """In larger images: few pixels at the lowest level make the group norms magnify rounding errors."""
    lr = torch.nn.functional.interpolate(LR, (32, 48))
    together, alone = run(networks, lr), torch.cat([run(networks, lr[:1]), run(networks, lr[1:])])
    assert (together - alone).abs().mean().item() == pytest.approx(0, abs=1e-3)


def test_seeds(networks: Networks) -> None:
    first, again, other = run(networks, LR[:1], 1), run(networks, LR[:1], 1), run(networks, LR[:1], 2)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.01)


@pytest.mark.parametrize(
    "change",
    [{"guidance": 1.0}, {"guidance": 2.0}, {"conditioning_scale": 0.0}, {"start_point": "noise"}, {"prompt": "fog"},
     {"added_prompt": ""}, {"negative_prompt": ""}, {"steps": 2}, {"start_step": 500}, {"tile": 4, "overlap": 1}],
    ids=str,
)  # fmt: skip
def test_settings_reach_the_latent(certified: SeeSR, networks: Networks, change: dict[str, Any]) -> None:
    """With the fixture's weights: the deterministic ones hardly react to texts."""
    lively = replace(networks, seesr=certified)
    latents = []
    for config in (MINI, replace(MINI, **change)):
        large = torch.stack([seesr.enlarge(LR[0], config)])
        embeds = networks.tagger.embeds(LR[:1])
        with configured(lively.seesr, config), torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            text = certified.text_encoder(networks.tokenize(seesr.prompts(["cat"], config)))
            latents.append(seesr.restore(certified, large, text, embeds))
    assert not torch.allclose(*latents, atol=1e-4)


def test_colour_fixes(networks: Networks) -> None:
    adain, wavelet, none = (run(networks, LR[:1], colour_fix=fix) for fix in ("adain", "wavelet", "nofix"))
    assert torch.allclose(none * 255, (none * 255).round(), atol=1e-3)
    assert not torch.allclose(adain, wavelet, atol=0.01) and not torch.allclose(adain, none, atol=0.01)


def test_autocast_is_near(networks: Networks) -> None:
    lr = torch.nn.functional.interpolate(LR[:1], (32, 48))
    full = run(networks, lr)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        half = upscaler(networks, "bfloat16")(lr)
    assert half.dtype == torch.float32 and (half - full).abs().mean() < 0.05


def test_wrong_calls(networks: Networks) -> None:
    with pytest.raises(AdcbenchError, match="dtype 'int8'"):
        upscaler(networks, "int8")
    with pytest.raises(AdcbenchError, match=r"RGB images \(B, 3, h, w\)"):
        upscaler(networks, "float32")(LR[0])
    with pytest.raises(AdcbenchError, match="steps is 0"):
        replace(MINI, steps=0)


def test_system_names_its_files() -> None:
    names = [file.name for file in system().files]
    assert len(names) == len(set(names)) and {file.name for file in TAGGER_FILES} <= set(names)
    assert {file.folder for file in system().files} == {"", "sd2-base", "sd21-base", "dape"}
