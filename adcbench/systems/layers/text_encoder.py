"""The text encoder of Stable Diffusion 2.1-base: OpenCLIP ViT-H text, all but its last layer.

Plain torch with the parameter names of transformers' CLIPTextModel, against which
``tests/systems/layers/test_sd21.py`` certifies it; ``sd21`` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.sd21 import TextConfig
from adcbench.systems.layers.tokenizer import Tokenizer, load_tokenizer


def text_network(config: TextConfig) -> nn.Module:
    """The text encoder: token ids (B, tokens) -> embedding (B, tokens, width); with no vocabulary ``NullText``."""
    return TextEncoder(config) if config.vocabulary else NullText(config.width)


def text_tokenizer(config: TextConfig, weights: Mapping[str, Path] | None) -> Tokenizer:
    """What makes that network's ids of texts; with no vocabulary it needs no files.

    Args:
        weights: paths by the names of ``tokenizer.TOKENIZER_FILES``; None for the stand-in.

    Raises:
        AdcbenchError: a file that is absent or not a tokenizer's.
    """
    if config.vocabulary:
        return load_tokenizer(weights, config.tokens)
    return lambda texts: torch.zeros(len(texts), 1, dtype=torch.int64)


class NullText(nn.Module):
    """No text: ids (B, any), or whatever has B rows, -> one zero token each, (B, 1, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, ids: Tensor) -> Tensor:
        return torch.zeros(len(ids), 1, self.width, device=ids.device)


class TextEncoder(nn.Module):
    """``forward``: token ids (B, tokens) int64 -> embedding (B, tokens, width)."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        embeddings = {
            "token_embedding": nn.Embedding(config.vocabulary, config.width),
            "position_embedding": nn.Embedding(config.tokens, config.width),
        }
        layers = nn.ModuleList(TextLayer(config.width, config.heads) for _ in range(config.layers))
        self.text_model = nn.ModuleDict(
            {
                "embeddings": nn.ModuleDict(embeddings),
                "encoder": nn.ModuleDict({"layers": layers}),
                "final_layer_norm": nn.LayerNorm(config.width),
            }
        )

    def forward(self, ids: Tensor) -> Tensor:
        tokens, positions = self.text_model["embeddings"].children()
        x: Tensor = tokens(ids) + positions(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.text_model["encoder"].get_submodule("layers").children():
            x = layer(x)
        embedding: Tensor = self.text_model["final_layer_norm"](x)
        return embedding


class TextLayer(nn.Module):
    """Causal self-attention and MLP, each normalised before, with a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(width)
        self.self_attn = CausalAttention(width, heads)
        self.layer_norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        change: Tensor = self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.layer_norm2(x))))
        return x + change


class CausalAttention(nn.Module):
    """Each token attends to itself and those before it: (B, N, width) -> (B, N, width).

    Explicit products, because the published counts include them, unlike fused attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            torch.unflatten(projection(x), -1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, width / heads)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        scores = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).masked_fill(later, float("-inf"))
        mixed: Tensor = self.out_proj((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return mixed
