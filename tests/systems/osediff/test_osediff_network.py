"""OSEDiff at mini size, end to end."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import parity
import pytest
import torch
from osediff_files import golden_make, shapes
from PIL import Image
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest
from adcbench.systems import osediff
from adcbench.systems.layers import colour
from adcbench.systems.layers.lora import Lora
from adcbench.systems.osediff import FULL, MINI, OSEDiffConfig, load, system
from adcbench.systems.osediff.network import OSEDiff, enlarge, load_network, unet_adapters, upscaler, vae_adapters
from adcbench.systems.osediff.prompts import load_prompts
from adcbench.systems.osediff.weights import lora_checkpoint

LR = golden_make.deterministic_tensor("input.lr", (2, 3, 16, 24)).mul(10).add(0.5).clamp(0, 1)


@pytest.fixture(scope="module")
def network() -> OSEDiff:
    return load_network(MINI, None)


def run(network: OSEDiff, lr: Tensor = LR, seed: int = 0, **changes: object) -> Tensor:
    """The mini network under other settings, seeded as inference does."""
    before = network.config
    network.config = replace(before, **changes)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return upscaler(network, load_prompts(network.config, None, "cpu"), "float32")(lr)
    finally:
        network.config = before


def test_full_size_layers_and_parameters() -> None:
    official = shapes("osediff")
    with torch.device("meta"):
        network = OSEDiff(FULL)
    ours = lora_checkpoint(network)
    for part, parameters in (("unet", 4_067_552), ("vae", 369_356)):
        tensors = ours[f"state_dict_{part}"]
        assert {name: list(tensor.shape) for name, tensor in tensors.items()} == official[part]
        assert sum(tensor.numel() for tensor in tensors.values()) == parameters
    for key, names in official["lists"].items():
        assert sorted(ours[key]) == sorted(set(names)), key
    assert sum(p.numel() for n, p in network.unet.named_parameters() if ".lora_" in n) == 4_055_712
    assert {module.scale for module in network.modules() if isinstance(module, Lora)} == {2.0}


def test_what_is_trained_is_the_85_million_of_osediffs_table_2() -> None:
    """Upstream's set_train: LoRA of U-Net and VAE encoder, the U-Net's first layer, and the regulariser's LoRA."""
    with torch.device("meta"):
        network = OSEDiff(FULL)

    def size(module: torch.nn.Module, *, lora: bool = True) -> int:
        return sum(p.numel() for name, p in module.named_parameters() if ("lora" in name) is lora)

    released = size(network.unet) + size(network.vae)
    trained = released + size(network.unet.conv_in, lora=False) + size(network.unet)
    assert (released, trained) == (4_425_068, 8_492_620)
    assert f"{trained / 1e6:.1f}" == "8.5"


def test_adapters_by_place() -> None:
    with torch.device("meta"):
        network = OSEDiff(FULL, lora=False)
    adapters = list(unet_adapters(network.unet).values())
    counts = [adapters.count(f"default_{place}") for place in ("encoder", "decoder", "others")]
    assert counts == [94, 148, 16] and len(adapters) == 258
    assert len(vae_adapters(network.vae)) == 32


def test_upscales_by_four(network: OSEDiff) -> None:
    sr = run(network)
    assert sr.shape == (2, 3, 64, 96) and sr.dtype == torch.float32
    assert bool(sr.isfinite().all())


def test_equal_seeds_give_equal_images_and_others_do_not(network: OSEDiff) -> None:
    first, again, other = run(network, seed=1), run(network, seed=1), run(network, seed=2)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.01)


def test_spread_over_seeds_and_none_of_the_mean(network: OSEDiff) -> None:
    samples = torch.stack([run(network, LR[:1], seed=seed) for seed in range(3)])
    assert float(samples.std(0).mean()) > 0.01
    means = torch.stack([run(network, LR[:1], seed=seed, posterior="mean") for seed in range(2)])
    assert torch.equal(means[0], means[1])


@pytest.mark.parametrize("size", [(17, 13), (16, 25), (1, 3), (20, 16)])
def test_any_size(network: OSEDiff, size: tuple[int, int]) -> None:
    lr = LR[:1, :, : min(size[0], 16), : min(size[1], 24)]
    lr = torch.nn.functional.interpolate(lr, size)
    assert run(network, lr).shape == (1, 3, 4 * size[0], 4 * size[1])


def test_prompt_reaches_the_unet(network: OSEDiff) -> None:
    """Before the colour fix, which rounds."""
    image = torch.zeros(1, 3, 64, 64)
    prompts = (load_prompts(replace(MINI, tags=False, prompt=text), None, "cpu") for text in ("", "a cat"))
    ids, words = (prompt(image) for prompt in prompts)
    assert ids.tolist() == [[49406, 49407] + [0] * 75]
    with torch.no_grad():
        assert not torch.equal(network.text_encoder(ids), network.text_encoder(words))
        assert not torch.equal(network(image, ids, None), network(image, words, None))


def test_no_image_depends_on_its_neighbours(network: OSEDiff) -> None:
    both = run(network, colour_fix="nofix")
    assert parity.levels_apart(both[1:], run(network, LR[1:], colour_fix="nofix")) <= 1  # a level may fall either way


