"""Whole paths against upstream's own code: inference with latent tiles, and the teacher's features."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import parity
import pytest
import torch
from osediff_files import GOLDEN, golden_make
from safetensors.torch import save_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DECODER_FILE, AdcSRConfig
from adcbench.systems.adcsr import MINI as ADCSR_MINI
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.osediff import FULL, LORA_FILE, MERGED_FILE, MINI, teacher_files
from adcbench.systems.osediff.network import OSEDiff, load_network
from adcbench.systems.osediff.teacher import Teacher, load_teacher
from adcbench.systems.osediff.weights import load_lora, load_merged, lora_checkpoint


def _load_make() -> Any:
    sys.path.insert(0, str(GOLDEN))  # it imports its neighbour
    try:
        spec = importlib.util.spec_from_file_location("osediff_golden_make_pipeline", GOLDEN / "make_pipeline.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(GOLDEN))


make = _load_make()
TILED = replace(MINI, latent_tile=make.TILE, latent_overlap=make.OVERLAP, tags=False)


def fixture(name: str) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()}


def parts(name: str, factor: float) -> dict[str, dict[str, Tensor]]:
    """The fixture's weights by network, under upstream's names."""
    tensors = parity.checkpoint(parity.read_manifest(GOLDEN / f"{name}.json.gz"), make.seed_name, factor)
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, rest = key.partition(".")
        found.setdefault(part, {})[rest] = tensor
    return found


def base(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without LoRA, as Stable Diffusion's own files."""
    return {make.seed_name(name): tensor for name, tensor in tensors.items() if ".lora_" not in name}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> OSEDiff:
    """OSEDiff with the fixture's weights, loaded from files as the authors write them."""
    folder, tensors = tmp_path_factory.mktemp("osediff"), parts("pipeline-mini", 4.0)
    for name, part in ((UNET_FILE, "unet"), (VAE_FILE, "vae"), (TEXT_FILE, "text_encoder")):
        save_file(base(tensors[part]), folder / name)
    with torch.device("meta"):
        lora = lora_checkpoint(OSEDiff(MINI))
    for part, also in (("unet", "conv_in"), ("vae", ".lora_")):
        used = {name: tensor for name, tensor in tensors[part].items() if ".lora_" in name or also in name}
        lora[f"state_dict_{part}"] = used
    torch.save(lora, folder / LORA_FILE)
    return load_network(TILED, {name: folder / name for name in (UNET_FILE, VAE_FILE, TEXT_FILE, LORA_FILE)})


