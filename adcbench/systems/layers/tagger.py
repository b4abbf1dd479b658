"""The prompt extractor whole: an image's tags as text, from RAM with DAPE's LoRA merged into it.

Order of operations and files as in ``ram/models/ram_lora.py`` and ``test_osediff.py`` of cswry/OSEDiff at fcc4f09;
SeeSR and AdcSR's training run the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_text
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.checkpoints.pickles import read_checkpoint
from adcbench.systems.checkpoints.weights import check_finite, check_names, describe, shapes, state_dict
from adcbench.systems.layers.ram import Ram
from adcbench.systems.layers.swin import LoraLinear
from adcbench.systems.layers.tagger_files import (
    DAPE_FILE,
    RAM_FILE,
    TAGGER_FILES,
    THRESHOLDS_FILE,
    WORDS_FILE,
    RamConfig,
)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
_LARGEST_LIST = 1 << 20  # bytes
_CONSTANTS = ("attn_mask", "relative_position_index")  # in RAM's file; computed here
_OLD_HEAD = "vision_multi."  # the tagging head's name in RAM's file
_STAND_INS = 10  # how many tags can apply without weights


class Tagger(nn.Module):
    """Images to tags; RGB images (B, 3, H, W) in [0, 1] of any size.

    Args:
        ram: merged, without its text parts.
        words, thresholds: of the tags; a tag applies where its probability exceeds its threshold.
    """

    mean: Tensor
    std: Tensor
    thresholds: Tensor

    def __init__(self, config: RamConfig, ram: Ram, words: Sequence[str], thresholds: Sequence[float]) -> None:
        super().__init__()
        self.config, self.words = config, tuple(words)
        self.ram = ram
        self.register_buffer("thresholds", torch.tensor(thresholds), persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_STD)[:, None, None], persistent=False)

    def embeds(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 1 + tokens, embed): SeeSR feeds them to its U-Net."""
        size = (self.config.image, self.config.image)
        if images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=self.config.antialias)
        return self.ram.image_embeds((images - self.mean) / self.std)

    def tags(self, embeds: Tensor) -> list[str]:
        """(B, 1 + tokens, embed) from ``embeds`` -> for each image its tags, in the list's order: "cat, grass"."""
        present = self.ram.tag_logits(embeds).sigmoid() > self.thresholds
        return [", ".join(word for word, hit in zip(self.words, row, strict=True) if hit) for row in present.tolist()]

    @torch.no_grad()
    def describe(self, images: Tensor) -> list[str]:
        """Tags of each image (B, 3, H, W) in [0, 1], run one by one.

        As upstream runs them, and so that no neighbour's rounding moves a tag over its threshold.
        """
        return [self.tags(self.embeds(image[None]))[0] for image in images]


def load_tagger(config: RamConfig, weights: Mapping[str, Path] | None) -> Tagger:
    """The tagger on the CPU in float32, frozen.

    Args:
        weights: paths by the names of ``TAGGER_FILES``; None: deterministic weights and stand-in words.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    if weights is None:
        ram = _empty(config).drop_text()
        fill_deterministic(ram, lambda name: name.replace("LayerNorm", "norm"))  # so that norms are known as such
        words: list[str] = [f"tag{i}" for i in range(config.tags)]
        often = max(1, config.tags // _STAND_INS)
        thresholds = [1.0 if i % often else 0.5 for i in range(config.tags)]
    else:
        absent = [file.name for file in TAGGER_FILES if file.name not in weights]
        if absent:
            raise AdcbenchError(f"the tagger needs {' and '.join(absent)}: fetch the system's weights")
        words = _lines(weights[WORDS_FILE], config.tags)
        thresholds = _numbers(weights[THRESHOLDS_FILE], config.tags)
        ram = load_ram(config, weights[RAM_FILE], weights[DAPE_FILE])
    ram.visual_encoder.make_constants()
    tagger = Tagger(config, ram.merge(), words, thresholds)
    return tagger.eval().requires_grad_(False)


def load_ram(config: RamConfig, ram_file: Path, dape_file: Path) -> Ram:
    """RAM with DAPE's LoRA, not merged, without its text parts and its constants.

    Of RAM's file only what tagging runs is taken, and all of it has to be there. Upstream's loader too ignores
    the rest (optimiser, text parts), but silently leaves at random whatever is missing.

    Raises:
        AdcbenchError: see ``load_tagger``.
    """
    ram = _empty(config)
    lora = state_dict(dape_file)
    check_names(lora, {name: shape for name, shape in shapes(ram).items() if ".lora_" in name}, str(dape_file))
    check_finite(lora, str(dape_file))
    ram.drop_text()
    own = shapes(ram)
    expected = [name for name in own if ".lora_" not in name and not name.endswith(_CONSTANTS)]
    content = read_checkpoint(ram_file)
    tensors = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(tensors, Mapping) or "label_embed" not in tensors:
        looks = describe(content if tensors is None else tensors)
        raise AdcbenchError(f"{ram_file}: no RAM weights (model, label_embed) in it. It looks like {looks}")
    tensors = {name.replace(_OLD_HEAD, "tagging_head."): tensor for name, tensor in tensors.items()}
    used = {name: tensors[name] for name in expected if name in tensors}
    check_names(used, {name: own[name] for name in expected}, str(ram_file))
    check_finite(used, str(ram_file))
    used |= {name: tensor for name, tensor in lora.items() if name in own}
    ram.load_state_dict({name: tensor.float() for name, tensor in used.items()}, strict=False, assign=True)
    _add_shared_lora(ram, lora)
    return ram


def _empty(config: RamConfig) -> Ram:
    with torch.device("meta"):
        return Ram(config)


@torch.no_grad()
def _add_shared_lora(ram: Ram, lora: Mapping[str, Tensor]) -> None:
    """The tag encoder's LoRA, which lands in the tagging head too: upstream's two share their weights."""
    for name, layer in ram.tagging_head.named_modules():
        if isinstance(layer, LoraLinear):
            down, up = (lora[f"tag_encoder.{name}.lora_{side}"].float() for side in "AB")
            layer.weight = nn.Parameter(layer.weight + up @ down / layer.rank)


def _lines(path: Path, count: int) -> list[str]:
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such file. Fetch it, or correct the path")
    lines = read_text(path, _LARGEST_LIST).splitlines()
    if len(lines) != count:
        raise AdcbenchError(f"{path}: {len(lines)} lines instead of one for each of {count} tags. Fetch it again")
    return lines


def _numbers(path: Path, count: int) -> list[float]:
    try:
        return [float(line) for line in _lines(path, count)]
    except ValueError as error:
        raise AdcbenchError(f"{path}: not one number a line ({str(error)[:100]}). Fetch it again") from error
