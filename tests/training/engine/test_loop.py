"""The loop against plain PyTorch written out, and everything that may stop it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from toy_stage import ToySamples, ToyStage, toy_config, toy_degrade, toy_validation, train_toy

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.divergence import Diverged
from adcbench.training.engine.stage import Batch, Loss


def weights(folder: Path, step: int, file: str = "networks") -> dict[str, Tensor]:
    return load_file(folder / "checkpoints" / f"step_{step:08d}" / f"{file}.safetensors")


def log(folder: Path) -> list[dict[str, float]]:
    with (folder / "log.csv").open() as file:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(file)]


def by_hand(steps: int, clip: float | None = None, batch: int = 4) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The toy trained by plain PyTorch, its batch whole: weights, and their moving average at 0.9."""
    stage, samples = ToyStage(), ToySamples()
    averages: dict[str, Tensor] = {}
    for step in range(steps):
        numbers = range(step * batch, (step + 1) * batch)
        hr = torch.stack([samples[n][0] for n in numbers]).float() / 255
        lr = toy_degrade(hr, [n % 5 for n in numbers], list(numbers))
        gradients = []
        for loss in stage.losses(Batch(hr, lr, tuple(numbers), 0, step)):
            owned = [p for g in stage.optimisers[loss.optimiser].param_groups for p in g["params"]]
            gradients.append((stage.optimisers[loss.optimiser], owned, torch.autograd.grad(loss.total, owned)))
        for name, (optimiser, owned, found) in zip(stage.optimisers, gradients, strict=True):
            for parameter, gradient in zip(owned, found, strict=True):
                parameter.grad = gradient.clone()
            if clip:
                torch.nn.utils.clip_grad_norm_(owned, clip)
            optimiser.param_groups[0]["lr"] = stage.learning_rate(name, step)
            optimiser.step()
        decay = min(0.9, (1 + step) / (10 + step))
        now = {f"{n}.{k}": v.clone() for n, net in stage.networks.items() for k, v in net.state_dict().items()}
        first = {f"{n}.{k}": v for n, net in ToyStage().networks.items() for k, v in net.state_dict().items()}
        averages = {name: decay * averages.get(name, first[name]) + (1 - decay) * now[name] for name in now}
    return now, averages


@pytest.mark.parametrize("micro_batch", [1, 2, 4])
@pytest.mark.parametrize("clip", [None, 0.1])
def test_it_trains_as_plain_pytorch_does_whatever_the_micro_batch(
    tmp_path: Path, micro_batch: int, clip: float | None
) -> None:
    train_toy(tmp_path, toy_config(12, micro_batch=micro_batch, clip_norm=clip))
    expected, averages = by_hand(12, clip)
    for name, tensor in weights(tmp_path, 12).items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=2e-6)
    for name, tensor in weights(tmp_path, 12, "ema").items():
        torch.testing.assert_close(tensor, averages[name], rtol=0, atol=2e-6)


def test_without_averages_the_products_are_the_weights(tmp_path: Path) -> None:
    products = train_toy(tmp_path, toy_config(5, ema=None))
    assert not (tmp_path / "checkpoints" / "step_00000005" / "ema.safetensors").exists()
    trained = weights(tmp_path, 5)
    for name, tensor in load_file(products / "toy.safetensors").items():
        assert tensor.equal(trained[f"generator.{name}"])


def test_frozen_parameters_never_change_and_are_not_saved(tmp_path: Path) -> None:
    stage = ToyStage()
    train_toy(tmp_path, toy_config(5), stage)
    start, end = (one.networks["discriminator"].state_dict() for one in (ToyStage(), stage))
    assert end["0.weight"].equal(start["0.weight"]) and not end["2.weight"].equal(start["2.weight"])
    for name in ("networks", "ema"):
        assert "discriminator.2.weight" in weights(tmp_path, 5, name)
        assert "discriminator.0.weight" not in weights(tmp_path, 5, name)


def test_products_are_the_averages(tmp_path: Path) -> None:
    products = load_file(train_toy(tmp_path, toy_config(5)) / "toy.safetensors")
    raw, averages = weights(tmp_path, 5), weights(tmp_path, 5, "ema")
    for name, tensor in products.items():
        assert tensor.equal(averages[f"generator.{name}"]) and not tensor.equal(raw[f"generator.{name}"])


