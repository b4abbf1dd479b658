"""The prompt extractor: names, shapes, parameters, and parts certified against transformers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from osediff_files import filled, golden_make, own_shapes, shapes
from torch import nn

from adcbench.systems.layers.ram import BertAttention, Ram
from adcbench.systems.layers.swin import LoraLinear
from adcbench.systems.layers.tagger_files import RAM, RAM_MINI

FACTS = json.loads((Path(__file__).parents[2] / "golden" / "cost" / "counts.json").read_text())["dape"]


@pytest.fixture(scope="module")
def full() -> Ram:
    with torch.device("meta"):
        return Ram(RAM)


@pytest.fixture
def mini() -> Ram:
    ram = Ram(RAM_MINI)
    filled(ram)
    return ram


def numel(part: nn.Module | nn.Parameter) -> int:
    return part.numel() if isinstance(part, nn.Parameter) else sum(p.numel() for p in part.parameters())


def test_names_and_shapes_are_those_of_ram_and_dape(full: Ram) -> None:
    assert own_shapes(full) == shapes("ram")


def test_parameters_of_every_child(full: Ram) -> None:
    facts = dict(FACTS["params_by_child"])
    lora = sum(p.numel() for name, p in full.named_parameters() if ".lora_" in name)
    assert lora == facts.pop("lora_params")
    assert {name: numel(getattr(full, name)) for name in facts} == facts
    assert numel(full) == FACTS["params_total_unique"]


def test_the_tag_encoder_shares_weights_but_not_lora(full: Ram) -> None:
    name = "encoder.layer.1.crossattention.self.query"
    head, encoder = full.tagging_head.get_submodule(name), full.tag_encoder.get_submodule(name)
    assert head.weight is encoder.weight and head.bias is encoder.bias
    assert head.lora_A is not encoder.lora_A


def test_cross_attention_equals_torch_s() -> None:
    attention = BertAttention(hidden=16, context=8, rank=2)
    filled(attention)
    x, context = torch.randn(2, 5, 16), torch.randn(2, 7, 8)
    names = ("query", "key", "value")
    weights = [attention.self[name].weight + (attention.self[name].delta() if name != "value" else 0) for name in names]
    mixed, _ = torch.nn.functional.multi_head_attention_forward(
        *(source.transpose(0, 1) for source in (x, context, context)),
        embed_dim_to_check=16, num_heads=4, in_proj_weight=None,
        in_proj_bias=torch.cat([attention.self[name].bias for name in names]),
        bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0.0,
        out_proj_weight=attention.output.dense.weight, out_proj_bias=attention.output.dense.bias,
        use_separate_proj_weight=True,
        q_proj_weight=weights[0], k_proj_weight=weights[1], v_proj_weight=weights[2],
    )  # fmt: skip
    expected = attention.output.LayerNorm(x + mixed.transpose(0, 1))
    assert torch.allclose(attention(x, context, 4), expected, atol=1e-6)


def test_mini_tags_an_image(mini: Ram) -> None:
    image = golden_make.example("ram", (2, 3, 64, 64))
    logits = mini(image)
    assert logits.shape == (2, RAM_MINI.tags)
    assert torch.allclose(mini(image[1:]), logits[1:], atol=1e-5)
    first, second = mini.image_embeds(image)
    assert not torch.allclose(first, second, atol=0.01)
    assert not torch.equal(logits[0], logits[1])  # untrained: the image barely moves them


def test_merging_changes_no_output_and_happens_once() -> None:
    ram = Ram(RAM_MINI)
    filled(ram)
    for module in ram.tag_encoder.modules():  # its LoRA lands in the shared weights, as upstream
        if isinstance(module, LoraLinear):
            module.lora_B.zero_()
    image = golden_make.example("ram", (1, 3, 64, 64))
    apart = ram(image)
    assert torch.allclose(ram.merge()(image), apart, atol=1e-5)
    assert torch.equal(ram.merge()(image), ram(image))
