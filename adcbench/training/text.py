"""What the diffusion networks of a training stage are told of each image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from adcbench.models.osediff import OSEDiffConfig
from adcbench.models.osediff.weights import load_text
from adcbench.models.parts.sd21 import TEXT_FILE
from adcbench.models.parts.tagger import load_tagger
from adcbench.models.parts.text_encoder import TextEncoder
from adcbench.models.parts.tokenizer import load_tokenizer


class NullText(nn.Module):
    """Nothing: images (B, 3, H, W) -> one zero token each, (B, 1, width)."""

    null = True

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, images: Tensor) -> Tensor:
        return images.new_zeros(len(images), 1, self.width)

    empty = forward


class Tags(nn.Module):
    """The tags that RAM with DAPE finds, encoded: images (B, 3, H, W) in [0, 1] -> (B, tokens, width).

    Longer texts than the encoder takes are cut (upstream's AdcSR fails on them). Upstream's OSEDiff tags the HR with
    plain RAM in training; this is DAPE there too, since DAPE is what the released network is run with.
    """

    null = False

    def __init__(self, config: OSEDiffConfig, weights: Mapping[str, Path]) -> None:
        super().__init__()
        self.tagger = load_tagger(config.tagger, weights)
        self.tokenize = load_tokenizer(weights, config.base.text.tokens)
        with torch.device("meta"):
            self.encoder = TextEncoder(config.base.text)
        load_text(self.encoder, weights[TEXT_FILE])
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        return self._encoded(self.tagger.describe(images), images)

    @torch.no_grad()
    def empty(self, like: Tensor) -> Tensor:
        """The empty prompt's embedding, for each image or latent of ``like``."""
        return self._encoded([""] * len(like), like)

    def _encoded(self, texts: list[str], like: Tensor) -> Tensor:
        encoded: Tensor = self.encoder(self.tokenize(texts).to(like.device))
        return encoded


TextSource = NullText | Tags
