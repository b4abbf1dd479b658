"""PASD against upstream's networks and pipeline (tests/golden/pasd), and its mini system end to end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import parity
import pytest
import torch
from pasd_files import GOLDEN, golden, golden_make, loaded
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.pasd import CONTROLNET_FILE, FULL, MINI, TEXT_FILE, UNET_FILE, VAE_FILE, PASDConfig, load, system
from adcbench.systems.pasd.network import PASD
from adcbench.systems.pasd.sampling import guided_noise, sample, start, upscaler

RGBS = "controlnet_cond_embedding.to_rgbs"
LR = torch.rand((2, 3, 10, 14), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def exact() -> PASD:
    """In float64, which every processor computes alike."""
    return loaded("mini").double()


def joint(network: PASD, size: str) -> Tensor:
    latent, text, image = parity.suited(network, golden_make.inputs(size))
    return network(latent, golden_make.STEP, text, image)


def sides(network: PASD) -> list[Tensor]:
    latent, text, image = parity.suited(network, golden_make.inputs("mini"))
    return network.controlnet(latent, golden_make.STEP, text, image)


def unet_middle(network: PASD) -> Tensor:
    (latent, text, _), unet = parity.suited(network, golden_make.inputs("mini")), network.unet
    return unet.down(unet.conv_in(latent), unet.conditioning(latent, golden_make.STEP, text))[1]


def embedding(network: PASD) -> Tensor:
    return network.text_encoder(torch.tensor(golden_make.IDS))


def pictures(network: PASD, size: str) -> Tensor:
    image = parity.suited(network, golden_make.inputs(size))[2]
    shown = network.controlnet.controlnet_cond_embedding.features_and_pictures(image)[1]
    return torch.cat([picture[:, :, :8, :8].flatten() for picture in shown])


def check(network: PASD, size: str, limits: parity.Limits) -> None:
    expected = golden(size)
    assert parity.equals(joint(network, size), expected["noise"], limits)
    found = embedding(network)[:, : expected["embedding"].shape[1]]
    assert parity.equals(found, expected["embedding"], limits)
    shown = torch.cat([expected[f"picture{i}"].flatten() for i in range(3)])
    assert parity.equals(pictures(network, size), shown, limits)


def test_equals_upstream(exact: PASD) -> None:
    check(exact, "mini", parity.DOUBLE)


def test_equals_upstream_at_full_size(full_size: None) -> None:
    check(loaded("full"), "full", parity.DEEP)


@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_no_parameter_goes_unnoticed(exact: PASD) -> None:
    """Some of the middle blocks show in their own outputs only: the mini latent has two pixels there."""
    expected, control = golden("mini"), sides(exact)
    latent, text, _ = parity.suited(exact, golden_make.inputs("mini"))
    for part, run, middle, name, unseen in (
        (
            exact.unet,
            lambda: exact.unet(latent, golden_make.STEP, text, control),
            lambda: unet_middle(exact),
            "unet_middle",
            set(),
        ),
        (
            exact.controlnet,
            lambda: joint(exact, "mini"),
            lambda: sides(exact)[-1],
            "controlnet_middle",
            {f"{RGBS}.#.weight", f"{RGBS}.#.bias"},  # the pictures reach nothing
        ),
    ):
        assert parity.equals(middle(), expected[name], parity.DOUBLE)
        quiet = set(parity.unnoticed(part, run, expected["noise"], parity.DOUBLE))
        for group in sorted(quiet):
            with parity.perturbed(part, parity.groups(part)[group]):
                if not parity.equals(middle(), expected[name], parity.DOUBLE):
                    quiet.remove(group)
        assert quiet == unseen
    # A bias of the keys adds the same to all scores of a query, and the softmax cancels it.
    quiet = set(parity.unnoticed(exact.text_encoder, lambda: embedding(exact), expected["embedding"], parity.DOUBLE))
    assert quiet == {"text_model.encoder.layers.#.self_attn.k_proj.bias"}
    shown = torch.cat([expected[f"picture{i}"].flatten() for i in range(3)])
    rgbs = exact.controlnet.get_submodule(RGBS)
    assert parity.unnoticed(rgbs, lambda: pictures(exact, "mini"), shown, parity.DOUBLE) == []


@pytest.mark.parametrize("tiled", [False, True])
def test_sampler_equals_upstreams_pipeline(live: PASD, tiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps from the image: start, guidance, UniPC, windows."""
    monkeypatch.setattr(live, "config", replace(MINI, added_noise_level=golden_make.LEVEL))
    image = golden_make.picture(golden_make.LARGE if tiled else golden_make.PICTURE)
    torch.manual_seed(golden_make.SEED)
    with torch.inference_mode():
        latent = sample(live, image, embedding(live))
    assert parity.equals(latent, golden("mini")["latent_tiled" if tiled else "latent"], parity.DEEP)


