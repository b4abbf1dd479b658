"""What the AdcSR tests share: a mini network with lively weights, and checkpoints in the official format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from adcbench.systems.adcsr import DECODER_FILE, MINI, STUDENT_FILE
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR, load_network
from adcbench.systems.adcsr.weights import _ALIASED, canonical_name
from adcbench.systems.checkpoints.deterministic import fill_deterministic

GOLDEN = Path(__file__).parents[1] / "golden" / "adcsr"


def mini_network() -> AdcSR:
    """The mini network; the recipe's weights times 4, so that narrow layers matter as wide ones do."""
    network = load_network(MINI, None)
    for name, parameter in network.named_parameters():
        if "norm" not in name:
            parameter.mul_(4)
    return network


def mini_input() -> Tensor:
    """(1, 3, 32, 16) in [-1, 1]: the coarsest attention still has two tokens to choose from."""
    return torch.rand(1, 3, 32, 16, generator=torch.Generator().manual_seed(1234)) * 2 - 1


def student_dict(network: AdcSR) -> dict[str, Tensor]:
    """What net_params_200.pkl holds, as ``torch.save(ddp.state_dict())`` wrote it: prefix and aliases."""
    own = {canonical_name(name): tensor for name, tensor in network.state_dict().items()}
    student = {name: tensor for name, tensor in own.items() if name.startswith("body.")}
    for i, part in enumerate(_ALIASED):
        prefix = f"body.1.{part}."
        matches = [name for name in student if part and name.startswith(prefix)]
        student |= {f"body.1.body.{i}.{name.removeprefix(prefix)}": student[name] for name in matches}
    return {f"module.{name}": tensor for name, tensor in student.items()}


def decoder_dict(network: AdcSR) -> dict[str, Tensor]:
    """What halfDecoder.ckpt's state_dict holds: a whole decoder with the network's tail, and what surrounds it."""
    decoder = HalfDecoder(network.config, latent=True)
    fill_deterministic(decoder)
    own = {name: t for name, t in network.state_dict().items() if name.startswith("decoder.")}
    tail = {name: t for name, t in own.items() if "mid_block" not in name}
    others = {"encoder.conv_in.weight": torch.zeros(2, 3, 3, 3), "loss.logvar": torch.zeros(())}
    return {f"decoder.{name}": t for name, t in decoder.state_dict().items()} | tail | others


def write_official(folder: Path, student: Mapping[str, Tensor], decoder: Mapping[str, Tensor]) -> dict[str, Path]:
    """Both files, as plain as they go."""
    paths = {STUDENT_FILE: folder / STUDENT_FILE, DECODER_FILE: folder / DECODER_FILE}
    torch.save(dict(student), paths[STUDENT_FILE])
    torch.save({"state_dict": dict(decoder)}, paths[DECODER_FILE])
    return paths
