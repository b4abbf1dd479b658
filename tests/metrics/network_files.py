"""Checkpoints of the metrics' networks as their authors write them, with weights anybody can make again."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch


def write_clip(folder: Path) -> Path:
    """CLIP's RN50.pt, a TorchScript archive; needs pyiqa."""
    from adcbench.metrics.image import clipiqa

    path = folder / "RN50.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is leaving TorchScript, which OpenAI's file is in
        net = clipiqa._network(None, "cpu")
        example = torch.zeros(1, 3, 64, 64), clipiqa.prompt_tokens()
        torch.jit.save(torch.jit.trace(net, example, check_trace=False), path)  # type: ignore[no-untyped-call]
    return path


def write_inception(path: Path) -> Path:
    """A file such as torch-fidelity's, with all the classifier's names."""
    from adcbench.metrics.networks.inception import inception

    tensors = inception(None, "cpu").state_dict()
    torch.save({**tensors, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    return path
