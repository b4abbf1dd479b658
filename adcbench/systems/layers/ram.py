"""The prompt extractor of OSEDiff: RAM with a Swin-L at 384 pixels, adapted by DAPE's LoRA.

RAM (recognize-anything) tags an image with 4585 words; DAPE (SeeSR) adds rank 8 LoRA to it so that it
tags degraded images. Names and shapes are those of ``ram_swin_large_14m.pth`` and ``DAPE.pth``
(``ram/models/ram_lora.py`` of cswry/OSEDiff at fcc4f09). Three facts matter for counting:

- the tagging head shares the weights (not the LoRA) of the two lowest layers of the tag encoder;
- the tag encoder and the text decoder are loaded but never run when only tags are wanted: they hold
  parameters here and have no forward pass;
- the upstream LoRA layers merge themselves when put into evaluation mode, so LoRA costs parameters
  but no MACs (``Ram.merge``).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from adcbench.systems.layers.swin import LoraLinear, Swin
from adcbench.systems.layers.tagger_files import RamConfig


class Ram(nn.Module):
    """Image to tag logits.

    ``forward``: (B, 3, image, image) float RGB, ImageNet mean and std removed -> (B, tags) logits; a tag
    applies where its sigmoid exceeds that tag's threshold.
    """

    def __init__(self, config: RamConfig) -> None:
        super().__init__()
        text = (config.hidden, config.mlp, config.rank)
        self.visual_encoder = Swin(config.image, config.width, config.depths, config.heads, config.window, config.rank)
        self.tag_encoder = _Bert(config, config.embed)
        self.text_decoder = _TextDecoder(config)
        self.label_embed = nn.Parameter(torch.zeros(config.tags, config.embed))
        self.tagging_head = _Layers(config.tag_layers, *text, config.embed, self_attention=False)
        self.tag_heads = config.tag_heads
        self.wordvec_proj = nn.Linear(config.embed, config.hidden)
        self.fc = nn.Linear(config.hidden, 1)
        self.image_proj = nn.Linear(self.visual_encoder.norm.normalized_shape[0], config.embed)
        _share_weights(self.tagging_head, self.tag_encoder)

    def image_embeds(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, image, image) -> (B, 1 + tokens, embed); the first token is the mean of the others."""
        embeds: torch.Tensor = self.image_proj(self.visual_encoder(image))
        return embeds

    def tag_logits(self, embeds: torch.Tensor) -> torch.Tensor:
        """(B, 1 + tokens, embed) from ``image_embeds`` -> (B, tags) logits."""
        words = F.relu(self.wordvec_proj(self.label_embed))  # (tags, hidden)
        words = words.expand(len(embeds), -1, -1)
        for layer in self.tagging_head.encoder["layer"].children():
            words = layer(words, embeds, self.tag_heads)
        logits: torch.Tensor = self.fc(words).squeeze(-1)
        return logits

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.tag_logits(self.image_embeds(image))

    def drop_text(self) -> Ram:
        """Let go of the tag encoder and the text decoder, 1 GB that tagging never runs."""
        del self.tag_encoder, self.text_decoder
        return self

    def merge(self) -> Ram:
        """Add every LoRA product to its weight, as the upstream layers do on ``eval()``.

        A weight under two names (tagging head and tag encoder) takes the products of both, as upstream.
        """
        for module in self.modules():
            if isinstance(module, LoraLinear):
                module.merge()
        return self


class _Bert(nn.Module):
    """BERT encoder with cross-attention to ``context`` wide features. Parameters only: never run."""

    def __init__(self, config: RamConfig, context: int) -> None:
        super().__init__()
        self.embeddings = _Embeddings(config.vocabulary, config.positions, config.hidden)
        layers = _Layers(config.text_layers, config.hidden, config.mlp, config.rank, context)
        self.encoder = layers.encoder


class _TextDecoder(nn.Module):
    """BERT language model head; its output layer shares the word embedding. Parameters only: never run."""

    def __init__(self, config: RamConfig) -> None:
        super().__init__()
        self.bert = _Bert(config, config.hidden)
        predictions = _Predictions(config.hidden, config.vocabulary)
        predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight
        self.cls = nn.ModuleDict({"predictions": predictions})


class _Predictions(nn.Module):
    def __init__(self, hidden: int, vocabulary: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.transform = _Output(hidden, hidden)
        self.decoder = nn.Linear(hidden, vocabulary)
        self.decoder.bias = self.bias


class _Embeddings(nn.Module):
    def __init__(self, vocabulary: int, positions: int, hidden: int) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, hidden)
        self.position_embeddings = nn.Embedding(positions, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)
        self.register_buffer("position_ids", torch.arange(positions)[None])


class _Layers(nn.Module):
    """``depth`` BERT layers under the names ``encoder.layer.<i>``."""

    def __init__(self, depth: int, hidden: int, mlp: int, rank: int, context: int, self_attention: bool = True) -> None:
        super().__init__()
        layers = [_BertLayer(hidden, mlp, rank, context, self_attention) for _ in range(depth)]
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})


class _BertLayer(nn.Module):
    """Cross-attention and MLP, after normalisation; run in RAM's tagging mode, without self-attention."""

    def __init__(self, hidden: int, mlp: int, rank: int, context: int, self_attention: bool) -> None:
        super().__init__()
        if self_attention:
            self.attention = BertAttention(hidden, hidden, rank)
        self.crossattention = BertAttention(hidden, context, rank)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, mlp)})
        self.output = _Output(mlp, hidden)

    def forward(self, x: torch.Tensor, context: torch.Tensor, heads: int) -> torch.Tensor:
        """(B, N, hidden), (B, M, context) -> (B, N, hidden)."""
        x = self.crossattention(x, context, heads)
        output: torch.Tensor = self.output.LayerNorm(x + self.output.dense(F.gelu(self.intermediate["dense"](x))))
        return output


class _Output(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)


class BertAttention(nn.Module):
    """Multi-head attention with its residual and norm; LoRA on query and key."""

    def __init__(self, hidden: int, context: int, rank: int) -> None:
        super().__init__()
        self.self = nn.ModuleDict(
            {
                "query": LoraLinear(hidden, hidden, rank),
                "key": LoraLinear(context, hidden, rank),
                "value": nn.Linear(context, hidden),
            }
        )
        self.output = _Output(hidden, hidden)

    def forward(self, x: torch.Tensor, context: torch.Tensor, heads: int) -> torch.Tensor:
        """(B, N, hidden), (B, M, context) -> (B, N, hidden)."""
        query, key, value = (
            torch.unflatten(self.self[name](source), -1, (heads, -1)).transpose(1, 2)  # (B, heads, tokens, C)
            for name, source in (("query", x), ("key", context), ("value", context))
        )
        # Explicit products, as upstream: the published counts include them, unlike fused attention.
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        mixed = (weights @ value).transpose(1, 2).flatten(2)  # (B, N, hidden)
        output: torch.Tensor = self.output.LayerNorm(x + self.output.dense(mixed))
        return output


def _share_weights(head: nn.Module, encoder: nn.Module) -> None:
    """Give ``encoder`` the weights and biases that ``head`` has under the same names, except LoRA's."""
    for name, module in head.named_modules():
        if isinstance(module, nn.Linear | nn.LayerNorm):
            twin = encoder.get_submodule(name)
            twin.weight, twin.bias = module.weight, module.bias
