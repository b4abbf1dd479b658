"""A training run from its settings: data, the networks it starts from, the stage, the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from adcbench.core.keys import file_hash, short
from adcbench.systems.layers.checkpointing import checkpointed
from adcbench.training.batches import Degrader, make_crops, recorded, validation_batches
from adcbench.training.config import RunConfig, StageConfig
from adcbench.training.engine.loop import train
from adcbench.training.engine.run_folder import CONTENTS
from adcbench.training.engine.runtime import print_line
from adcbench.training.pretrained import Pretrained
from adcbench.training.stages import stage_of


def run(
    config: RunConfig[StageConfig], folder: Path, weights: Path | None, own: Mapping[str, Path] | None = None
) -> Path:
    """Train a stage, or go on with it; the folder of its products. At the end says which images were left out.

    Args:
        folder: of the run: settings, log, checkpoints, validation images, products.
        weights: folder with what earlier stages made; None: the official checkpoints.
        own: files of earlier stages in place of those, by the name of the product.

    Raises:
        Blocked: data, weights or a library that it needs are not here.
        AdcbenchError: see ``loop.train``.
    """
    config.check()
    seed, data, spec = config.loop.seed, config.data, stage_of(config)
    crops = make_crops(data, seed, config.loop.batch)
    pretrained = Pretrained(weights, own or {}, spec.needs(config.stage))
    stage = spec.build(config.stage, pretrained, seed)
    for network in (*stage.networks.values(), *stage.frozen.values()):
        channels_last(network)
    if config.loop.checkpointing:
        for network in stage.networks.values():
            checkpointed(network)
    settings: dict[str, Any] = {
        spec.config.__name__: asdict(config.stage),
        "data": recorded(data),
        CONTENTS: crops.contents(),
    }
    settings |= {name: net.provenance for name, net in stage.frozen.items() if hasattr(net, "provenance")}
    settings["weights"] = {name: short(file_hash(path)) for name, path in pretrained.files().items()}
    degrader = Degrader(data, seed, config.loop.micro_batch)
    validation = validation_batches(data, seed) if config.loop.validate_every else []
    products = train(stage, crops, degrader, config.loop, folder, settings, validation)
    for part, _ in crops.phases:
        if part.broken():
            print_line(part.report())
    return products


def channels_last(network: nn.Module) -> None:
    """Lay the weights of a network's convolutions of images out by pixel, in place: they are faster so."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
