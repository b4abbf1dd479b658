"""Makes this folder's fixtures again: python tests/golden/tagger/make.py UPSTREAM [mini|full].

UPSTREAM is a checkout of github.com/cswry/OSEDiff at fcc4f09c7ed66a9bc0ba9433940d76b343142426. Its ``ram`` package
ran here with transformers 4.37.2, loralib 0.1.2, fairscale 0.4.13 and today's torch, on deterministic weights
(``parity.lively``), and with antialias off, as the torchvision 0.15 that upstream pins.

``mini.json.gz``: names and shapes of upstream's tensors. ``*.npz``: image embeddings and logits, the tags' words and
thresholds, and the text that upstream makes of them.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms import Compose, Normalize, Resize

from adcbench.systems.layers.tagger_files import RAM, RAM_MINI, RamConfig

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from parity import lively, write_manifest  # noqa: E402

# Upstream writes these two numbers into its code, not into its settings.
MINI, FULL = replace(RAM_MINI, embed=512, rank=8), RAM
SIZE = {"mini": (2, 3, 96, 80), "full": (1, 3, 512, 512)}
FACTOR = {"mini": 4.0, "full": 1.0}
CROP = 24  # tokens and channels of the embeddings that are kept


def images(scale: str) -> Tensor:
    """The input, in [0, 1]."""
    return torch.rand(SIZE[scale], generator=torch.Generator().manual_seed(7))


def canonical(name: str) -> str:
    """What a tensor is seeded by: shared weights by one name, norms by one that tells."""
    lora = ".lora_" in name
    for i in range(FULL.tag_layers):
        for part in ("crossattention", "intermediate", "output"):
            start = f"encoder.layer.{i}.{part}."
            if name.startswith(f"tag_encoder.{start}") and not lora:
                name = name.replace("tag_encoder", "tagging_head")
    return name.replace("LayerNorm", "norm")


def crop(embeds: Tensor) -> Tensor:
    """The part of the embeddings that a fixture holds."""
    return embeds[:, :: max(1, embeds.shape[1] // CROP), :: max(1, embeds.shape[2] // CROP)]


def main(upstream: Path, scale: str) -> None:
    config = {"mini": MINI, "full": FULL}[scale]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(upstream / "ram", Path(folder) / "ram")
        if scale == "mini":
            _shrink(Path(folder) / "ram", config)
        sys.path.insert(0, folder)
        model = _build(config)
        shapes = {n: tuple(t.shape) for n, t in model.state_dict().items()}
        values = {n: lively(canonical(n), s, FACTOR[scale]) for n, s in shapes.items() if not _constant(n)}
        model.load_state_dict(values, strict=False)
        model.eval()
        seen = Compose([Resize((config.image,) * 2, antialias=False), Normalize(*_IMAGENET)])(images(scale))
        with torch.inference_mode():
            embeds, logits, _ = model.condition_forward(seen, only_feature=False)
            middle = float(logits.sigmoid().median())
            thresholds = torch.linspace(middle - 0.05, middle + 0.05, config.tags).round(decimals=3)
            model.class_threshold = thresholds
            tags, _ = model.generate_tag(seen)
        words = model.tag_list
    np.savez_compressed(
        HERE / f"{scale}.npz", embeds=crop(embeds), logits=logits, thresholds=thresholds, words=words, tags=tags
    )
    if scale == "mini":
        write_manifest(HERE / "mini.json.gz", shapes)


_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _constant(name: str) -> bool:
    return name.endswith(("attn_mask", "relative_position_index", "position_ids"))


def _build(config: RamConfig) -> nn.Module:
    from ram.models import ram_lora  # type: ignore[import-not-found]

    class Tokenizer:
        def __len__(self) -> int:
            return config.vocabulary

        def __call__(self, text: str) -> Any:
            return type("Ids", (), {"input_ids": text.split()})

    swin = ram_lora.SwinTransformer
    ram_lora.init_tokenizer = Tokenizer
    ram_lora.SwinTransformer = lambda **sizes: swin(**{**sizes, "img_size": config.image})
    model: nn.Module = ram_lora.RAMLora(image_size=384, vit="swin_l")
    return model


def _shrink(package: Path, config: RamConfig) -> None:
    sizes = {"hidden_size": config.hidden, "intermediate_size": config.mlp, "vocab_size": config.vocabulary}
    sizes |= {"max_position_embeddings": config.positions, "encoder_width": config.hidden}
    heads = {"num_attention_heads": config.tag_heads}
    _edit(package / "configs/med_config.json", sizes | heads | {"num_hidden_layers": config.text_layers})
    _edit(package / "configs/q2l_config.json", sizes | heads | {"num_hidden_layers": config.tag_layers})
    swin = {"vision_width": config.width << (len(config.depths) - 1), "window_size": config.window}
    swin |= {"embed_dim": config.width, "depths": config.depths, "num_heads": config.heads}
    _edit(package / "configs/swin/config_swinL_384.json", swin)
    for name in ("ram_tag_list.txt", "ram_tag_list_chinese.txt", "ram_tag_list_threshold.txt"):
        lines = (package / "data" / name).read_text("utf-8").splitlines()
        (package / "data" / name).write_text("\n".join(lines[: config.tags]), "utf-8")


def _edit(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