def test_the_log_has_means_rates_and_norms(tmp_path: Path) -> None:
    train_toy(tmp_path / "a", toy_config(12, log_every=1))
    train_toy(tmp_path / "b", toy_config(12, log_every=4))
    every, fourth = log(tmp_path / "a"), log(tmp_path / "b")
    assert [row["step"] for row in fourth] == [4, 8, 12]
    assert [row["generator.learning_rate"] for row in every] == [1e-3] * 10 + [5e-4] * 2
    for name in ("generator", "generator.l1", "discriminator.real", "discriminator.gradient_norm"):
        assert fourth[1][name] == pytest.approx(np.mean([row[name] for row in every[4:8]]), rel=1e-12)
    assert every[3]["generator"] == pytest.approx(every[3]["generator.l1"] + 0.1 * every[3]["generator.adversarial"])


def test_scores_and_pictures_of_validations(tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(8, validate_every=4), validation=toy_validation())
    rows = (tmp_path / "validation.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "4", "8"]
    with Image.open(tmp_path / "validation" / "step_00000008.png") as image:
        assert image.size == (3 * 16, 4 * 16)


def test_tensorboard_has_the_numbers_of_the_log(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train_toy(tmp_path, toy_config(4, tensorboard=True))
    train_toy(tmp_path, toy_config(6, tensorboard=True))
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    found = {event.step: event.value for event in events.Scalars("generator/l1")}
    assert found == pytest.approx({int(row["step"]): row["generator.l1"] for row in log(tmp_path)}, rel=1e-6)


class Bad(ToyStage):
    """The toy, with its generator's loss spoilt from one step on."""

    def __init__(self, step: int, spoil: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._step, self._spoil = step, spoil

    def losses(self, batch: Batch) -> Iterator[Loss]:
        for loss in super().losses(batch):
            spoilt = batch.step >= self._step and loss.optimiser == "generator"
            yield replace(loss, total=self._spoil(loss.total)) if spoilt else loss


@pytest.mark.parametrize(
    ("spoil", "precision", "words"),
    [
        (lambda loss: loss * math.nan, "float32", r"^step 8: a loss is not finite \(generator is nan\)"),
        (lambda loss: loss * math.inf, "bf16", r"^step 8: a loss is not finite \(generator is inf\)"),
        (lambda loss: loss + (loss - loss).sqrt(), "float32", "^step 8: the gradient of generator is not finite;"),
        (
            lambda loss: loss * math.nan,
            "fp16",
            "^step 27: the gradient of generator is not finite for 20 steps in a row",
        ),
    ],
)
def test_what_is_not_finite_stops_it_and_names_step_loss_and_checkpoint(
    tmp_path: Path, spoil: Callable[[Tensor], Tensor], precision: Any, words: str
) -> None:
    with pytest.raises(Diverged, match=words) as caught:
        train_toy(tmp_path, toy_config(30, precision=precision, save_every=7, keep_last=9), Bad(7, spoil))
    last = 7 if precision != "fp16" else 21
    good = tmp_path / "checkpoints" / f"step_{last:08d}"
    assert str(caught.value).endswith(f"in another folder. The last good checkpoint is {good}")
    assert all(bool(tensor.isfinite().all()) for tensor in weights(tmp_path, last).values())


def test_fp16_skips_steps_that_overflow_and_lowers_its_scale(tmp_path: Path) -> None:
    class Overflows(ToyStage):
        def losses(self, batch: Batch) -> Iterator[Loss]:
            for loss in super().losses(batch):
                big = batch.step < 3 and loss.optimiser == "generator"
                yield replace(loss, total=loss.total * (math.inf if big else 1.0))

    train_toy(tmp_path, toy_config(3, precision="fp16"), Overflows())
    state = json.loads((tmp_path / "checkpoints" / "step_00000003" / "state.json").read_text())["state"]
    assert state["scales"]["generator"]["scale"] == 65536 / 8
    assert state["scales"]["discriminator"]["scale"] > 65536 / 8
    start = ToyStage().networks["generator"].state_dict()
    assert all(weights(tmp_path, 3)[f"generator.{name}"].equal(start[name]) for name in start)
    train_toy(tmp_path, toy_config(6, precision="fp16"), Overflows())
    assert not weights(tmp_path, 6)["generator.0.weight"].equal(start["0.weight"])


@pytest.mark.parametrize("shared", [False, True])
def test_fp16_with_a_discriminator_that_starts_later(tmp_path: Path, shared: bool) -> None:
    class Late(ToyStage):
        def losses(self, batch: Batch) -> Iterator[Loss]:
            found = list(super().losses(batch))
            yield from found if batch.step >= 3 else found[:1]

    train_toy(tmp_path, toy_config(5, precision="fp16", shared_scaler=shared), Late())
    state = json.loads((tmp_path / "checkpoints" / "step_00000005" / "state.json").read_text())["state"]
    used = {name: saved["_growth_tracker"] for name, saved in state["scales"].items()}
    assert used["discriminator"] == used["generator"] if shared else used["discriminator"] <= 2
    rows = log(tmp_path)
    assert [math.isfinite(row["discriminator"]) for row in rows] == [False] * 3 + [True] * 2


def test_a_shared_scale_falls_for_all_and_grows_twice_as_often(tmp_path: Path) -> None:
    config = toy_config(2, precision="fp16", shared_scaler=True)
    with pytest.raises(Diverged, match="20 steps in a row"):
        train_toy(tmp_path, replace(config, steps=30, save_every=19), Bad(0, lambda loss: loss * math.inf))
    state = json.loads((tmp_path / "checkpoints" / "step_00000019" / "state.json").read_text())["state"]
    scale = {"scale": 65536 / 2**19, "growth_interval": 1000}
    for saved in state["scales"].values():
        assert {name: saved[name] for name in scale} == scale
    start = ToyStage().networks["discriminator"].state_dict()
    assert not weights(tmp_path, 19)["discriminator.2.weight"].equal(start["2.weight"])  # its own steps went on


def test_bf16_is_close_to_float32_and_its_weights_stay_float32(tmp_path: Path) -> None:
    train_toy(tmp_path / "a", toy_config(10, precision="bf16"))
    train_toy(tmp_path / "b", toy_config(10))
    a, b = weights(tmp_path / "a", 10), weights(tmp_path / "b", 10)
    differences = [float((a[name] - b[name]).abs().max()) for name in a]
    assert all(tensor.dtype == torch.float32 for tensor in a.values())
    assert 0 < max(differences) < 0.02


def test_an_exploding_loss_stops_it(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"step 111: the loss generator exploded: .* median of the last 100 is 0\."):
        train_toy(
            tmp_path,
            toy_config(120, batch=1, micro_batch=1, save_every=50, explode=20),
            Bad(110, lambda loss: loss * 100),
        )
    assert (tmp_path / "checkpoints" / "step_00000100").is_dir()


def test_a_full_disk_names_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adcbench.training.engine import run_checkpoints

    whole = run_checkpoints.save_file

    def full_after_five(tensors: dict[str, Tensor], path: Path) -> None:
        if "00000010" in str(path):
            raise OSError(28, "No space left on device")
        whole(tensors, path)

    monkeypatch.setattr(run_checkpoints, "save_file", full_after_five)
    with pytest.raises(AdcbenchError, match="can't be written") as caught:
        train_toy(tmp_path, toy_config(12))
    assert (
        str(caught.value)
        .splitlines()[1]
        .startswith(f"The last good checkpoint is {tmp_path}/checkpoints/step_00000005")
    )


def test_a_stage_that_uses_the_global_generator_is_refused(tmp_path: Path) -> None:
    class Random(ToyStage):
        def losses(self, batch: Batch) -> Iterator[Loss]:
            torch.rand(1)
            yield from super().losses(batch)

    with pytest.raises(RuntimeError, match="global generator"):
        train_toy(tmp_path, toy_config(3), Random())


def test_switches_of_torch_are_put_back(tmp_path: Path) -> None:
    def switches() -> tuple[Any, ...]:
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.get_rng_state().sum(),
        )

    before = switches()
    train_toy(tmp_path, toy_config(1, tf32=True))
    assert switches() == before
