"""What OSEDiff tells its U-Net of each image: the tags that DAPE finds on it (upstream test_osediff.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from adcbench.models.osediff import OSEDiffConfig
from adcbench.models.parts.tagger import load_tagger
from adcbench.models.parts.text_encoder import text_tokenizer


def load_prompts(config: OSEDiffConfig, weights: Mapping[str, Path] | None, device: str) -> Callable[[Tensor], Tensor]:
    """A function from enlarged images (B, 3, H, W) in [0, 1] to token ids (B, tokens).

    Args:
        weights: paths by the names of ``osediff.system().files``; None for stand-ins.

    Raises:
        AdcbenchError: a file of the tagger or the tokenizer that is absent or holds something else.
    """
    tokenize = text_tokenizer(config.base.text, weights)
    tagger = load_tagger(config.tagger, weights).to(device) if config.tags else None

    def prompts(images: Tensor) -> Tensor:
        if tagger is None:
            texts = [config.prompt] * len(images)
        else:
            texts = [f"{tags}, {config.prompt}," for tags in tagger.describe(images)]
        return tokenize(texts).to(images.device)

    return prompts
