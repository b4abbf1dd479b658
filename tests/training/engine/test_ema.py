"""Averages of weights."""

from __future__ import annotations

import pytest
import torch

from adcbench.training.engine.ema import Ema


def test_averages_are_put_in_place_and_taken_out_again() -> None:
    network = torch.nn.BatchNorm1d(2)
    ema = Ema({"a": network}, 0.5)
    trained = network.weight.detach().clone().add_(1)
    with torch.no_grad():
        network.weight.copy_(trained)
    network.num_batches_tracked += 3
    ema.update(1000)
    with ema.in_place():
        assert network.weight.equal(torch.full((2,), 1.5))
        assert int(network.num_batches_tracked) == 3
    assert network.weight.equal(trained)
    assert ema.averages["a.weight"].equal(torch.full((2,), 1.5))


@pytest.mark.parametrize(("updates", "kept"), [(0, 0.1), (8, 0.5), (10**6, 0.99)])
def test_the_first_weights_are_soon_forgotten(updates: int, kept: float) -> None:
    """As in diffusers' ``EMAModel``: min(decay, (1 + n) / (10 + n))."""
    network = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(0)
        ema = Ema({"a": network}, 0.99)
        network.weight.fill_(1)
    ema.update(updates)
    assert float(ema.averages["a.weight"]) == pytest.approx(1 - kept)


def test_frozen_parameters_have_no_average_and_networks_are_told_apart() -> None:
    one, two = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    two.bias.requires_grad_(False)
    assert set(Ema({"one": one, "two": two}, 0.5).averages) == {"one.weight", "one.bias", "two.weight"}


def test_trained_weights_are_back_after_an_error() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    ema = Ema({"a": network}, 0.5)
    with torch.no_grad():
        network.weight.add_(1)
    trained = network.weight.detach().clone()
    with pytest.raises(ValueError, match="on purpose"), ema.in_place():
        assert not network.weight.equal(trained)
        raise ValueError("on purpose")
    assert network.weight.equal(trained)
