"""Test pairs made by degradation: BSDS500's test photographs under the mild Real-ESRGAN pipeline.

The mini scale is scored on them, beside DRealSR. They can't be redistributed, so they are made on each machine; a
machine that rounds differently may change single values, which the recorded manifest shows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png, write_png
from adcbench.data.media.pictures import read_picture
from adcbench.data.test_sets.test_set import TestSet
from adcbench.data.training.bsds import bsds500
from adcbench.degradation.realesrgan import MILD, degrade, draw

_SEED = 2025  # of the whole set


def write_degraded(test_set: TestSet, progress: bool = True) -> None:
    """Write ``LR`` and ``HR`` of a test set made from BSDS500's test part, where they are not there yet, or damaged.

    Raises:
        Blocked: BSDS500 is not here.
        AdcbenchError: the folder can't be written.
    """
    names = bsds500("test")
    for number, path in enumerate(tqdm(names, "degrading", disable=not progress)):
        files = [test_set.root / part / f"{path.stem}.png" for part in ("LR", "HR")]
        if _is_pair(*files):
            continue
        pair = degraded_pair(read_picture(path), number)
        for file, pixels in zip(files, pair, strict=True):
            write_png(file, pixels)


def _is_pair(lr: Path, hr: Path) -> bool:
    """Whether two files are whole pictures, the one a quarter of the other; damaged ones are made again."""
    try:
        (height, width, _), of_hr = read_png(lr).shape, read_png(hr).shape
    except AdcbenchError:
        return False
    return of_hr[:2] == (height * MILD.scale, width * MILD.scale)


def degraded_pair(photograph: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """LR (h, w, 3) and HR (4h, 4w, 3) uint8 of a photograph's centre; ``number`` decides the degradation."""
    height, width = (side // MILD.scale * MILD.scale for side in photograph.shape[:2])
    top, left = (photograph.shape[0] - height) // 2, (photograph.shape[1] - width) // 2
    hr = np.ascontiguousarray(photograph[top : top + height, left : left + width])
    image = torch.from_numpy(hr).permute(2, 0, 1)[None].float() / 255
    lr = degrade(image, [draw(MILD, _SEED, number, 0)], MILD)
    return (lr[0] * 255).round().byte().permute(1, 2, 0).numpy(), hr
