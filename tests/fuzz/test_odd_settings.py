"""Every number of every named settings with values that it can't have, and with some that it rarely has.

What ``--show`` accepts can be trained: so a value is refused by one line of ``AdcbenchError``, or the networks of the
settings can be built and take a step. ADCBENCH_FUZZ=full: all cases, not a sample (`nox -s fuzz`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from damage import FULL
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.layers.sd21 import SD21Config, TextConfig, UNetConfig, VaeConfig
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.training import perceptual
from adcbench.training import run as running
from adcbench.training.config import DataConfig, PatchLoss, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import checked, plain
from adcbench.training.pretrained import Pretrained
from adcbench.training.stages import stages
from adcbench.training.stages.adcsr.decoder import DecoderStage
from adcbench.training.stages.adcsr.denoise import DenoiseStage
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.steps import pretrained
from adcbench.training.stages.adcsr.teacher import TeacherStage
from adcbench.training.stages.adcsr.vae import VaeStage

BAD = (-1, 0, float("nan"), float("inf"), -float("inf"), 10**30, 10**5000, -1e300, "x", "", [], {}, None, True, 0.5)
RARE = (1, 2, 3, 7, 30, 8192, 100_000)
HEAVY = 200_000_000  # parameters and pixels that no test builds
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
PATCH = PatchLoss(width=8)
TINY: dict[str, Any] = {
    "vae": VaeStage(OSEDIFF.base.vae, Rates(1e-3), patch=PATCH),
    "denoise": DenoiseStage(OSEDIFF, Rates(1e-3)),
    "teacher": TeacherStage(OSEDIFF, Rates(1e-3)),
    "decoder": DecoderStage(OSEDIFF.base.vae, STUDENT, Rates(1e-3), patch=PATCH),
    "distil": DistilStage(OSEDIFF, STUDENT, Rates(1e-3)),
}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Places of all values in nested mappings and lists; a list is one too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
        return
    yield path
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))


def changed(values: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at a place."""
    if not path:
        return new
    if isinstance(values, dict):
        return {**values, path[0]: changed(values[path[0]], path[1:], new)}
    return [changed(inner, path[1:], new) if i == path[0] else inner for i, inner in enumerate(values)]


@cache
def values_of(config: RunConfig) -> dict[str, Any]:
    return {name: plain(asdict(getattr(config, name))) for name in ("stage", "data", "loop")}


def config_of(values: dict[str, Any], like: RunConfig) -> RunConfig:
    """Settings from plain values, as ``chosen`` makes and checks them."""
    made = RunConfig(
        checked(type(like.stage), values["stage"], "stage"),
        checked(DataConfig, values["data"], "data"),
        checked(LoopConfig, values["loop"], "loop"),
    )
    made.check()
    return made


def sample(cases: list[Any], count: int, seed: int = 0) -> list[Any]:
    return cases if FULL else random.Random(seed).sample(cases, min(count, len(cases)))


def networks(config: RunConfig) -> None:
    """Build all networks of a stage, without memory."""
    stage: Any = config.stage
    base = getattr(stage, "osediff", None)
    with torch.device("meta"):
        Vae(base.base.vae if base else stage.vae)
        if base:
            UNet(base.base.unet)
        if isinstance(stage, DecoderStage | DistilStage):
            HalfDecoder(stage.student, latent=True)
        if isinstance(stage, DistilStage):
            AdcSR(stage.student)


def one_line(error: AdcbenchError) -> None:
    text = str(error)
    assert text and "\n" not in text and len(text) < 2000, text


PRESETS = {(stage, name): config for stage, spec in stages().items() for name, config in spec.presets.items()}
CASES = [
    (name, path, value)
    for name, config in PRESETS.items()
    for path in leaves(values_of(config))
    for value in (*BAD, *RARE)
]


def test_each_value_of_the_named_settings_is_refused_or_its_networks_can_be_built() -> None:
    built = 0
    for name, path, value in sample(CASES, 600):
        like = PRESETS[name]
        try:
            config = config_of(changed(values_of(like), path, value), like)
        except AdcbenchError as error:
            one_line(error)
            assert f"{path[0]}." in str(error) or "OSEDiffConfig: " in str(error), error
            continue
        if path[0] == "stage" and config != like and (FULL or built < 15):
            built += 1
            networks(config)


@pytest.mark.parametrize("name", PRESETS, ids="-".join)
def test_numbers_that_no_setting_can_be_are_refused(name: tuple[str, str]) -> None:
    """Whatever the setting: what is not finite, and (of all that is a number) what is negative."""
    like = PRESETS[name]
    for path in leaves(values_of(like)):
        for value in (float("nan"), float("inf"), 10**5000, -1):
            with pytest.raises(AdcbenchError):
                config_of(changed(values_of(like), path, value), like)


class Squared(nn.Module):
    """In place of LPIPS."""

    provenance = "squared error"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x - y).square().mean(dim=(1, 2, 3))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for i in range(2):
        write_png(folder / f"{i}.png", rng.integers(0, 256, (70, 80, 3), dtype=np.uint8))
    return folder


def tiny(stage: str, images: Path) -> RunConfig:
    loop = LoopConfig(1, batch=1, micro_batch=1, tensorboard=False, device="cpu")
    return RunConfig(TINY[stage], DataConfig(((str(images), 0),), crop=64), loop)


@pytest.mark.parametrize("stage", TINY)
def test_each_value_is_refused_or_takes_a_step(
    stage: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perceptual, "load_perceptual", Squared)
    monkeypatch.setattr(pretrained, "_filled", untrained)
    monkeypatch.setattr(Pretrained, "file", lambda self, name: tmp_path / name)
    monkeypatch.setattr(running, "file_hash", lambda path: "0" * 64)
    like = tiny(stage, images)
    places = [path for path in leaves(values_of(like)) if path[0] != "loop" or path[1] not in ("steps", "workers")]
    cases = [(path, value) for path in places for value in (*BAD, *RARE)]
    accepted = []
    for path, value in cases:
        try:
            config = config_of(changed(values_of(like), path, value), like)
        except AdcbenchError as error:
            one_line(error)
            continue
        if config != like and not heavy(config):
            accepted.append((path, value, config))
    for number, (path, value, config) in enumerate(sample(accepted, 4)):
        try:
            running.run(config, tmp_path / str(number), tmp_path)
        except AdcbenchError as error:
            one_line(error)
        except Exception as error:
            raise AssertionError(f"{stage}: {path} = {value!r}: {type(error).__name__}: {error}") from error


def untrained(network: nn.Module, path: Path) -> nn.Module:
    """In place of weights of these very sizes."""
    network.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.02, generator=torch.Generator().manual_seed(0))
    return network


def heavy(config: RunConfig) -> bool:
    """Whether a step would take a test too long, or too much memory."""
    stage: Any = config.stage
    widths = [*(w for w in flat(asdict(stage)) if isinstance(w, int | float)), 0]
    loop = config.loop
    return max(widths) > 300 or config.data.crop > 200 or loop.batch > 4 or loop.steps > 2


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("tagger", "step", "process_size"):
                yield from flat(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from flat(inner)
    else:
        yield value
