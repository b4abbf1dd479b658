"""Makes this folder's fixtures again: python tests/golden/cost/make.py IMAGE_COUNTS_JSON [fvcore].

``counts.json``: what independent counters said of the official code (torch's flop counter and fvcore on CPU;
G multiply-adds, 4 digits). ``fvcore.json`` (minutes): fvcore on our own networks, one process per component.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = {  # network -> component -> where the facts have it
    "adcsr": {
        "unet": ("AdcSR", "unet_pruned75 (conv_in..conv_out, no time emb, no cross-attn)"),
        "decoder_mid_block": ("AdcSR", "decoder_mid_block (trained copy)"),
        "half_decoder_tail": ("AdcSR", "half_decoder_tail (up_blocks 0-3, conv_norm_out, conv_out; frozen)"),
    },
    "osediff": {
        "vae_encoder": ("OSEDiff", "vae_encoder+LoRA r4"),
        "unet": ("OSEDiff", "unet+LoRA r4"),
        "vae_decoder": ("SD2.1-base", "vae_decoder(+post_quant_conv)"),
        "text_encoder": ("SD2.1-base", "clip_text_23layers[eager attn]"),
        "dape_image_encoder": ("DAPE/RAM swin-L 384 (LoRA r8)", "image_encoder_only"),
    },
}
KINDS = {
    "aten.convolution": "conv",
    "aten.addmm": "linear",
    "aten.mm": "linear",
    "aten.bmm": "matmul",
    "aten._scaled_dot_product_flash_attention_for_cpu": "attention",
    "conv": "conv",
    "linear": "linear",
    "bmm": "matmul",
    "matmul": "matmul",
    "group_norm": "norm",
    "layer_norm": "norm",
    "upsample_nearest2d": "resize",
}


def counts(facts: dict[str, Any]) -> dict[str, Any]:
    """Parameters, and G multiply-adds by kind and counter, of every component that the facts have."""
    networks = {
        network: {name: _component(facts["components"][group][entry]) for name, (group, entry) in parts.items()}
        for network, parts in SOURCES.items()
    }
    dape = facts["components"]["DAPE/RAM swin-L 384 (LoRA r8)"]
    return {
        "networks": networks,
        "dape": {key: dape[key] for key in dape if key.startswith("params")} | {"generate_tag": _kinds(dape)},
        "published": {name: facts["published_vs_ours"][name] for name in ("AdcSR", "OSEDiff")},
    }


def _component(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "params": entry["params"],
        "torch": _by_kind(entry["torch_by_operator_GMACs"]),
        "fvcore": _by_kind(entry["fvcore_by_operator_GMACs"]),
    }


def _kinds(dape: dict[str, Any]) -> dict[str, Any]:
    return {counter: dape["generate_tag"][f"{counter}_GMACs"] for counter in ("torch_flop_counter", "fvcore")}


def _by_kind(operators: dict[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for operator, value in operators.items():
        kinds[KINDS[operator]] = round(kinds.get(KINDS[operator], 0.0) + value, 4)
    return kinds


def fvcore() -> dict[str, Any]:
    """fvcore's counts of our networks, from the store where it has them."""
    from adcbench.cost.fvcore_check import check
    from adcbench.tables.papers import load_papers

    return {network: check(network) for network in load_papers()["adcsr"].methods.values()}


def _save(name: str, content: Any) -> None:
    (HERE / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    _save("counts.json", counts(json.loads(Path(sys.argv[1]).read_text())))
    if sys.argv[2:] == ["fvcore"]:
        _save("fvcore.json", fvcore())