def test_large_latents_run_in_tiles(network: OSEDiff) -> None:
    """A latent of 8 x 12 is one tile; of 10 x 10 too, as upstream compares areas; 8 x 13 is two."""
    seen: list[tuple[int, ...]] = []
    handle = network.unet.register_forward_pre_hook(lambda module, args: seen.append(tuple(args[0].shape[2:])))
    text = golden_make.example("text", (1, 77, 64))
    with torch.no_grad():
        for size in ((8, 12), (10, 10), (8, 13)):
            assert network.predict(golden_make.example("latent", (1, 4, *size)), text).shape == (1, 4, *size)
    handle.remove()
    assert seen == [(8, 12), (10, 10), (8, 8), (8, 8)]


def test_output_of_the_network_is_clamped(network: OSEDiff) -> None:
    sr = network(golden_make.example("image", (1, 3, 64, 64)) * 3, torch.tensor(golden_make.IDS), None)
    assert float(sr.abs().max()) <= 1


def test_merged_equals_unmerged() -> None:
    """In the latent: the step from t = 999 divides by 0.068, and the colour fix cuts to 8 bits."""
    apart, merged = load_network(MINI, None), load_network(replace(MINI, merge=True), None)
    assert not any(isinstance(module, Lora) for module in merged.modules())
    image, latent = golden_make.example("image", (1, 3, 64, 48)), golden_make.example("latent", (1, 4, 16, 24))
    text = golden_make.example("text", (1, 77, 64))
    assert torch.allclose(apart.vae.encode(image, None), merged.vae.encode(image, None), atol=1e-5)
    assert torch.allclose(apart.unet(latent, 999, text), merged.unet(latent, 999, text), atol=1e-5)


def test_colour_fixes(network: OSEDiff) -> None:
    adain, wavelet, none = (run(network, colour_fix=fix) for fix in ("adain", "wavelet", "nofix"))
    levels = none * 255
    assert torch.allclose(levels, levels.round(), atol=1e-3)  # truncated, then untouched
    large = torch.stack([enlarge(image, MINI) for image in LR])
    assert torch.allclose(adain, colour.adain(none, large), atol=1e-6)
    assert torch.allclose(wavelet, colour.wavelet(none, large), atol=1e-6)
    assert torch.allclose(adain.mean((2, 3)), large.mean((2, 3)), atol=1e-5)


def test_enlarging_is_pillow_s() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (129, 150, 3), dtype=np.uint8)
    lr = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    ours = (enlarge(lr, FULL) * 255).round().byte().permute(1, 2, 0).numpy()
    expected = Image.fromarray(pixels).resize((600, 516), Image.Resampling.BICUBIC)
    assert np.array_equal(ours, np.array(expected.resize((600, 512), Image.Resampling.LANCZOS)))


def test_small_images_are_enlarged_first() -> None:
    assert enlarge(torch.rand(3, 64, 100), FULL).shape == (3, 512, 800)
    assert enlarge(torch.rand(3, 128, 128), FULL).shape == (3, 512, 512)


def test_bfloat16_stays_near_float32(network: OSEDiff) -> None:
    full = run(network, LR[:1], posterior="mean")
    reduced = replace(MINI, posterior="mean")
    network_16 = load_network(reduced, None)
    half = upscaler(network_16, load_prompts(reduced, None, "cpu"), "bfloat16")(LR[:1])
    assert half.dtype == torch.float32 and half.shape == full.shape
    assert not torch.equal(half, full)


def test_systems() -> None:
    for made, name, scale in ((system(), "osediff", "full"), (system(MINI).mini(), "osediff-mini", "mini")):
        assert (made.name, made.scale) == (name, scale)
        assert "posterior" in made.seed_use
        assert digest(made.settings()) != digest({**made.settings(), "posterior": "mean"})
        json.dumps(made.settings())
    assert [file.name for file in system().files] == [
        "osediff.pkl", "unet.safetensors", "vae.safetensors", "text_encoder.safetensors",
        "tokenizer_vocab.json", "tokenizer_merges.txt",
        "ram_swin_large_14m.pth", "DAPE.pth", "ram_tag_list.txt", "ram_tag_list_threshold.txt",
    ]  # fmt: skip
    assert len(system(replace(FULL, tags=False)).files) == 6
    assert system().get == "adcbench weights fetch osediff" and not system(MINI).mini().files
    assert system(replace(MINI, posterior="mean")).mini().seed_use == ""


def test_mini_system_runs() -> None:
    assert system(MINI).mini().load(None, "cpu", "float32")(LR[:1]).shape == (1, 3, 64, 96)


def test_bad_arguments(network: OSEDiff) -> None:
    with pytest.raises(AdcbenchError, match="RGB images"):
        upscaler(network, load_prompts(MINI, None, "cpu"), "float32")(LR[:, :1])
    with pytest.raises(AdcbenchError, match="dtype 'int8'"):
        load(MINI, None, "cpu", "int8")
    with pytest.raises(AdcbenchError, match="latent_overlap is 63; it must be 0 to 62"):
        OSEDiffConfig(latent_overlap=63)
    assert osediff.VERSION == "fcc4f09"
