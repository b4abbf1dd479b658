"""Prompts: the tags of each image."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from adcbench.systems.layers.tagger import Tagger
from adcbench.systems.layers.tokenizer import load_tokenizer
from adcbench.systems.osediff import MINI
from adcbench.systems.osediff.prompts import load_prompts


def test_prompts_are_each_image_s_own_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(tagger: Tagger, images: Tensor) -> list[str]:
        return ["cat, dog" if float(image.mean()) > 0.5 else "" for image in images]

    monkeypatch.setattr(Tagger, "describe", describe)
    texts: list[str] = []
    stand_in = load_tokenizer(None)
    monkeypatch.setattr(
        "adcbench.systems.osediff.prompts.text_tokenizer", lambda config, w: lambda t: texts.extend(t) or stand_in(t)
    )
    images = torch.stack([torch.full((3, 8, 8), value) for value in (0.2, 0.9)])
    ids = load_prompts(replace(MINI, prompt="8k"), None, "cpu")(images)
    assert texts == [", 8k,", "cat, dog, 8k,"] and ids.shape == (2, 77)
    load_prompts(replace(MINI, prompt="8k", tags=False), None, "cpu")(images)
    assert texts[2:] == ["8k", "8k"]
