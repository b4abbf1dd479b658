"""What OSEDiff tells its U-Net of each image: the tags that DAPE finds on it (upstream test_osediff.py).

Inference adds the user's prompt to the tags; training (OSEDiff's, and AdcSR's with it) reads the tags alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.layers.sd21 import TEXT_FILE
from adcbench.systems.layers.tagger import Tagger, load_tagger
from adcbench.systems.layers.text_encoder import text_network, text_tokenizer
from adcbench.systems.layers.tokenizer import Tokenizer
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.systems.osediff.weights import load_text


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


class Prompter(nn.Module):
    """What training tells its diffusion networks: images (B, 3, H, W) in [0, 1] -> embeddings (B, tokens, width).

    Texts longer than the encoder takes are cut: upstream's AdcSR fails on them. Upstream's OSEDiff tags the HR with
    plain RAM in training; this is DAPE there too, since DAPE is what the released network is run with.

    Args:
        tagger, tokenize: from ``load_tagger`` and ``text_tokenizer``; no tagger: every prompt is ``config.prompt``.
    """

    def __init__(self, config: OSEDiffConfig, tagger: Tagger | None, tokenize: Tokenizer) -> None:
        super().__init__()
        self.prompt, self.tagger, self.tokenize = config.prompt, tagger, tokenize
        self.null = not config.base.text.vocabulary  # every text is the same zero token
        with torch.device("meta"):
            self.encoder = text_network(config.base.text)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        texts = self.tagger.describe(images) if self.tagger else [self.prompt] * len(images)
        return self._encoded(texts, images)

    @torch.no_grad()
    def empty(self, like: Tensor) -> Tensor:
        """The empty prompt's embedding, for each image or latent of ``like``."""
        return self._encoded([""] * len(like), like)

    def _encoded(self, texts: list[str], like: Tensor) -> Tensor:
        embeddings: Tensor = self.encoder(self.tokenize(texts).to(like.device))
        return embeddings


def load_prompter(config: OSEDiffConfig, weights: Mapping[str, Path] | None) -> Prompter:
    """The prompter on the CPU in float32, frozen.

    Args:
        weights: paths by the names of ``osediff.teacher_files()``; None for deterministic weights. A config without
            text needs none of them.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    tagger = load_tagger(config.tagger, weights) if config.tags else None
    prompter = Prompter(config, tagger, text_tokenizer(config.base.text, weights))
    if weights is None:
        fill_deterministic(prompter.encoder)
    elif not prompter.null:
        load_text(prompter.encoder, weights[TEXT_FILE])
    return prompter.eval().requires_grad_(False)
