"""Closed forms of what layers cost besides their own convolutions and linear layers: attention and resizing."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from adcbench.systems.components import Formula


def attention_macs(batch: int, queries: int, keys: int, width: int) -> int:
    """Scores and mixture: two products of ``queries x keys`` over ``width`` channels (all heads together).

    >>> attention_macs(1, 4, 2, 8)
    128
    """
    return 2 * batch * queries * keys * width


def linear(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    """A linear layer, whatever its class."""
    return "linear", output.numel() * layer.in_features


def upsample(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    """Nearest-neighbour resizing before a convolution that keeps width and size."""
    return "resize", output.numel()


def attention(kind: str) -> Formula:
    """Attention of tokens (B, N, C) to themselves or to a second input (B, M, C'); ``kind``: attention or matmul."""

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
        context = inputs[1] if len(inputs) > 1 else inputs[0]
        batch, queries, width = output.shape
        return kind, attention_macs(batch, queries, context.shape[1], width)

    return count


def self_attention(kind: str) -> Formula:
    """Attention of tokens (B, N, C) to themselves, whatever else the layer takes (a mask)."""
    return lambda layer, inputs, output: attention(kind)(layer, inputs[:1], output)


def pixel_attention(kind: str) -> Formula:
    """Attention of all pixels (B, C, h, w) to each other."""

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
        batch, width, height, columns = output.shape
        return kind, attention_macs(batch, height * columns, height * columns, width)

    return count
