"""PASD against upstream's networks and pipeline (tests/golden/pasd), and its mini system end to end."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.pasd import CONTROLNET_FILE, FULL, MINI, TEXT_FILE, UNET_FILE, VAE_FILE, PASDConfig, load, system
from adcbench.systems.pasd.network import PASD, load_network
from adcbench.systems.pasd.sampling import enlarge, guided_noise, sample, start, unipc, upscaler
from adcbench.systems.pasd.weights import PARTS, load_official, load_parts

GOLDEN = Path(__file__).parents[2] / "golden" / "pasd"
RGBS = "controlnet_cond_embedding.to_rgbs"
LR = torch.rand((2, 3, 10, 14), generator=torch.Generator().manual_seed(0))


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("pasd_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden_make = _load_make()  # the inputs that the fixtures were made from


def golden(size: str) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / f"{size}.npz").items()}


def official(size: str) -> dict[str, dict[str, Tensor]]:
    """The content of the four official files, by file."""
    tensors = parity.checkpoint(parity.read_manifest(GOLDEN / f"{size}.json.gz"), lambda name: name)
    return {
        file: {n.removeprefix(f"{part}."): t for n, t in tensors.items() if n.startswith(f"{part}.")}
        for file, part in PARTS.items()
    }


def official_files(folder: Path, **changed: dict[str, Tensor]) -> dict[str, Path]:
    files = official("mini") | changed
    for name, tensors in files.items():
        save_file(tensors, folder / name)
    return {name: folder / name for name in files}


def loaded(size: str) -> PASD:
    with torch.device("meta"):
        network = PASD(golden_make.CONFIGS[size])
    load_parts(network, official(size), dict.fromkeys(PARTS, "fixture"))
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def live() -> PASD:
    """The mini network with the fixtures' weights."""
    return loaded("mini")


@pytest.fixture(scope="module")
def exact() -> PASD:
    """In float64, which every processor computes alike."""
    return loaded("mini").double()


@pytest.fixture(scope="module")
def network() -> PASD:
    return load_network(MINI, None)


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


def test_loads_the_official_files(live: PASD, tmp_path: Path) -> None:
    """With the older names of SD1.5's VAE, and the constant in its text encoder."""
    files = official("mini")
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, name in old.items():
        files[VAE_FILE] = {key.replace(f".{new}.", f".{name}."): t for key, t in files[VAE_FILE].items()}
    files[TEXT_FILE]["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    with torch.device("meta"):
        network = PASD(MINI)
    load_official(network, official_files(tmp_path, **files))
    expected = live.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        (UNET_FILE, lambda t: {n: v for n, v in t.items() if "pixel" not in n}, "pasd_light"),
        (CONTROLNET_FILE, lambda t: t | {"controlnet_cond_embedding.preprocesser.0.x": torch.zeros(1)}, "pasd_rrdb"),
        (CONTROLNET_FILE, lambda t: {n: v for n, v in t.items() if "to_rgbs" not in n}, "6 missing.*to_rgbs"),
        (VAE_FILE, lambda t: {n: v * float("nan") for n, v in t.items()}, "NaN or infinite"),
    ],
)
def test_refuses_other_checkpoints(file: str, change: Callable[..., Any], words: str, tmp_path: Path) -> None:
    with torch.device("meta"):
        network = PASD(MINI)
    paths = official_files(tmp_path, **{file: change(official("mini")[file])})
    with pytest.raises(AdcbenchError, match=f"(?s){file}.*{words}"):
        load_official(network, paths)


def test_refuses_absent_and_unreadable_files(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = PASD(MINI)
    with pytest.raises(AdcbenchError, match=f"needs {UNET_FILE}.*weights fetch pasd"):
        load_official(network, {})
    paths = official_files(tmp_path)
    paths[UNET_FILE].write_bytes(b"zip")
    with pytest.raises(AdcbenchError, match="not a readable safetensors"):
        load_official(network, paths)


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


def test_steps_of_the_paper() -> None:
    found = unipc(20).timesteps.tolist()
    assert found[:3] == [999, 949, 899] and found[-1] == 50 and len(found) == 20


@pytest.mark.parametrize(
    ("size", "expected"), [((128, 128), (768, 768)), ((128, 192), (768, 1152)), ((200, 251), (800, 1000))]
)
def test_sizes_that_the_network_sees(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert enlarge(Image.new("RGB", size), FULL).size == expected


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