def run(network: PASD, lr: Tensor = LR, seed: int = 0, dtype: str = "float32", **changes: Any) -> Tensor:
    """The mini network under other settings, seeded as inference does."""
    before = network.config
    network.config = replace(before, **changes)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return upscaler(network, load_tokenizer(None, pad=49407), dtype)(lr)
    finally:
        network.config = before


def test_upscales_by_four_in_8_bit_levels(network: PASD) -> None:
    sr = run(network)
    assert sr.shape == (2, 3, 40, 56) and sr.dtype == torch.float32 and bool(sr.isfinite().all())
    assert torch.equal(sr, (sr * 255).round() / 255) and 0 <= float(sr.min()) < float(sr.max()) <= 1


def test_equal_seeds_give_equal_images_and_others_do_not(network: PASD) -> None:
    first, again, other = run(network, seed=1), run(network, seed=1), run(network, seed=2)
    assert torch.equal(first, again)
    assert float((first - other).abs().mean()) > 0.01


def test_images_of_a_batch_do_not_touch(network: PASD) -> None:
    alone = run(network, LR[1:])
    assert torch.allclose(run(network)[1:], alone, rtol=0, atol=0.02)  # rounding may cross a level


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (9, 4)])
def test_any_size(network: PASD, size: tuple[int, int]) -> None:
    lr = torch.nn.functional.interpolate(LR[:1], size)
    assert run(network, lr).shape == (1, 3, 4 * size[0], 4 * size[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": 1.0},
        {"guidance": 7.5},
        {"conditioning": 0.5},
        {"prompt": "a cat"},
        {"negative_prompt": ""},
        {"added_prompt": ""},
        {"start": "noise"},
        {"added_noise_level": 400},
        {"tile": 4, "overlap": 2},
        {"steps": 2},
        {"process_size": 64},
        {"colour_fix": "adain"},
        {"colour_fix": "nofix"},
    ],
    ids=str,
)
def test_every_setting_changes_the_image(live: PASD, changes: dict[str, Any]) -> None:
    assert float((run(live, LR[:1]) - run(live, LR[:1], **changes)).abs().max()) > 1 / 255


def test_guidance_weighs_the_prompts(live: PASD) -> None:
    latent, _, image = golden_make.inputs("mini")
    text = embedding(live)
    negative, positive = (live(latent, 5, words.expand(2, -1, -1), image) for words in text.split(1))
    expected = negative + MINI.guidance * (positive - negative)
    assert parity.equals(guided_noise(live, latent, 5, text, image), expected, parity.DEEP)
    assert float((positive - negative).abs().mean()) > 1e-3


def test_start_keeps_what_both_noises_leave_of_the_image(live: PASD) -> None:
    """sqrt(a[999]) sqrt(a[900]) = 0.068 x 0.119, the paper's figure for 900."""
    image = golden_make.picture((1, 3, 48, 80))
    torch.manual_seed(0)
    here = start(live, image, 999)
    torch.manual_seed(0)
    there = start(live, 1 - image, 999)
    torch.manual_seed(0)
    noise = torch.randn(1, 4, 6, 10)
    apart = live.vae.encode(image * 2 - 1, noise) - live.vae.encode(1 - image * 2, noise)
    assert torch.allclose(here - there, 0.068265 * 0.1189 * apart, rtol=1e-2, atol=1e-5)


def test_prompts() -> None:
    assert FULL.positive_prompt == "clean, high-resolution, 8k"
    assert replace(FULL, prompt="a cat").positive_prompt == "a cat, clean, high-resolution, 8k"


def test_captions_are_blocked() -> None:
    with pytest.raises(Blocked, match="caption network is not built"):
        load(replace(MINI, high_level="caption"), None, "cpu", "float32")


@pytest.mark.parametrize("wrong", [{"added_noise_level": 1000}, {"overlap": 320}])
def test_refuses_settings(wrong: dict[str, int]) -> None:
    with pytest.raises(AdcbenchError, match="PASDConfig"):
        PASDConfig(**wrong)  # type: ignore[arg-type]


def test_refuses_dtypes_and_shapes(network: PASD) -> None:
    with pytest.raises(AdcbenchError, match="float64"):
        run(network, dtype="float64")
    with pytest.raises(AdcbenchError, match="RGB"):
        run(network, torch.zeros(1, 1, 8, 8))


def test_full_system() -> None:
    full = system()
    assert digest("x", full.settings()) != digest("x", system(replace(FULL, guidance=7.5)).settings())
    assert {UNET_FILE, CONTROLNET_FILE, VAE_FILE, TEXT_FILE} < {file.name for file in full.files}
    assert all(file.url.startswith("https://huggingface.co/") and file.licence for file in full.files)
    with torch.device("meta"):
        ours = PASD(FULL).state_dict()
    assert {n: list(t.shape) for n, t in ours.items()} == parity.read_manifest(GOLDEN / "full.json.gz")
