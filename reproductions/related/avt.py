"""Whether metrics rank clips as people do: AVT-VQDB-UHD-1-VSR (Herb et al., QoMEX 2026, arXiv 2605.25940).

216 clips that six upscalers made (DOVE and SeedVR2 among them), each with a mean opinion score and the values of many
metrics. Scores and values are theirs; their licence is not stated, so only the correlations computed here are kept.

    adcbench reproduce related/avt
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adcbench.data.test_sets.opinions import Opinions
from adcbench.metrics.clip.dover import CONSTANTS, dover
from adcbench.tables import Column, Table
from adcbench.tables.jobs.correlate import CORRELATION, Correlate

ID, TEST_SET = "related/avt", "AVT"
AS_FILED = "DOVER"
PUT_RIGHT = "DOVER, branches put right"
# row -> as the file calls it, which values are better, our metric of that kind
METRICS: dict[str, tuple[str, Literal["higher", "lower"], str]] = {
    "DISTS": ("dists", "lower", "dists"),
    "LPIPS (VGG)": ("lpips-vgg", "lower", "lpips-vgg"),
    "LPIPS": ("lpips-alex", "lower", "lpips"),
    "SSIM": ("ssim", "higher", "ssim"),
    "MS-SSIM": ("ms-ssim", "higher", "ms-ssim"),
    "PSNR, (6 Y + Cb + Cr) / 8": ("psnr", "higher", ""),
    "PSNR": ("psnr-y", "higher", "psnr"),
    "VMAF": ("vmaf", "higher", ""),
    "CVQA-FR": ("cvqa-fr", "higher", ""),
    "MUSIQ": ("musiq", "higher", "musiq"),
    "CLIPIQA+": ("clipiqa+", "higher", ""),
    "NIQE": ("niqe", "lower", "niqe"),
    "FAST-VQA": ("fastvqa", "higher", ""),
    "FasterVQA": ("fastervqa", "higher", "fastervqa"),
}


def raw_branches(opinions: Opinions) -> tuple[np.ndarray, np.ndarray]:
    """DOVER's raw scores by the names of the file, technical and aesthetic: (n,) each, from its percentages."""
    used = CONSTANTS["natural"]
    branches = []
    for name, (mean, spread) in (("dover_technical", used.technical), ("dover_aesthetic", used.aesthetic)):
        share = opinions.of(name) / 100
        branches.append(np.log(share / (1 - share)) * spread + mean)
    return branches[0], branches[1]


@dataclass(frozen=True)
class Exchanged(Correlate):
    """DOVER fused again, with each branch under the other's name."""

    def numbers(self, opinions: Opinions) -> np.ndarray:
        technical, aesthetic = raw_branches(opinions)
        return np.array([dover(t, a) for t, a in zip(aesthetic, technical, strict=True)])


TABLE = Table(
    id=ID,
    paper="AVT-VQDB-UHD-1-VSR (QoMEX 2026, arXiv 2605.25940)",
    number="",
    numbering="ours",
    title="Rank correlation of metrics with human scores, 216 upscaled clips",
    rows=(*METRICS, AS_FILED, PUT_RIGHT),
    columns=(Column(TEST_SET, CORRELATION, better="higher"),),
    jobs=(
        *(Correlate(row, TEST_SET, *of) for row, of in METRICS.items()),
        Correlate(AS_FILED, TEST_SET, "dover", "higher", "dover", "demonstrated BRANCHES_SWAPPED"),
        Exchanged(PUT_RIGHT, TEST_SET, "dover_technical and dover_aesthetic"),
    ),
    notes=(
        "SROCC, Spearman's rank correlation with the mean opinion scores: 1 where a metric ranks the clips as people "
        "do, 0 where its ranking says nothing of theirs. Its sign is turned where lower is better.",
        "Values and human scores are the authors'; nothing is scored here. Their metrics have their own settings: "
        "CLIPIQA+ is another checkpoint than the tables' CLIPIQA, and PSNR (Y) is the one that `psnr` computes.",
        "The clips show six scenes only, and intervals are over clips as if they were independent: they are too "
        "narrow for a claim about other scenes.",
        "DOVER's fused score follows from its two branches within 2.2e-4 of 100, and the branches stand under each "
        "other's name: their raw means and spreads are -0.084, 0.035 (technical) and 0.163, 0.066 (aesthetic), DOVER's "
        "own constants 0.111, 0.074 and -0.083, 0.038. Put right, the fused score falls by 9.6 of 100 in the mean, by "
        "3.1 to 17.0 for single clips.",
    ),
)
