"""The averages that the authors' log ends with, which no table takes from there."""

from __future__ import annotations

import re
from pathlib import Path


def read_averages(path: Path) -> dict[str, str]:
    """As printed, by metric; ``FID``, which has no scores of single images, too."""
    (line,) = (line for line in path.read_text().splitlines() if " | FID Runtime: " in line)
    return dict(re.findall(r"(\w+): (-?\d+\.\d+)(?=;| \|)", line))
