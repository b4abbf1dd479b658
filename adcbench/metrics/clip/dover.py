"""DOVER (Wu et al., ICCV 2023): what papers print, made of the raw scores of its two branches.

The network is run by ``vsreval_process.py``. Sampling is that of ``dover.yml``'s val-l1080p: technical, 7 x 7
fragments of 32 pixels, 3 clips of 32 frames at interval 2; aesthetic, 224 x 224, 32 frames at interval 2. A clip of
25 frames is shorter than that window, so its frames repeat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from adcbench.core.weight_files import WeightFile
from adcbench.metrics.clip.vsreval_process import VERSION, VsrevalNetwork
from adcbench.metrics.metric import Facts, Metric

FILES = (
    WeightFile(
        "DOVER.pth", "https://huggingface.co/teowu/DOVER/resolve/main/DOVER.pth",
        mirrors=("https://github.com/QualityAssessment/DOVER/releases/download/v0.1.0/DOVER.pth",),
        sha256="f4a42c0bbc94c94dd7409e7f40887d44c5c30314d1d09e7edf03cc35813b4838",
        licence="S-Lab-1.0", non_commercial=True,
    ),
)  # fmt: skip
_TECHNICAL_WEIGHT, _AESTHETIC_WEIGHT = 0.6104, 0.3896


@dataclass(frozen=True)
class Constants:
    """Mean and spread of the raw scores of each branch over the videos they were normalised with."""

    technical: tuple[float, float]
    aesthetic: tuple[float, float]


CONSTANTS = {
    "natural": Constants((0.1107, 0.07355), (-0.08285, 0.03774)),  # DOVER's two scripts
    "generated": Constants((-0.0758, 0.0129), (0.1253, 0.0318)),  # EvalCrafter's copy
}
Scale = Literal["overall 0-1", "overall 0-100", "technical 0-100", "aesthetic 0-100"]


def dover(
    technical: float, aesthetic: float, *, scale: Scale = "overall 0-1", constants: str = "natural",
    swapped: bool = False,
) -> float:  # fmt: skip
    """DOVER's score of a clip.

    t = (technical - m_t) / s_t, a = (aesthetic - m_a) / s_a, overall = sigmoid(0.6104 t + 0.3896 a).

    Args:
        technical, aesthetic: means of the raw outputs of the two branches.
        scale: the overall score, as papers print it in 0..1 or 0..100, or one branch alone, sigmoid(t) x 100, which
            SeedVR2 calls DOVER.
        constants: ``natural``, or ``generated``: EvalCrafter's, from videos made by its models.
        swapped: each branch in the other's place, as ``evaluate_a_set_of_videos.py`` had it until August 2023.
            Today both scripts of DOVER agree.

    Raises:
        ValueError: a raw score is not a number.

    >>> dover(0.1107, -0.08285)
    0.5
    """
    if not (math.isfinite(technical) and math.isfinite(aesthetic)):
        raise ValueError(f"DOVER's raw scores are {technical} and {aesthetic}")
    if swapped:
        technical, aesthetic = aesthetic, technical
    used = CONSTANTS[constants]
    t, a = ((raw - mean) / spread for raw, (mean, spread) in ((technical, used.technical), (aesthetic, used.aesthetic)))
    mixed = {"overall": _TECHNICAL_WEIGHT * t + _AESTHETIC_WEIGHT * a, "technical": t, "aesthetic": a}
    head, _, top = scale.partition(" ")
    return sigmoid(mixed[head]) * (100 if top == "0-100" else 1)


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


_SETTINGS = {"scale": "overall 0-1", "constants": "natural", "swapped": False}
READ = f"vsreval {VERSION}, seed 0, read from libx264 yuv444p without loss"
_UNIT, _PERCENT = Facts(low=0, high=1), Facts(low=0, high=100)
_dover = partial(
    Metric, function=dover, takes="clip", asks=VsrevalNetwork("dover"), files=FILES, facts=_UNIT,
    notes=f"resize 224x224 antialias=no | {READ}",
)  # fmt: skip
METRICS = (
    _dover("dover", _SETTINGS),
    _dover("dover:PERCENT", _SETTINGS | {"scale": "overall 0-100"}, facts=_PERCENT),
    _dover("dover:TECHNICAL", _SETTINGS | {"scale": "technical 0-100"}, facts=_PERCENT),
    _dover("dover:AESTHETIC", _SETTINGS | {"scale": "aesthetic 0-100"}, facts=_PERCENT),
    _dover("dover:BRANCHES_SWAPPED", _SETTINGS | {"swapped": True}),
    _dover("dover:EVALCRAFTER_CONSTANTS", _SETTINGS | {"constants": "generated"}),
    _dover("dover:ANTIALIAS", _SETTINGS, asks=VsrevalNetwork("dover", antialias=True),
           notes=f"resize 224x224 antialias=yes | {READ}"),
)  # fmt: skip
