"""The mini scale's trained systems: teacher and student whose weights we trained and ship (docs/training.md).

The weights lie in this folder, with what made them and MODEL_CARD.md. ``*-mini-trained`` are these; ``*-mini`` are the
same code with untrained, deterministic weights, for tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adcbench.core.errors import AdcbenchError
from adcbench.core.system import System, WeightFile
from adcbench.models import adcsr, osediff

if TYPE_CHECKING:
    from adcbench.core.system import Upscaler

FOLDER = Path(__file__).parent
VERSION = "1"  # of the weights
LICENCE = "GPL-3.0-or-later"  # MODEL_CARD.md says why
TEACHER_FILES = ("teacher_vae.safetensors", "teacher_unet.safetensors")
STUDENT_FILE = "student.safetensors"
_GET = "nox -s train-mini"
_MODULE = "adcbench.models.trained"


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
    return _system("adcsr-mini-trained", config, ("adcsr", "adcsr.network"), load_student, (STUDENT_FILE,))


def student_of(config: adcsr.AdcSRConfig, path: Path, name: str, scale: Literal["full", "mini"] = "mini") -> System:
    """A student that ``adcbench train distil`` made, as a system."""
    base = student()
    return replace(
        base, name=name, scale=scale, config=config, files=(replace(base.files[0], name=STUDENT_FILE, licence=""),),
        locate=lambda _: path, load=partial(load_student, config),
    )  # fmt: skip


def from_run(folder: Path) -> System:
    """The student of a finished run of ``adcbench train distil``, full or mini, with the sizes of its settings.

    Raises:
        AdcbenchError: no such run, one that is not finished, or a student that is told what is in the image.
    """
    from pydantic import TypeAdapter

    settings, path = folder / "settings.json", folder / "products" / STUDENT_FILE
    try:
        stage = json.loads(settings.read_text(encoding="utf-8"))["DistilStage"]
        config = TypeAdapter(adcsr.AdcSRConfig).validate_python(stage["student"])
        full = stage["osediff"]["base"]["vae"]["widths"] == list(osediff.FULL.base.vae.widths)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdcbenchError(f"{settings}: no run of adcbench train distil ({type(error).__name__}: {error})") from error
    if not path.is_file():
        raise AdcbenchError(f"{path}: not there; the run is not finished: its command goes on with it")
    if config.text == "given":
        raise AdcbenchError(f"{folder}: this student reads a text with every image, and runs in training alone")
    return student_of(config, path, folder.resolve().name, "full" if full else "mini")


def _system(name: str, config: Any, modules: tuple[str, ...], load: Any, files: tuple[str, ...]) -> System:
    return System(
        name=name,
        version=VERSION,
        scale="mini",
        config=config,
        modules=(_MODULE, *(f"adcbench.models.{module}" for module in modules)),
        rounding="truncate",
        load=partial(load, config),
        files=tuple(WeightFile(file, "", licence=LICENCE, by_hand=_GET) for file in files),
        locate=locate,
        get=_GET,
        thread_safe=name.startswith("adcsr"),
    )


def load_teacher(
    config: osediff.OSEDiffConfig, weights: Mapping[str, Path] | None, device: str, dtype: str
) -> Upscaler:
    """As ``osediff.load``, from the files of this folder."""
    if weights is None:
        return osediff.load(config, None, device, dtype)
    import torch

    from adcbench.models.loading.library_files import library_tensors
    from adcbench.models.loading.weights import load_strict
    from adcbench.models.osediff.network import OSEDiff, upscaler
    from adcbench.models.osediff.prompts import load_prompts

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

    from adcbench.models.adcsr.network import AdcSR, upscaler
    from adcbench.models.loading.library_files import library_tensors
    from adcbench.models.loading.weights import load_strict

    with torch.device("meta"):
        network = AdcSR(config)
    load_strict(network, library_tensors(weights[STUDENT_FILE]), str(weights[STUDENT_FILE]))
    return upscaler(network.eval().requires_grad_(False).to(device), dtype)
