"""AdcSR's ablations as systems, ``adcsr-NAME``: nobody published their weights, ``adcbench train`` makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import adcbench.systems.adcsr as adcsr
from adcbench.core.errors import AdcbenchError
from adcbench.systems.system import System
from adcbench.systems.trained import STUDENT_FILE, student_of

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

# Those that differ in training alone, and those whose half decoder has a stage 1 of its own: settings of
# ``adcbench train`` (``training.stages.adcsr.ablations``).
OTHER_TRAINING = (
    "no-pretraining", "one-stage", "no-adversarial", "adversarial-0.1", "patch-discriminator", "full-discriminator",
    "teacher-step-1",
)  # fmt: skip
OWN_DECODER = ("decoder-100", "clip-ste", "clip-hard", "clip-none")
_COMPONENTS = "adcbench.systems.adcsr.components"
_WITH_TEXT = {"text": f"{_COMPONENTS}:text_student", "prompt-extractor": f"{_COMPONENTS}:prompt_extractor_student"}


def ablation(name: str) -> System:
    """A student at full size that ``adcbench train distil --config full --ablation NAME`` made in its usual folder.

    Without its weights it can be counted and timed (deterministic weights), not scored.
    """
    command = f"adcbench train distil --config full --ablation {name}"
    if name in OWN_DECODER:
        decoder = f"runs/decoder-full-{name}/products/decoder.safetensors"
        command = f"adcbench train decoder --config full --ablation {name} && {command} --decoder {decoder}"
    path = Path("runs") / f"distil-full-{name}" / "products" / STUDENT_FILE
    system = student_of(adcsr.variants().get(name, adcsr.FULL), path, f"adcsr-{name}", "full")
    return replace(system, files=(replace(system.files[0], by_hand=command),), get=command)


def with_text(name: str) -> System:
    """A student that reads a text with every image: an upscaler gets none, so it can be counted alone."""
    config = adcsr.variants()[name]
    load = partial(_cannot_run, f"adcsr-{name}")
    system = replace(adcsr.system(config), name=f"adcsr-{name}", files=(), get="", load=load)
    return replace(system, components=_WITH_TEXT[name])


def _cannot_run(name: str, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    raise AdcbenchError(f"{name} reads a text with every image, and runs in training alone; it can be counted")


def _factories() -> dict[str, Callable[[], System]]:
    names = dict.fromkeys((*adcsr.variants(), *OTHER_TRAINING, *OWN_DECODER))
    return {f"adcsr-{name}": partial(with_text if name in _WITH_TEXT else ablation, name) for name in names}


UNRELEASED = _factories()
