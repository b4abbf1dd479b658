"""Students that ``adcbench train distil`` made, as systems."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import adcbench.systems.adcsr as adcsr
import adcbench.systems.osediff as osediff
from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError, one_line
from adcbench.systems.sizes import check_student
from adcbench.systems.system import System
from adcbench.systems.trained import STUDENT_FILE, student_of

_SETTINGS = "settings.json"


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a training run, and not one of images."""
    with suppress(OSError, ValueError):  # a name that can be no folder's
        return (folder / _SETTINGS).is_file()
    return False


def from_run(folder: Path) -> System:
    """The student of a finished run of ``adcbench train distil``, full or mini, with the sizes of its settings.

    Raises:
        AdcbenchError: no such run, one that is not finished, or a student that is told what is in the image.
    """
    from pydantic import TypeAdapter

    settings, path = folder / _SETTINGS, folder / "products" / STUDENT_FILE
    try:
        run = read_json(settings, at_most=0)
        if isinstance(run, dict) and "DistilStage" not in run:
            raise AdcbenchError("settings of no distil stage; what other stages make is no system")
        stage = run["DistilStage"]
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
