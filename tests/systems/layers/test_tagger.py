"""The tagger against upstream's own code, its files, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import parity
import pytest
import torch
from ram_files import files, fixture, make
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.ram import Ram
from adcbench.systems.layers.tagger import Tagger, load_ram, load_tagger
from adcbench.systems.layers.tagger_files import (
    DAPE_FILE,
    RAM_FILE,
    RAM_MINI,
    THRESHOLDS_FILE,
    WORDS_FILE,
)


@pytest.fixture
def mini(tmp_path: Path) -> dict[str, Path]:
    return files("mini", tmp_path)


def check(tagger: Tagger, scale: str) -> tuple[float, float]:
    """Equal to upstream: embeddings, logits and text; the errors of the logits."""
    expected, images = fixture(scale), make.images(scale)
    with torch.inference_mode():
        embeds = tagger.embeds(images)
        logits = tagger.ram.tag_logits(embeds)
    assert parity.equals(make.crop(embeds), torch.from_numpy(expected["embeds"]))
    assert parity.equals(logits, torch.from_numpy(expected["logits"]))
    assert tagger.describe(images) == expected["tags"].tolist()
    return parity.errors(logits, torch.from_numpy(expected["logits"]))


@pytest.mark.parametrize("old_head", ["tagging_head.", "vision_multi."])
def test_mini_equals_upstream(tmp_path: Path, old_head: str) -> None:
    tagger = load_tagger(make.MINI, files("mini", tmp_path, old_head))
    check(tagger, "mini")
    assert all("," in text for text in tagger.describe(make.images("mini")))
    assert not any(p.is_meta or p.requires_grad for p in tagger.parameters())


def test_every_weight_matters(mini: dict[str, Path]) -> None:
    expected, images = fixture("mini"), make.images("mini")
    ram = load_ram(make.MINI, mini[RAM_FILE], mini[DAPE_FILE])
    ram.visual_encoder.make_constants()
    tagger = Tagger(make.MINI, ram.eval(), expected["words"].tolist(), expected["thresholds"].tolist())

    def run() -> Tensor:
        with torch.inference_mode():
            return ram.tag_logits(tagger.embeds(images))

    logits = torch.from_numpy(expected["logits"])
    assert parity.equals(run(), logits)  # LoRA apart from its weights
    softmax_cancels = "tagging_head.encoder.layer.#.crossattention.self.key.bias"
    assert parity.unnoticed(ram, run, logits) == [softmax_cancels]


def test_full_size_equals_upstream(full_size: None, tmp_path: Path) -> None:
    max_abs, rel_rms = check(load_tagger(make.FULL, files("full", tmp_path)), "full")
    print(f"logits: max abs {max_abs:.1e} std, relative rms {rel_rms:.1e}")


def test_antialias_changes_what_is_made_smaller_only(mini: dict[str, Path]) -> None:
    plain, smooth = (load_tagger(replace(make.MINI, antialias=a), mini) for a in (False, True))
    large, small = torch.rand(1, 3, 96, 96), torch.rand(1, 3, 20, 30)
    assert not torch.allclose(plain.embeds(large), smooth.embeds(large), atol=1e-3)
    assert torch.allclose(plain.embeds(small), smooth.embeds(small), atol=1e-5)


def test_stand_in_has_words_for_every_image() -> None:
    tagger = load_tagger(RAM_MINI, None)
    images = torch.rand(2, 3, 30, 40)
    assert tagger.describe(images) == [text for image in images for text in tagger.describe(image[None])]
    assert set(", ".join(tagger.describe(images)).split(", ")) <= {f"tag{i}" for i in range(0, 20, 2)}
    with torch.no_grad():
        assert tagger.tags(tagger.embeds(images)) == tagger.describe(images)


def test_tags_above_their_threshold_in_the_list_s_order() -> None:
    config = replace(RAM_MINI, tags=3)
    tagger = Tagger(config, Ram(config).drop_text(), ("b", "a", "c"), (0.5, 0.7, 0.2))
    logits = torch.tensor([[0.1, 1.0, -1.0], [0.0, 0.0, -2.0]])
    tagger.ram.tag_logits = lambda embeds: logits  # type: ignore[method-assign]
    assert tagger.tags(torch.zeros(2, 1)) == ["b, a, c", ""]


def drop(name: str) -> Callable[[Any], Any]:
    return lambda content: content["model"].pop(name)


BROKEN: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "missing": (RAM_FILE, drop("fc.bias"), r"ram_swin_large_14m.pth: not a checkpoint.*1 missing: fc.bias"),
    "shape": (RAM_FILE, lambda c: c["model"].update({"fc.bias": torch.zeros(2)}), r"fc.bias \(2,\) instead of \(1,\)"),
    "nan": (RAM_FILE, lambda c: c["model"]["fc.bias"].fill_(float("nan")), "NaN or infinite values"),
    "bare": (RAM_FILE, lambda c: [c.update(c.pop("model")), c.pop("optimizer")], "no RAM weights .*looks like Recogn"),
    "student": (RAM_FILE, lambda c: [c.clear(), c.update(vae={}, unet={})], "looks like the AdcSR hub's osediff.pkl"),
    "dape": (DAPE_FILE, lambda c: c.popitem(), "DAPE.pth: not a checkpoint of this network. 1 missing"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_checkpoints(mini: dict[str, Path], case: str) -> None:
    name, change, message = BROKEN[case]
    content = torch.load(mini[name])
    change(content)
    torch.save(content, mini[name])
    with pytest.raises(AdcbenchError, match=message):
        load_tagger(make.MINI, mini)


def test_broken_texts(mini: dict[str, Path]) -> None:
    words = mini[WORDS_FILE].read_text()
    mini[WORDS_FILE].write_text(words + "\nzebra")
    with pytest.raises(AdcbenchError, match="21 lines instead of one for each of 20 tags"):
        load_tagger(make.MINI, mini)
    mini[WORDS_FILE].write_text(words)
    mini[THRESHOLDS_FILE].write_text(words)
    with pytest.raises(AdcbenchError, match="not one number a line"):
        load_tagger(make.MINI, mini)
    with pytest.raises(AdcbenchError, match=r"the tagger needs DAPE\.pth: fetch"):
        load_tagger(make.MINI, {name: path for name, path in mini.items() if name != DAPE_FILE})
