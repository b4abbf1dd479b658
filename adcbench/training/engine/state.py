"""Everything of a stage that changes while it trains: weights, gradients, moments, averages, loss scales."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.weights import check_finite, check_names
from adcbench.training.engine.ema import Ema
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.run_checkpoints import read_tensors
from adcbench.training.engine.stage import Stage

NETWORKS, OPTIMISERS, AVERAGES = "networks.safetensors", "optimisers.safetensors", "ema.safetensors"
_GROWTH_INTERVAL = 2000  # torch's: updates without overflow before the loss scale doubles


class Gradients:
    """The gradients of all optimisers as one flat tensor, of which each parameter's is a view.

    So they are summed over processes in one call, and clipped and measured in one pass per optimiser.
    A parameter that no loss reaches has a gradient of zero.
    """

    def __init__(self, optimisers: Mapping[str, torch.optim.Optimizer], device: torch.device) -> None:
        self.parameters = {
            name: [p for group in optimiser.param_groups for p in group["params"] if p.requires_grad]
            for name, optimiser in optimisers.items()
        }
        everything = [p for parameters in self.parameters.values() for p in parameters]
        if len({id(p) for p in everything}) != len(everything):
            raise ValueError("a parameter belongs to two optimisers")
        self.flat = torch.zeros(sum(p.numel() for p in everything), device=device)
        self.of: dict[str, Tensor] = {}
        start = 0
        for name, parameters in self.parameters.items():
            first = start
            for parameter in parameters:
                mine = self.flat[start : start + parameter.numel()]
                parameter.grad = mine.as_strided(parameter.shape, parameter.stride(), mine.storage_offset())
                start += parameter.numel()
            self.of[name] = self.flat[first:start]


class TrainingState:
    """A stage on its device, with what the loop adds to it."""

    def __init__(self, stage: Stage, config: LoopConfig, device: torch.device) -> None:
        self.stage = stage
        for network in (*stage.networks.values(), *stage.frozen.values()):
            network.to(device)
        self.gradients = Gradients(stage.optimisers, device)
        self.ema = Ema(stage.networks, config.ema) if config.ema else None
        self.scalers = _scalers(tuple(stage.optimisers), config, device)

    def advance_average(self, updates: int) -> None:
        """Take the present weights into their moving average, if there is one; see ``Ema.update``."""
        if self.ema:
            self.ema.update(updates)

    def averaged(self) -> AbstractContextManager[None]:
        """The networks hold their moving averages, if there are any, while this lasts."""
        return self.ema.in_place() if self.ema else nullcontext()

    def files(self) -> dict[str, dict[str, Tensor]]:
        """The tensors of a checkpoint by file name, copied to the CPU.

        Raises:
            AdcbenchError: weights that are not finite: never saved over good ones.
        """
        networks = {
            f"{name}.{key}": tensor
            for name, net in self.stage.networks.items()
            for key, tensor in changing(net).items()
        }
        check_finite(networks, "the weights to be saved")
        moments = {
            f"{name}.{index}.{key}": value
            for name, optimiser in self.stage.optimisers.items()
            for index, entry in optimiser.state_dict()["state"].items()
            for key, value in entry.items()
            if value is not None
        }
        files = {NETWORKS: networks, OPTIMISERS: moments}
        if self.ema:
            files[AVERAGES] = self.ema.averages
        return {file: {name: _copied(tensor) for name, tensor in tensors.items()} for file, tensors in files.items()}

    def scales(self) -> dict[str, Any]:
        """The loss scales' own state, for JSON."""
        return {name: scaler.state_dict() for name, scaler in self.scalers.items()}

    def restore(self, path: Path, scales: Mapping[str, Any]) -> None:
        """Put a checkpoint's tensors and loss scales where they were.

        Raises:
            AdcbenchError: the checkpoint belongs to other networks or optimisers.
        """
        load_networks(self.stage.networks, path)
        _load_moments(self.stage.optimisers, path)
        if self.ema:
            saved = read_tensors(path, AVERAGES)
            check_names(saved, {n: tuple(t.shape) for n, t in self.ema.averages.items()}, str(path / AVERAGES))
            for name, average in self.ema.averages.items():
                average.copy_(saved[name])
        for name, scaler in self.scalers.items():
            if scaler.is_enabled():
                scaler.load_state_dict(dict(scales[name]))


def changing(network: nn.Module) -> dict[str, Tensor]:
    """What training changes of a network: its trainable parameters and its buffers, by name.

    The rest comes from where the stage took it: for a discriminator with LoRA that is 3.5 GB a checkpoint saved.
    """
    tensors = network.state_dict(keep_vars=True)
    return {name: t for name, t in tensors.items() if t.requires_grad or not isinstance(t, nn.Parameter)}


def load_networks(networks: Mapping[str, nn.Module], path: Path, averages: bool = False) -> None:
    """Put the weights of a checkpoint into networks, strictly.

    Args:
        path: the checkpoint's folder.
        averages: the moving averages where it has them, instead of the weights they are of.

    Raises:
        AdcbenchError: the checkpoint belongs to other networks.
    """
    saved = read_tensors(path, NETWORKS)
    check_names(
        saved,
        {f"{name}.{key}": tuple(t.shape) for name, net in networks.items() for key, t in changing(net).items()},
        str(path / NETWORKS),
    )
    if averages and (path / AVERAGES).exists():
        saved |= {name: tensor for name, tensor in read_tensors(path, AVERAGES).items() if name in saved}
    for name, net in networks.items():
        net.load_state_dict({key: saved[f"{name}.{key}"] for key in changing(net)}, strict=False)


def _load_moments(optimisers: Mapping[str, torch.optim.Optimizer], path: Path) -> None:
    entries: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in optimisers}
    for full, tensor in read_tensors(path, OPTIMISERS).items():
        name, index, key = full.rsplit(".", 2)
        if name not in entries:
            raise AdcbenchError(f"{path / OPTIMISERS}: has moments of {name}, an optimiser that this stage has not")
        entries[name].setdefault(int(index), {})[key] = tensor
    for name, optimiser in optimisers.items():
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        for place, moments in entries[name].items():
            for key, tensor in moments.items():
                if tensor.shape == parameters[place].shape:  # in its layout, as it was: another one rounds otherwise
                    moments[key] = torch.empty_like(parameters[place], dtype=tensor.dtype).copy_(tensor)
        optimiser.load_state_dict({"state": entries[name], "param_groups": optimiser.state_dict()["param_groups"]})


def _scalers(names: tuple[str, ...], config: LoopConfig, device: torch.device) -> dict[str, torch.amp.GradScaler]:
    """One loss scale per optimiser, or one for all.

    Upstream updates its shared one after each optimiser, so it doubles after half as many steps; to update it
    once per step with a shorter interval is the same, and keeps one scale for all backward passes of a step.
    """

    def scaler(interval: int) -> torch.amp.GradScaler:
        return torch.amp.GradScaler(device.type, growth_interval=interval, enabled=config.precision == "fp16")

    if config.shared_scaler:
        return dict.fromkeys(names, scaler(_GROWTH_INTERVAL // len(names)))
    return {name: scaler(_GROWTH_INTERVAL) for name in names}


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()
