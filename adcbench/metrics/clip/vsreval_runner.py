"""Runs inside another environment: raw scores of DOVER or FasterVQA by the package vsreval 0.1.0.

Not imported by adcbench, and imports nothing of it. ``python -c TEXT METRIC DEVICE ANTIALIAS FOLDER`` reads one path
of a folder of PNG frames a line and answers each with one line of JSON: the raw outputs of the network, or
``{"error": ...}``. ``FOLDER`` takes vsreval's converted videos.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(metric: str, device: str, antialias: str, folder: str) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the libraries print goes to standard error
    try:
        score = _scorer(metric, device, antialias == "yes", Path(folder))
    except Exception as error:  # a library's: the reader gets the reason instead of a broken pipe
        _reply(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _reply(answers, {"ready": metric})
    for line in sys.stdin:
        try:
            _reply(answers, score(Path(line.rstrip("\n"))))
        except Exception as error:
            _reply(answers, {"error": f"{type(error).__name__}: {error}"})


def _reply(answers: Any, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


def _scorer(metric: str, device: str, antialias: bool, folder: Path) -> Any:
    import torch
    from vsreval.metrics import create  # type: ignore[import-not-found]
    from vsreval.metrics.base import SampleData  # type: ignore[import-not-found]
    from vsreval.video import Sample  # type: ignore[import-not-found]

    network = create(metric, torch.device(device))
    if antialias:
        _resize_with_antialias()
    raw: dict[str, float] = {}

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        parts = output if isinstance(output, dict) else {"raw": output}
        raw.update({name: float(value.mean()) for name, value in parts.items()})

    network.net.register_forward_hook(keep)

    def score(frames: Path) -> dict[str, float]:
        raw.clear()
        fused = network(SampleData(Sample(frames.name, frames), folder))
        return {**raw, "vsreval": float(fused)}

    return score


def _resize_with_antialias() -> None:
    """What torchvision's default does since 0.17; vsreval turns it off."""
    from torchvision.transforms import Resize  # type: ignore[import-untyped]
    from vsreval._vendor.dover.datasets import dover_datasets  # type: ignore[import-not-found]

    def resize(height: int, width: int, target_ratio: float = 1, random_crop: bool = False) -> Any:
        return Resize((height, width), antialias=True)

    dover_datasets.get_resize_function = resize


if __name__ == "__main__":
    main(*sys.argv[1:])
