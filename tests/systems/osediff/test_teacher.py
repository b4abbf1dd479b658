"""The teacher's features against upstream's own code, and its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import parity
import pytest
import torch
from osediff_paths import fixture, make, parts
from safetensors.torch import save_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DECODER_FILE, AdcSRConfig
from adcbench.systems.adcsr import MINI as ADCSR_MINI
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.osediff import FULL, MERGED_FILE, MINI, teacher_files
from adcbench.systems.osediff.teacher import Teacher, load_teacher


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


def test_missing_files_of_the_teacher() -> None:
    with pytest.raises(AdcbenchError, match=r"needs osediff_merged\.pkl and vae\.safetensors .*teacher_files\(\)"):
        load_teacher(replace(MINI, tags=False), ADCSR_MINI, {})
    names = [file.name for file in teacher_files()]
    assert {MERGED_FILE, VAE_FILE, TEXT_FILE} < set(names) and UNET_FILE not in names and len(names) == 9