def run(network: OSEDiff) -> Tensor:
    torch.manual_seed(3)
    image = make.uniform("pipeline", make.IMAGE) * 2 - 1
    with torch.inference_mode():
        return network(
            image, torch.tensor(golden_make.IDS), torch.randn(1, 4, image.shape[2] // 8, image.shape[3] // 8)
        )


def test_inference_in_latent_tiles_equals_upstream(network: OSEDiff) -> None:
    expected = fixture("pipeline-mini")["image"]
    assert float((expected.abs() < 1).float().mean()) > 0.8  # hardly clamped: the fixture sees what happens
    assert parity.equals(run(network), expected)
    network.config = replace(TILED, latent_tile=96)
    assert not parity.equals(run(network), expected)
    network.config = TILED


def test_every_adapter_matters(network: OSEDiff) -> None:
    names = [name for name, _ in network.named_parameters() if ".lora_" in name]
    adapters = {name.split(".")[0] + name.split(".lora_")[1] for name in names}
    assert len(adapters) == 2 * (3 + 1)
    for adapter in adapters:
        own = [name for name in names if name.split(".")[0] + name.split(".lora_")[1] == adapter]
        with parity.perturbed(network, own):
            assert not parity.equals(run(network), fixture("pipeline-mini")["image"]), adapter


def test_every_weight_matters(full_size: None, network: OSEDiff) -> None:
    """Not large, but minutes."""
    softmax_cancels = {
        "vae.encoder.mid_block.attentions.#.to_k.base_layer.bias",
        "vae.decoder.mid_block.attentions.#.to_k.bias",
        "text_encoder.text_model.encoder.layers.#.self_attn.k_proj.bias",
    }
    assert set(parity.unnoticed(network, lambda: run(network), fixture("pipeline-mini")["image"])) == softmax_cancels


def features(teacher: Teacher, scale: str) -> Tensor:
    lr, hr, text = make.teacher_inputs(scale)
    return torch.stack([teacher.target(lr, text), teacher.real(hr)])


def teacher_weights(scale: str, folder: Path) -> dict[str, Path]:
    """The files of the teacher, as their authors write them; those without a fixture are stand-ins."""
    tensors = parts(f"teacher-{scale}", make.FACTOR[scale])
    paths = {name: folder / name for name in (MERGED_FILE, VAE_FILE, DECODER_FILE, TEXT_FILE)}
    torch.save({part: tensors[part] for part in ("vae", "unet")}, paths[MERGED_FILE])
    save_file(tensors["base_vae"], paths[VAE_FILE])
    decoder = {f"decoder.{name}": tensor for name, tensor in tensors["decoder"].items()}
    torch.save({"state_dict": decoder | {"encoder.conv_in.weight": torch.zeros(1)}}, paths[DECODER_FILE])
    return paths


def loaded_teacher(scale: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Teacher:
    """The teacher; its text encoder, tagger and tokenizer have tests of their own."""
    monkeypatch.setattr("adcbench.systems.osediff.prompts.load_text", lambda network, path: None)
    monkeypatch.setattr("adcbench.systems.osediff.prompts.text_tokenizer", lambda config, w: load_tokenizer(None))
    config = replace({"mini": MINI, "full": FULL}[scale], tags=False)
    decoder = AdcSRConfig(decoder_widths=make.HALF[scale], layers={"mini": 1, "full": 2}[scale])
    return load_teacher(config, decoder, teacher_weights(scale, folder))


def test_teacher_s_features_equal_upstream_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = loaded_teacher("mini", tmp_path, monkeypatch)
    expected = torch.stack(list(fixture("teacher-mini").values()))
    found = features(teacher, "mini")
    assert all(parity.equals(*pair) for pair in zip(found, expected, strict=True))
    assert not torch.allclose(found[0], found[1], atol=0.1)
    lr, _, text = make.teacher_inputs("mini")
    assert parity.equals(teacher.target(lr[:1], text[:1]), found[0, :1], parity.DEEP)
    for part, seen in {"vae": [0], "unet": [0], "base_vae": [1], "decoder": [0, 1]}.items():
        names = [name for name, _ in teacher.named_parameters() if name.startswith(f"{part}.")]
        with parity.perturbed(teacher, names):
            pairs = zip(features(teacher, "mini"), expected, strict=True)
            assert [i for i, pair in enumerate(pairs) if not parity.equals(*pair)] == seen, part


def test_full_teacher_equals_upstream(full_size: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = features(loaded_teacher("full", tmp_path, monkeypatch), "full")
    for ours, (name, expected) in zip(found, fixture("teacher-full").items(), strict=True):
        print(name, "max abs {:.1e} std, relative rms {:.1e}".format(*parity.errors(ours, expected)))
        assert parity.equals(ours, expected, parity.DEEP)


def test_teacher_tells_its_networks_what_is_on_the_small_image() -> None:
    teacher = load_teacher(MINI, ADCSR_MINI, None)
    lr = torch.rand(2, 3, 16, 16)
    assert teacher.text.tagger is not None
    seen: list[tuple[int, ...]] = []
    teacher.text.tagger.describe = lambda images: [seen.append(tuple(images.shape)) or "cat, dog"] * 2  # type: ignore
    text = teacher.text(lr)
    assert seen == [(2, 3, 16, 16)] and text.shape == (2, 77, 64)
    assert torch.equal(text, teacher.text.encoder(load_tokenizer(None)(["cat, dog"] * 2)))  # nothing after the tags
    features = teacher.target(lr, text)
    assert features.shape == teacher.real(torch.rand(2, 3, 64, 64)).shape == (2, ADCSR_MINI.decoder_widths[-1], 8, 8)
    assert not any(p.requires_grad or p.is_meta for p in teacher.parameters())


def test_the_two_osediff_pkl_are_told_apart(tmp_path: Path) -> None:
    network, path = OSEDiff(MINI), tmp_path / LORA_FILE
    plain = OSEDiff(MINI, lora=False)
    readers: tuple[tuple[Any, Callable[[], None], str], ...] = (
        (lora_checkpoint(network), lambda: load_merged(plain.vae, plain.unet, path), r"OSEDiff's own osediff\.pkl"),
        ({"vae": {}, "unet": {}}, lambda: load_lora(network, path), r"the AdcSR hub's osediff\.pkl"),
    )
    for content, read, message in readers:
        torch.save(content, path)
        with pytest.raises(AdcbenchError, match=message):
            read()
    torch.save({"vae": plain.vae.state_dict(), "unet": {}}, path)
    with pytest.raises(AdcbenchError, match=r"osediff\.pkl: unet: not a checkpoint of this network"):
        load_merged(plain.vae, plain.unet, path)


def test_missing_files_of_the_teacher() -> None:
    with pytest.raises(AdcbenchError, match=r"needs osediff_merged\.pkl and vae\.safetensors .*teacher_files\(\)"):
        load_teacher(replace(MINI, tags=False), ADCSR_MINI, {})
    names = [file.name for file in teacher_files()]
    assert {MERGED_FILE, VAE_FILE, TEXT_FILE} < set(names) and UNET_FILE not in names and len(names) == 9
