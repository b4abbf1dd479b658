"""Students that ``adcbench train distil`` made, as systems."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError, one_line
from adcbench.systems import SYSTEMS, adcsr, find_system, osediff
from adcbench.systems.adcsr.ablations import OTHER_TRAINING, OWN_DECODER
from adcbench.systems.sizes import check_student
from adcbench.systems.system import System
from adcbench.systems.trained import STUDENT_FILE, load_student, student

_SETTINGS = "settings.json"


def ablation_names() -> tuple[str, ...]:
    """Ablations of AdcSR that are systems once they are trained: ``adcsr-NAME``; not those that read a text."""
    networks = (name for name, config in adcsr.variants().items() if config.text != "given")
    return tuple(dict.fromkeys((*networks, *OTHER_TRAINING, *OWN_DECODER)))


def ablation(name: str) -> System:
    """A student at full size that ``adcbench train distil --config full --ablation NAME`` made in its usual folder.

    Nobody released such weights. Without them it can be timed (deterministic weights), not scored.
    """
    command = f"adcbench train distil --config full --ablation {name}"
    if name in OWN_DECODER:
        decoder = f"runs/decoder-full-{name}/products/decoder.safetensors"
        command = f"adcbench train decoder --config full --ablation {name} && {command} --decoder {decoder}"
    path = Path("runs") / f"distil-full-{name}" / "products" / STUDENT_FILE
    system = student_of(adcsr.variants().get(name, adcsr.FULL), path, f"adcsr-{name}", "full")
    return replace(system, files=(replace(system.files[0], by_hand=command),), get=command)


def open_system(name: str) -> System:
    """The system of a name (``find_system``), or of the folder of a training run; one called like a system is ./NAME.

    Raises:
        AdcbenchError: see ``find_system`` and ``from_run``.
    """
    return from_run(Path(name)) if name not in SYSTEMS and is_run(Path(name)) else find_system(name)


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a training run, and not one of images."""
    return (folder / _SETTINGS).is_file()


def student_of(config: adcsr.AdcSRConfig, path: Path, name: str, scale: Literal["full", "mini"] = "mini") -> System:
    """A student that ``adcbench train distil`` made, as a system."""
    base = student()
    return replace(
        base, name=name, scale=scale, config=config, files=(replace(base.files[0], licence=""),),
        locate=lambda _: path, load=partial(load_student, config),
    )  # fmt: skip


def from_run(folder: Path) -> System:
    """The student of a finished run of ``adcbench train distil``, full or mini, with the sizes of its settings.

    Raises:
        AdcbenchError: no such run, one that is not finished, or a student that is told what is in the image.
    """
    from pydantic import TypeAdapter

    settings, path = folder / _SETTINGS, folder / "products" / STUDENT_FILE
    try:
        stage = read_json(settings, at_most=0)["DistilStage"]
        config = TypeAdapter(adcsr.AdcSRConfig).validate_python(stage["student"])
        check_student(config, "DistilStage.student")
        full = stage["osediff"]["base"]["vae"]["widths"] == list(osediff.FULL.base.vae.widths)
    except (ValueError, KeyError, TypeError, AdcbenchError) as error:
        reason = one_line(error) if isinstance(error, AdcbenchError) else f"{type(error).__name__}: {one_line(error)}"
        raise AdcbenchError(f"{settings}: no run of adcbench train distil ({reason})") from error
    if not path.is_file():
        raise AdcbenchError(f"{path}: not there; the run is not finished: its command goes on with it")
    if config.text == "given":
        raise AdcbenchError(f"{folder}: this student reads a text with every image, and runs in training alone")
    return student_of(config, path, folder.resolve().name, "full" if full else "mini")
