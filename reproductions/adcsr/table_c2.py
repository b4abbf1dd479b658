"""AdcSR Table C.2 (supplement): nine methods on RealSR, 100 pairs.

The number is printed: a model survey that read the arXiv HTML cites "Tab. C.2". A bicubic row is ours.

    adcbench reproduce adcsr/table_c2
"""

from adcbench.core.columns import IMAGE_METHODS, IMAGE_METRICS, columns, no_metric
from adcbench.core.tables import Block, Infer, Reaggregate, Score, Table

PIXELS = {"PSNR": "psnr", "SSIM": "ssim"}

TABLE = Table(
    id="adcsr/table_c2",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="C.2",
    numbering="printed",
    title="Quality on RealSR",
    rows=(*IMAGE_METHODS, "Bicubic"),
    columns=columns("RealSR", IMAGE_METRICS),
    jobs=(
        Score("OSEDiff", "RealSR", "OSEDiff", PIXELS),
        Reaggregate("OSEDiff", "RealSR", ("LPIPS", "DISTS", "NIQE", "MUSIQ", "MANIQA", "CLIPIQA")),
        *(Infer(row, "RealSR", system, PIXELS) for row, system in IMAGE_METHODS.items() if row != "OSEDiff"),
        Infer("Bicubic", "RealSR", "bicubic", PIXELS),
    ),
    blocks=(
        Block(
            "FID: the authors' log gives it for the set only; the metric and its Inception weights arrive with step C",
            rows="OSEDiff",
            metrics="FID",
        ),
        *no_metric(),
    ),
    notes=(
        "AdcSR's FID and MANIQA as printed were not seen: re-runs of the released weights stand in.",
        "PixelIR's RealSR row of AdcSR disagrees with four other sources and is kept only as a reading.",
    ),
)
