"""What of a stage changes while it trains is saved, and put back to the bit; what is not its own is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from toy_stage import ToyStage, toy_config, toy_validation

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.state import AVERAGES, NETWORKS, OPTIMISERS, Gradients, TrainingState, load_networks

CPU = torch.device("cpu")


def state_of(stage: ToyStage, **changes: Any) -> TrainingState:
    return TrainingState(stage, toy_config(10, **changes), CPU)


def step(state: TrainingState, updates: int) -> None:
    state.gradients.flat.zero_()
    for loss in state.stage.losses(toy_validation()[0]):
        loss.total.backward(inputs=state.gradients.parameters[loss.optimiser])  # type: ignore[no-untyped-call]
    for optimiser in state.stage.optimisers.values():
        optimiser.step()
    state.advance_average(updates)


def trained(steps: int = 3, seed: int = 0) -> TrainingState:
    state = state_of(ToyStage(seed))
    for number in range(steps):
        step(state, number)
    return state


def write(folder: Path, files: dict[str, dict[str, Tensor]]) -> Path:
    for name, tensors in files.items():
        save_file(tensors, folder / name)
    return folder


def equal(one: dict[str, dict[str, Tensor]], other: dict[str, dict[str, Tensor]]) -> bool:
    return one.keys() == other.keys() and all(
        one[file].keys() == other[file].keys() and all(torch.equal(t, other[file][n]) for n, t in one[file].items())
        for file in one
    )


def test_gradients_are_views_of_one_tensor_by_optimiser() -> None:
    state = state_of(ToyStage())
    step(state, 0)
    gradients = state.gradients
    assert gradients.flat.numel() == sum(part.numel() for part in gradients.of.values())
    for name, parameters in gradients.parameters.items():
        expected = torch.cat([p.grad.as_strided((p.numel(),), (1,)) for p in parameters if p.grad is not None])
        assert torch.equal(gradients.of[name], expected) and gradients.of[name].any()
    assert all(p.grad is None for p in state.stage.networks["discriminator"][0].parameters())  # type: ignore[index]


def test_a_parameter_has_one_optimiser() -> None:
    weight = nn.Parameter(torch.zeros(2))
    with pytest.raises(ValueError, match="two optimisers"):
        Gradients({"a": torch.optim.SGD([weight]), "b": torch.optim.SGD([weight])}, CPU)


def test_a_checkpoint_holds_what_training_changes(tmp_path: Path) -> None:
    files = trained().files()
    assert files.keys() == {NETWORKS, OPTIMISERS, AVERAGES}
    assert files[NETWORKS].keys() == files[AVERAGES].keys()
    assert not any(name.startswith("discriminator.0.") for name in files[NETWORKS])  # frozen
    assert "generator.0.exp_avg_sq" in files[OPTIMISERS]
    assert any(not torch.equal(tensor, files[AVERAGES][name]) for name, tensor in files[NETWORKS].items())
    assert state_of(ToyStage(), ema=None).files().keys() == {NETWORKS, OPTIMISERS}


def test_a_run_goes_on_from_it_to_the_bit(tmp_path: Path) -> None:
    first = trained()
    path = write(tmp_path, first.files())
    second = trained(1)  # frozen layers are not saved: a stage has them already
    assert not equal(first.files(), second.files())
    second.restore(path, first.scales())
    assert equal(first.files(), second.files())
    for state in (first, second):
        step(state, 3)
    assert equal(first.files(), second.files())


def test_networks_take_the_weights_or_their_averages(tmp_path: Path) -> None:
    state = trained()
    path = write(tmp_path, state.files())
    for averages, file in ((False, NETWORKS), (True, AVERAGES)):
        networks = ToyStage(seed=2).networks
        load_networks(networks, path, averages)
        saved = state.files()[file]["generator.0.weight"]
        assert torch.equal(networks["generator"].state_dict()["0.weight"], saved)
    with state.averaged():
        assert torch.equal(
            state.stage.networks["generator"].state_dict()["0.weight"], state.files()[NETWORKS]["generator.0.weight"]
        )


def test_what_belongs_to_another_stage_is_refused(tmp_path: Path) -> None:
    files = trained().files()
    files[OPTIMISERS] = {f"critic.{name}": tensor for name, tensor in files[OPTIMISERS].items()}
    with pytest.raises(AdcbenchError, match=r"optimisers\.safetensors: has moments of critic\.\w+"):
        state_of(ToyStage()).restore(write(tmp_path, files), {})
    del files[NETWORKS]["generator.0.weight"]
    with pytest.raises(AdcbenchError, match=r"networks\.safetensors"):
        state_of(ToyStage()).restore(write(tmp_path, files), {})


def test_weights_that_are_no_numbers_are_never_saved() -> None:
    state = trained(1)
    with torch.no_grad():
        state.stage.networks["generator"].state_dict()["0.bias"].fill_(torch.nan)
    with pytest.raises(AdcbenchError, match="the weights to be saved"):
        state.files()
