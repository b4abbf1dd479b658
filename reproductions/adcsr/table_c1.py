"""AdcSR Table C.1 (supplement): nine methods on DIV2K-Val, 3000 synthetic pairs.

The number is inferred, because C.2 is RealSR. A bicubic row is ours.

    adcbench reproduce adcsr/table_c1
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import columns, scores

from .._columns import IMAGE
from ._paper import METHODS, PAPER

TABLE = Table(
    id="adcsr/table_c1",
    paper=PAPER.title,
    number="C.1",
    numbering="assumed",
    title="Quality on DIV2K-Val",
    rows=(*METHODS, "Bicubic"),
    columns=columns("DIV2K-Val", IMAGE),
    jobs=(
        *(Infer(row, "DIV2K-Val", system, scores(IMAGE)) for row, system in METHODS.items()),
        Infer("Bicubic", "DIV2K-Val", "bicubic", scores(IMAGE)),
    ),
    notes=(
        "AdcSR's own print was not seen: its row is a re-run of the released weights, and the others are the "
        "OSEDiff-family rows. S3Diff's DISTS, FID and NIQE are not known at all.",
    ),
)
