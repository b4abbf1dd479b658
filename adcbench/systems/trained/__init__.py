"""The mini scale's trained systems: teacher and student whose weights we trained and ship (docs/training.md).

The weights lie in this folder, with what made them and MODEL_CARD.md. ``*-mini-trained`` are these; ``*-mini`` are the
same code with untrained, deterministic weights, for tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import adcbench.systems.adcsr as adcsr
import adcbench.systems.osediff as osediff
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

FOLDER = Path(__file__).parent
VERSION = "1"  # of the weights
LICENCE = "GPL-3.0-or-later"  # MODEL_CARD.md says why
TEACHER_FILES = ("teacher_vae.safetensors", "teacher_unet.safetensors")
STUDENT_FILE = "student.safetensors"
_GET = "nox -s train-mini"
_MODULE = "adcbench.systems.trained"


def locate(name: str) -> Path | None:
    """The file of a name in this folder, if it is there."""
    path = FOLDER / name
    return path if path.is_file() else None


def teacher() -> System:
    """OSEDiff's code at mini size, trained from scratch: one step, no text."""
    config = osediff.TRAINED_MINI
    return _system("osediff-mini-trained", config, ("osediff", "osediff.network"), load_teacher, TEACHER_FILES)


def student() -> System:
    """AdcSR's code at mini size, distilled from ``teacher``."""
    config = adcsr.TRAINED_MINI
    modules = ("adcsr", "adcsr.network")
    return _system("adcsr-mini-trained", config, modules, load_student, (STUDENT_FILE,), adcsr.COMPONENTS)


def student_of(config: adcsr.AdcSRConfig, path: Path, name: str, scale: Literal["full", "mini"] = "mini") -> System:
    """A student that ``adcbench train distil`` made, as a system; ``path`` is its file."""
    base = student()
    return replace(
        base, name=name, scale=scale, config=config, files=(replace(base.files[0], licence=""),),
        locate=lambda _: path, load=partial(load_student, config),
    )  # fmt: skip


def _system(
    name: str, config: Any, modules: tuple[str, ...], load: Any, files: tuple[str, ...], components: str | None = None
) -> System:
    return System(
        name=name,
        version=VERSION,
        scale="mini",
        config=config,
        modules=(_MODULE, *(f"adcbench.systems.{module}" for module in modules)),
        rounding="truncate",
        load=partial(load, config),
        files=tuple(WeightFile(file, "", licence=LICENCE, by_hand=_GET) for file in files),
        locate=locate,
        get=_GET,
        thread_safe=name.startswith("adcsr"),
        components=components,
    )


def load_teacher(
    config: osediff.OSEDiffConfig, weights: Mapping[str, Path] | None, device: str, dtype: str
) -> Upscaler:
    """As ``osediff.load``, from the files of this folder."""
    if weights is None:
        return osediff.load(config, None, device, dtype)
    import torch

    from adcbench.systems.checkpoints.library_files import library_tensors
    from adcbench.systems.checkpoints.weights import load_strict
    from adcbench.systems.osediff.network import OSEDiff, upscaler
    from adcbench.systems.osediff.prompts import load_prompts

    with torch.device("meta"):
        network = OSEDiff(config, lora=False)
    for part, name in zip((network.vae, network.unet), TEACHER_FILES, strict=True):
        load_strict(part, library_tensors(weights[name]), str(weights[name]))
    network.eval().requires_grad_(False)
    return upscaler(network.to(device), load_prompts(config, None, device), dtype)


def load_student(config: adcsr.AdcSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """As ``adcsr.load``, from the file of this folder."""
    if weights is None:
        return adcsr.load(config, None, device, dtype)
    import torch

    from adcbench.systems.adcsr.network import AdcSR, upscaler
    from adcbench.systems.checkpoints.library_files import library_tensors
    from adcbench.systems.checkpoints.weights import load_strict

    with torch.device("meta"):
        network = AdcSR(config)
    load_strict(network, library_tensors(weights[STUDENT_FILE]), str(weights[STUDENT_FILE]))
    return upscaler(network.eval().requires_grad_(False).to(device), dtype)


SYSTEMS = {"osediff-mini-trained": teacher, "adcsr-mini-trained": student}
