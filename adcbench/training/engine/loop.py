"""The training loop: any stage, one process or several, stopped and resumed at will.

A step's samples are numbered step * batch + k, and sample n is the same wherever it is made: so a run is a
function of its settings, and one that was killed and resumed ends with the weights it would have had. A step:

1. forward and backward passes of this process's micro-batches, one loss after another (``Stage.losses``);
2. gradients and losses summed over processes, as means over the whole batch;
3. they are checked and clipped; then each optimiser's update.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import write_whole
from adcbench.training.engine import run_checkpoints
from adcbench.training.engine.dataloader import Crops, Samples, load_crops
from adcbench.training.engine.divergence import Diverged, DivergenceWatch
from adcbench.training.engine.logging import RunLog, sheet
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.processes import Processes, join_processes
from adcbench.training.engine.run_folder import (
    CHECKPOINTS,
    PRODUCTS,
    check_settings,
    environment,
    locked_folder,
    record_environment,
    write_settings,
)
from adcbench.training.engine.runtime import numerics, print_line, signals
from adcbench.training.engine.stage import Batch, Stage
from adcbench.training.engine.state import TrainingState, load_networks

Degrade = Callable[[Tensor, Sequence[int], Sequence[int]], Tensor]
# Of a checkpoint's state; the first ones have these names.
_WATCH, _LOG = "judge", "records"
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Stopped(AdcbenchError):
    """A signal ended the run after a step; a checkpoint of it was saved."""


def train(
    stage: Stage,
    samples: Samples,
    degrade: Degrade,
    config: LoopConfig,
    folder: Path,
    settings: Mapping[str, Any],
    validation: Sequence[Batch] = (),
    resume: bool = True,
) -> Path:
    """Train a stage to its last step, going on from the newest whole checkpoint in the folder.

    Args:
        samples: sample number -> (HR crop ([T,] 3, H, W) uint8, image number, ...), a pure function.
        degrade: (HR (B, [T,] 3, H, W) in [0, 1], image numbers, sample numbers) -> LR, a pure function.
        folder: gets checkpoints, logs, and at the end the products. One run each.
        settings: whatever else decides the weights (stage, data, sizes), as JSON: may not change on resume.
        validation: what ``stage.validate`` sees; the mean of its first score decides the best checkpoint.

    Returns:
        The folder of the stage's products, a safetensors file each. Those of another checkpoint: ``export``.

    Raises:
        Stopped: SIGINT or SIGTERM came.
        Diverged: a loss or gradient that is not finite or explodes; names the last good checkpoint.
        AdcbenchError: settings that don't fit or have changed; no space, a lost data file, naming that checkpoint.
    """
    processes = join_processes(config.device)
    config.check(processes.count)
    settings = {"loop": config.fixed(), **settings}
    with ExitStack() as during:
        if processes.first:
            during.enter_context(locked_folder(folder))
        check_settings(folder, settings, resume)
        processes.wait()
        during.enter_context(numerics(config))
        run = _Run(stage, config, folder, processes)
        run.start(settings)
        during.callback(run.close)
        stop = during.enter_context(signals())
        try:
            with closing(load_crops(samples, config, run.step, processes)) as crops:
                run.steps(crops, degrade, validation, stop)
        except Stopped:
            raise
        except Diverged as error:
            raise Diverged(f"{error}. {run.last_good()}") from error
        except torch.OutOfMemoryError as error:
            remedy = "a smaller micro_batch needs less, in another folder: the last bits of the weights will differ"
            raise AdcbenchError(f"{processes.device}: out of memory; {remedy}. {run.last_good()}") from error
        except AdcbenchError as error:
            again = "goes on from there" if run_checkpoints.newest(run.saved)[0] else "starts again"
            raise AdcbenchError(f"{error}\n{run.last_good()}: the same command {again}") from error
        if processes.first:
            run.export(folder / PRODUCTS)
        processes.wait()
    return folder / PRODUCTS


def export(stage: Stage, checkpoint: Path, folder: Path) -> None:
    """Write what a stage is for, from one checkpoint (with its moving averages where it has them).

    Raises:
        AdcbenchError: a checkpoint that is damaged or of another stage, or a file that can't be written.
    """
    run_checkpoints.read_state(checkpoint)
    load_networks(stage.networks, checkpoint, averages=True)
    _write_products(stage, folder)


class _Run:
    """One run under way: its state, its log, and the step it has come to."""

    def __init__(self, stage: Stage, config: LoopConfig, folder: Path, processes: Processes) -> None:
        self.stage, self.config, self.folder, self.processes = stage, config, folder, processes
        self.state = TrainingState(stage, config, processes.device)
        self.watch = DivergenceWatch(config.explode, skips=config.precision == "fp16")
        self.log: RunLog | None = None
        self.step = 0
        self.best: dict[str, Any] | None = None
        self.saved = folder / CHECKPOINTS

    def start(self, settings: Mapping[str, Any]) -> None:
        """Begin at step 0, or where the newest whole checkpoint ended."""
        config, processes = self.config, self.processes
        path, damaged = run_checkpoints.newest(self.saved) if processes.first else (None, [])
        path = processes.agree(path)
        content = run_checkpoints.read_state(path) if path else None
        if path and content:
            self._restore(path, content)
            if self.best and not run_checkpoints.step_folder(self.saved, self.best["step"]).is_dir():
                self.best = None  # it went with a checkpoint that was damaged
            if self.step > config.steps:
                raise AdcbenchError(f"{path}: has done {self.step} steps, more than steps = {config.steps}; raise it")
        processes.check_equal(p for net in self.stage.networks.values() for p in net.parameters())
        if not processes.first:
            return
        run_checkpoints.clean(self.saved)
        write_settings(self.folder, settings)
        changed = record_environment(self.folder, self.step, environment(processes.device, processes.count))
        self.log = RunLog(
            self.folder, self.step, config.steps, config.batch, config.log_every, events=config.tensorboard
        )
        if content:
            self.log.restore(content[_LOG])
        for reason in damaged:
            print_line(reason)
        if content or damaged:
            print_line(f"going on from step {self.step}" + (f": {path}" if path else ""))
        if changed:
            print_line(
                f"the machine is not that of the steps before, so the last bits of the weights may differ: {changed}"
            )

    def _restore(self, path: Path, content: Mapping[str, Any]) -> None:
        try:
            self.state.restore(path, content["scales"])
            self.watch.restore(content[_WATCH])
            self.step, self.best = int(content["step"]), content["best"]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise AdcbenchError(f"{path}: not a checkpoint of this version ({reason}); name another folder") from error

    def steps(
        self,
        crops: Iterator[Crops],
        degrade: Degrade,
        validation: Sequence[Batch],
        stop: threading.Event,
    ) -> None:
        """All steps that are left, with validations and checkpoints where they are due."""
        config = self.config
        generator_before = torch.random.get_rng_state()
        while self.step < config.steps:
            stopped = self._one_step(crops, degrade, stop)
            self.step += 1
            if not torch.equal(generator_before, torch.random.get_rng_state()):
                raise RuntimeError("the stage, its data or its validation drew from torch's global generator")
            due = self.step % config.save_every == 0 or self.step == config.steps or stopped
            if validation and config.validate_every and self.step % config.validate_every == 0:
                due |= self._validate(validation)
            if due:
                self._save()
            if stopped and self.step < config.steps:
                raise Stopped(f"stopped after step {self.step}. {self.last_good()}: the same command goes on from it")

    def _one_step(self, crops: Iterator[Crops], degrade: Degrade, stop: threading.Event) -> bool:
        """Returns whether any process was told to stop."""
        state, config, device = self.state, self.config, self.processes.device
        state.gradients.flat.zero_()
        sums: dict[str, Tensor] = {}
        for _ in range(config.micro_batches // self.processes.count):
            hr, images, numbers = next(crops)
            hr = hr.to(device, torch.float32) / 255
            batch = Batch(hr, degrade(hr, images, numbers), numbers, config.seed, self.step)
            for name, value in self._backward(batch):
                sums[name] = sums[name] + value if name in sums else value
        told = torch.tensor(float(stop.is_set()), dtype=torch.float64, device=device)
        values = torch.stack([*sums.values(), told]) / config.micro_batches
        self.processes.add(values)
        self.processes.add(state.gradients.flat)
        *means, told_any = values.tolist()
        losses = dict(zip(sums, means, strict=True))
        self.watch.losses(self.step + 1, losses, tuple(self.stage.optimisers))
        rates, norms = self._update({name for name in self.stage.optimisers if name in losses})
        state.advance_average(self.step)
        if self.log:
            self.log.step(self.step + 1, losses | norms, rates)
        return bool(told_any)

    def _backward(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Run a micro-batch's losses, one after another; yields their values by name for the log."""
        state, dtype = self.state, _AUTOCAST.get(self.config.precision)
        losses = iter(self.stage.losses(batch))
        while True:
            with torch.autocast(batch.hr.device.type, dtype) if dtype else nullcontext():
                loss = next(losses, None)
            if loss is None:
                return
            scaled = state.scalers[loss.optimiser].scale(loss.total / self.config.micro_batches)
            torch.autograd.backward(scaled, inputs=state.gradients.parameters[loss.optimiser])
            yield loss.optimiser, loss.total.detach().double()
            for name, part in loss.parts.items():
                yield f"{loss.optimiser}.{name}", part.detach().double()

    def _update(self, used: set[str]) -> tuple[dict[str, float], dict[str, float]]:
        """Check, clip and use the gradients; returns learning rates and gradient norms for the log.

        Args:
            used: optimisers with a loss in this step. One whose losses begin later counts the step too, its gradients
                being zero, as in latent-diffusion; but a loss scale that was not used stays what it is.
        """
        state, config, optimisers = self.state, self.config, self.stage.optimisers
        for name in used:
            state.scalers[name].unscale_(optimisers[name])
        measured = torch.stack([torch.linalg.vector_norm(state.gradients.of[name]) for name in optimisers]).tolist()
        norms = dict(zip(optimisers, measured, strict=True))
        self.watch.gradients(self.step + 1, norms)
        rates = {name: self.stage.learning_rate(name, self.step) for name in optimisers}
        for name, optimiser in optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = rates[name]
            if config.clip_norm and norms[name] > config.clip_norm:
                state.gradients.of[name].mul_(config.clip_norm / norms[name])
            if name in used:
                state.scalers[name].step(optimiser)
            else:
                optimiser.step()
        for scaler in {id(state.scalers[name]): state.scalers[name] for name in used}.values():
            scaler.update()
        return (
            {f"{name}.learning_rate": rate for name, rate in rates.items()},
            {f"{name}.gradient_norm": norm for name, norm in norms.items()},
        )

    def _validate(self, validation: Sequence[Batch]) -> bool:
        """Score the weights (their averages where there are any); returns whether they are the best so far."""
        is_best = False
        if self.log:
            scores, picture = self._scores(validation)
            self.log.validation(self.step, scores, picture)
            score = next(iter(scores.values()))
            is_best = self.best is None or score < self.best["score"]
            self.best = {"step": self.step, "score": score} if is_best else self.best
        best_now: bool
        best_now, self.best = self.processes.agree((is_best, self.best))
        return best_now

    @torch.no_grad()
    def _scores(self, validation: Sequence[Batch]) -> tuple[dict[str, float], np.ndarray]:
        """Mean scores over all batches, and a sheet of the first one's images."""
        measured: list[dict[str, float]] = []
        pictures: list[np.ndarray] = []
        with self.state.averaged():
            for batch in validation:
                moved = replace(batch, hr=batch.hr.to(self.processes.device), lr=batch.lr.to(self.processes.device))
                output, scores = self.stage.validate(moved)
                measured.append(scores)
                if not pictures:
                    pictures.append(sheet(moved.lr, output, moved.hr))
        means = {name: sum(scores[name] for scores in measured) / len(measured) for name in measured[0]}
        return means, pictures[0]

    def _save(self) -> None:
        """Write a checkpoint of this step; older ones go when it is whole."""
        if self.log:
            self.log.flush()
            content = {
                "best": self.best,
                "scales": self.state.scales(),
                _WATCH: self.watch.state(),
                _LOG: self.log.state(),
                "environment": environment(self.processes.device, self.processes.count),
            }
            run_checkpoints.save(self.saved, self.step, self.state.files(), content)
            run_checkpoints.prune(self.saved, self.config.keep_last, self.best["step"] if self.best else None)
        self.processes.wait()

    def export(self, folder: Path) -> None:
        """Write the stage's products as they are now."""
        with self.state.averaged():
            _write_products(self.stage, folder)

    def last_good(self) -> str:
        """For the end of an error's text."""
        path, _ = run_checkpoints.newest(self.saved)
        return f"The last good checkpoint is {path}" if path else "There is no checkpoint yet"

    def close(self) -> None:
        """Close the files."""
        if self.log:
            self.log.close()


def _write_products(stage: Stage, folder: Path) -> None:
    for name, tensors in stage.products().items():
        copied = {key: tensor.detach().to("cpu", copy=True).contiguous() for key, tensor in tensors.items()}
        write_whole(folder / name, save(copied))
