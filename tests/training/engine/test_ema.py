"""Averages of weights."""

from __future__ import annotations

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
