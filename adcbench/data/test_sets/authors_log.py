"""The log of scores that OSEDiff's authors released beside their outputs (their test_metrics.py).

One line an image, ``<folder>/<file>.png | PSNR: 29.260979; ... | Runtime: 1.13 sec``, and one line of
averages with the set's FID. It is read strictly: a damaged log must not become slightly wrong numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_text

LOG_METRICS = ("PSNR", "SSIM", "LPIPS", "DISTS", "CLIPIQA", "NIQE", "MUSIQ", "MANIQA")

_LARGEST = 64 << 20  # bytes
_VALUES = "; ".join(rf"{metric}: (-?\d+\.\d+)" for metric in LOG_METRICS)
_STAMP = r"\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} - INFO: "
_COUNT = re.compile(rf"{_STAMP}Directory \[.*\]: (\d+) GT images vs (\d+) SR images\.")
_IMAGE = re.compile(rf"{_STAMP}(\S.*\.png) \| {_VALUES} \| Runtime: \d+\.\d+ sec")
_AVERAGES = re.compile(rf"{_VALUES} \| FID: (-?\d+\.\d+) \| FID Runtime: \d+\.\d+ sec")
_LOOKS_SCORED = re.compile(r"\.png\b|\bRuntime\b|(PSNR|MANIQA|FID): ")


def read_log(path: Path) -> dict[str, tuple[tuple[str, float], ...]]:
    """Per-image scores: metric -> (image stem, score) in the log's order.

    Raises:
        AdcbenchError: a line is malformed, an image is scored twice, or the number of scored images
            is not the number that the log announces; the message names the file and the line.
    """
    announced, rows = 0, {}
    for number, kind, groups in _lines(path):
        if kind == "count":
            announced = int(groups[0])
            if groups[0] != groups[1]:
                raise AdcbenchError(f"{path}: line {number}: {groups[0]} GT images but {groups[1]} SR images")
        elif kind == "image":
            stem = PurePosixPath(groups[0]).stem
            if stem in rows:
                raise AdcbenchError(f"{path}: line {number}: {stem} is scored twice")
            rows[stem] = tuple(map(float, groups[1:]))
    if not rows or len(rows) != announced:
        raise AdcbenchError(f"{path}: {len(rows)} of {announced} images are scored; fetch the log again")
    return {m: tuple((stem, row[i]) for stem, row in rows.items()) for i, m in enumerate(LOG_METRICS)}


def _lines(path: Path) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """(line number, kind, values) of the lines that carry numbers."""
    for number, line in enumerate(read_text(path, _LARGEST).splitlines(), 1):
        for kind, pattern in (("count", _COUNT), ("image", _IMAGE), ("averages", _AVERAGES)):
            match = pattern.fullmatch(line)
            if match:
                yield number, kind, match.groups()
                break
        else:
            if _LOOKS_SCORED.search(line):
                raise AdcbenchError(f"{path}: line {number} is malformed: {line[:80]!r}; fetch the log again")
