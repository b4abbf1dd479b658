"""What the tests of the stages share: networks so small that a step takes little, and steps without the loop."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.layers.sd21 import SD21Config, TextConfig, UNetConfig, VaeConfig
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.systems.osediff.teacher import Teacher, load_teacher
from adcbench.training.engine.stage import Batch, Loss, Stage, noise, seeded

GOLDEN = Path(__file__).parents[1] / "golden" / "adcsr_training"
OSEDIFF = OSEDiffConfig(
    base=SD21Config(
        unet=UNetConfig(widths=(24, 40, 40, 40), heads=(1, 2, 2, 2), context=8, layers=1),
        vae=VaeConfig(widths=(20, 20, 20, 20), layers=1),
        text=TextConfig(vocabulary=0, tokens=1, width=8, layers=0),
    ),
    tags=False,
)
STUDENT = AdcSRConfig(
    unet_widths=(18, 30, 30, 30), heads=(1, 2, 2, 2), layers=1, decoder_widths=(10, 10, 10, 10),
    encoder_widths=(20, 20, 20, 20), tokens=1, context=8,
)  # fmt: skip
SIDE = 64


@cache
def load_recipe() -> Any:
    """The certification's sizes, weights and images (tests/golden/adcsr_training/recipe.py)."""
    spec = importlib.util.spec_from_file_location("adcsr_training_recipe", GOLDEN / "recipe.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mini_batch(step: int = 0, seed: int = 0) -> Batch:
    """Two smooth images and their means of 4 x 4 pixels."""
    samples = (2 * step, 2 * step + 1)
    empty = Batch(torch.zeros(2, 3, SIDE, SIDE), torch.zeros(2, 3, 1, 1), samples, seed, step)
    rough = noise(empty, "image", (3, 8, 8)) / 4 + 0.5
    hr = nn.functional.interpolate(rough, size=SIDE, mode="bicubic").clamp(0, 1)
    return Batch(hr, nn.functional.avg_pool2d(hr, 4), samples, seed, step)


def squared(x: Tensor, y: Tensor) -> Tensor:
    """In place of LPIPS."""
    return (x - y).square().mean(dim=(1, 2, 3))


def mini_vae() -> Vae:
    with seeded(1):
        return Vae(OSEDIFF.base.vae)


def mini_unet() -> UNet:
    with seeded(2):
        return UNet(OSEDIFF.base.unet)


def mini_teacher(student: AdcSRConfig = STUDENT) -> Teacher:
    teacher = load_teacher(OSEDIFF, student, None)
    with seeded(3):
        for name in ("vae", "base_vae", "unet", "decoder"):
            part = getattr(teacher, name)
            for module in part.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    module.reset_parameters()
    return teacher


def take_step(stage: Stage, batch: Batch, clip: float | None = None) -> list[Loss]:
    """A step as the loop takes it: every backward pass, then every update.

    Args:
        clip: largest norm of each optimiser's gradient.
    """
    losses = []
    for loss in stage.losses(batch):
        parameters = [p for group in stage.optimisers[loss.optimiser].param_groups for p in group["params"]]
        for parameter in parameters:
            parameter.grad = None
        loss.total.backward(inputs=parameters)
        if clip:
            nn.utils.clip_grad_norm_(parameters, clip)
        losses.append(loss)
    for name in dict.fromkeys(loss.optimiser for loss in losses):
        for group in stage.optimisers[name].param_groups:
            group["lr"] = stage.learning_rate(name, batch.step)
        stage.optimisers[name].step()
    return losses


def tensors(stage: Stage) -> dict[str, Tensor]:
    """Copies of all parameters of a stage, trained and frozen, by network and name."""
    networks: Mapping[str, nn.Module] = {**stage.networks, **stage.frozen}
    return {
        f"{part}.{name}": parameter.detach().clone()
        for part, network in networks.items()
        for name, parameter in network.named_parameters()
    }


def moved(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    """Names of tensors that are no longer what they were."""
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
