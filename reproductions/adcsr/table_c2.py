"""AdcSR Table C.2 (supplement): nine methods on RealSR, 100 pairs.

The number is printed: a model survey that read the arXiv HTML cites "Tab. C.2". A bicubic row is ours.

    adcbench reproduce adcsr/table_c2
"""

from adcbench.tables import Infer, Reaggregate, Score, Table
from adcbench.tables.columns import IMAGE_METHODS, IMAGE_METRICS, IMAGE_SCORES, columns

TABLE = Table(
    id="adcsr/table_c2",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="C.2",
    numbering="printed",
    title="Quality on RealSR",
    rows=(*IMAGE_METHODS, "Bicubic"),
    columns=columns("RealSR", IMAGE_METRICS),
    jobs=(
        Score("OSEDiff", "RealSR", "OSEDiff", IMAGE_SCORES),
        Reaggregate(
            "OSEDiff",
            "RealSR",
            ("LPIPS", "DISTS", "NIQE", "MUSIQ", "MANIQA", "CLIPIQA"),
            causes={"MANIQA": "suspected MANIQA_SAMPLING"},
        ),
        *(Infer(row, "RealSR", system, IMAGE_SCORES) for row, system in IMAGE_METHODS.items() if row != "OSEDiff"),
        Infer("Bicubic", "RealSR", "bicubic", IMAGE_SCORES),
    ),
    notes=(
        "AdcSR's FID and MANIQA as printed were not seen: re-runs of the released weights stand in.",
        "PixelIR's RealSR row of AdcSR disagrees with four other sources and is kept only as a reading.",
    ),
)
