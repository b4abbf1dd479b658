"""FasterVQA (Wu et al., TPAMI 2023): the score of ``vqa.py``, made of its network's raw output.

The network is run by ``vsreval_process.py``: 7 x 7 fragments of 32 pixels, 8 temporal fragments, clips of 32 frames.
The script ignores its configuration's frame interval.
"""

from __future__ import annotations

import math

from adcbench.core.weight_files import WeightFile
from adcbench.metrics.clip.dover import READ, sigmoid
from adcbench.metrics.clip.vsreval_process import VsrevalNetwork
from adcbench.metrics.metric import Facts, Metric

FILES = (
    WeightFile(
        "FAST_VQA_3D_1_1.pth",
        "https://github.com/TimothyHTimothy/FAST-VQA/releases/download/v2.0.0/FAST_VQA_3D_1_1.pth",
        sha256="8c3108647653fd48e31f3bebbe03a344d624c806d3f1af9478a4e9f5aa3038ab",
        licence="S-Lab-1.0", non_commercial=True,
    ),
)  # fmt: skip
_MEAN, _SPREAD = 0.14759505, 0.03613452


def fastervqa(raw: float) -> float:
    """sigmoid((raw - 0.14759505) / 0.03613452), in 0..1.

    Raises:
        ValueError: the raw score is not a number.

    >>> fastervqa(0.14759505)
    0.5
    """
    if not math.isfinite(raw):
        raise ValueError(f"FasterVQA's raw score is {raw}")
    return sigmoid((raw - _MEAN) / _SPREAD)


METRICS = (
    Metric("fastervqa", function=fastervqa, takes="clip", asks=VsrevalNetwork("fastervqa"), files=FILES, notes=READ,
           facts=Facts(low=0, high=1)),
)  # fmt: skip
