"""AdcSR Table C.2 (supplement): nine methods on RealSR, 100 pairs.

The number is printed: a model survey that read the arXiv HTML cites "Tab. C.2". A bicubic row is ours.

    adcbench reproduce adcsr/table_c2
"""

from adcbench.tables import Infer, Reaggregate, Score, Table
from adcbench.tables.columns import columns, scores

from .._columns import IMAGE
from ._paper import METHODS, PAPER

TABLE = Table(
    id="adcsr/table_c2",
    paper=PAPER.title,
    number="C.2",
    numbering="printed",
    title="Quality on RealSR",
    rows=(*METHODS, "Bicubic"),
    columns=columns("RealSR", IMAGE),
    jobs=(
        Score("OSEDiff", "RealSR", "OSEDiff", scores(IMAGE)),
        Reaggregate(
            "OSEDiff",
            "RealSR",
            ("LPIPS", "DISTS", "NIQE", "MUSIQ", "MANIQA", "CLIPIQA"),
            causes={"MANIQA": "suspected MANIQA_SAMPLING"},
        ),
        *(Infer(row, "RealSR", system, scores(IMAGE)) for row, system in METHODS.items() if row != "OSEDiff"),
        Infer("Bicubic", "RealSR", "bicubic", scores(IMAGE)),
    ),
    notes=(
        "Of OSEDiff and the six methods before it, OSEDiff's own Table 1 stands in; AdcSR's print was not seen.",
        "AdcSR's FID and MANIQA as printed were not seen: re-runs of the released weights stand in.",
        "PixelIR's RealSR row of AdcSR disagrees with four other sources and is kept only as a reading.",
    ),
)
