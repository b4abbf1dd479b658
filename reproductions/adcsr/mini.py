"""Teacher and student at the mini scale: trained from scratch by us, shipped with the package.

Ours, not the papers': the same code with small networks (docs/training.md). These numbers never stand in a paper's
column. BSDS500-test is degraded as in training, DRealSR is real.

    adcbench reproduce adcsr/mini
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import columns, scores

from .._columns import IMAGE, OURS

KNOWN = (*IMAGE, *OURS)
METRICS = ("PSNR", "SSIM", "fd-EffLite0", "Spectrum", "NIQE")
SCORED = scores(KNOWN, *METRICS)
SYSTEMS = {
    "Bicubic": "bicubic",
    "Teacher (OSEDiff, mini)": "osediff-mini-trained",
    "Student (AdcSR, mini)": "adcsr-mini-trained",
}
TEST_SETS = ("DRealSR", "BSDS500-test")

TABLE = Table(
    id="adcsr/mini",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Teacher and student at the mini scale",
    rows=tuple(SYSTEMS),
    columns=tuple(column for test_set in TEST_SETS for column in columns(test_set, KNOWN, METRICS)),
    jobs=tuple(
        Infer(row, test_set, system, scores(KNOWN, *METRICS))
        for row, system in SYSTEMS.items()
        for test_set in TEST_SETS
    ),
    notes=(
        "Mini scale: trained by us from scratch; the student's width is 75 % of its teacher's, its decoder's 50 %.",
        "fd-EffLite0 is a feature distance on EfficientNet-Lite0, not LPIPS; Spectrum a distance of power spectra.",
    ),
)
