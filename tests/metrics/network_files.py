"""Checkpoints of the metrics' networks as their authors write them, with weights anybody can make again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

_WIDTH = 48  # of a small MANIQA


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


def write_musiq(folder: Path) -> dict[str, Path]:
    """pyiqa's file of MUSIQ; needs pyiqa."""
    from adcbench.metrics.image import musiq
    from adcbench.metrics.networks.pyiqa_nets import arch, build

    network = arch("musiq_arch", "MUSIQ")
    net = build(lambda: network.MUSIQ(pretrained=False), None, "cpu", "musiq", canonical=musiq._norms_by_name)
    return _saved(net, folder / musiq.FILES[0].name)


def small_maniqa() -> Any:
    """pyiqa's MANIQA with narrow layers, in the place of ``maniqa._network``: the official one takes 543 MB."""
    import timm

    from adcbench.metrics.networks.pyiqa_nets import arch

    module = arch("maniqa_arch", "MANIQA")

    def narrow(name: str, pretrained: bool) -> Any:
        return timm.create_model(name, pretrained=False, embed_dim=_WIDTH, num_heads=4)

    with mock.patch.object(module, "timm", SimpleNamespace(create_model=narrow)):
        net = module.MANIQA(pretrained=False, embed_dim=_WIDTH, dim_mlp=_WIDTH)
    for block in net.vit.blocks:
        block._forward_hooks.clear()
    return net


def write_maniqa(folder: Path, make: Callable[[], Any] = small_maniqa) -> dict[str, Path]:
    """pyiqa's file of MANIQA, with DataParallel's prefix; needs pyiqa."""
    from adcbench.metrics.image import maniqa
    from adcbench.metrics.networks.pyiqa_nets import build

    return _saved(build(make, None, "cpu", "maniqa-pipal"), folder / maniqa.FILES[0].name, "module.")


def write_raft(folder: Path) -> dict[str, Path]:
    """torchvision's file of the large RAFT."""
    from torchvision.models.optical_flow import raft_large

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = raft_large(weights=None)
    return _saved(net, folder / "raft_large_C_T_V1-22a6c225.pth")


def _saved(net: torch.nn.Module, path: Path, prefix: str = "") -> dict[str, Path]:
    torch.save({f"{prefix}{name}": tensor for name, tensor in net.state_dict().items()}, path)
    return {path.name: path}
