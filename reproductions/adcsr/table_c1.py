"""AdcSR Table C.1 (supplement): nine methods on DIV2K-Val, 3000 synthetic pairs.

The number is inferred, because C.2 is RealSR. A bicubic row is ours.

    adcbench reproduce adcsr/table_c1
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import IMAGE_METHODS, IMAGE_METRICS, IMAGE_SCORES, columns

TABLE = Table(
    id="adcsr/table_c1",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="C.1",
    numbering="assumed",
    title="Quality on DIV2K-Val",
    rows=(*IMAGE_METHODS, "Bicubic"),
    columns=columns("DIV2K-Val", IMAGE_METRICS),
    jobs=(
        *(Infer(row, "DIV2K-Val", system, IMAGE_SCORES) for row, system in IMAGE_METHODS.items()),
        Infer("Bicubic", "DIV2K-Val", "bicubic", IMAGE_SCORES),
    ),
    notes=(
        "AdcSR's own print was not seen: its row is a re-run of the released weights, and the others are the "
        "OSEDiff-family rows. S3Diff's DISTS, FID and NIQE are not known at all.",
    ),
)
