"""What wrong settings do: OSEDiff's released DRealSR outputs, scored with one setting changed at a time.

Ours. Row by row, the change against "as published" is what a mistake in the evaluation would cost.

    adcbench reproduce causes
"""

from dataclasses import replace

from adcbench.tables import Block, Score, Table
from adcbench.tables.blocks import NOTHING
from adcbench.tables.columns import columns, scores

from ._columns import IMAGE

VARIANTS = {
    "PSNR": ("RGB_NOT_Y", "Y_RANGE", "BORDER_CROP", "JPEG_OUTPUTS"),
    "SSIM": ("RGB_NOT_Y", "Y_RANGE", "BORDER_CROP", "JPEG_OUTPUTS", "SSIM_NO_CLAMP", "SSIM_NO_ROUNDING"),
    "LPIPS": ("TF32_CONVOLUTIONS",),
    "DISTS": ("TF32_CONVOLUTIONS",),
    "NIQE": ("BORDER_CROP", "CPU_ARITHMETIC", "FLOAT64_PARAMETERS", "STUDIO_Y"),
}
CAUSES = tuple(dict.fromkeys(cause for causes in VARIANTS.values() for cause in causes))


def _scored(cause: str) -> dict[str, str]:
    """Column -> variant, of the metrics that a cause touches."""
    return {column: f"{column.lower()}:{cause}" for column, causes in VARIANTS.items() if cause in causes}


TABLE = Table(
    id="causes",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Wrong evaluation settings, on OSEDiff's DRealSR outputs",
    rows=("as published", *CAUSES),
    columns=tuple(
        replace(c, better="") for c in columns("DRealSR", IMAGE, tuple(VARIANTS))
    ),  # wrong settings do not rank
    jobs=(
        Score("as published", "DRealSR", "OSEDiff", scores(IMAGE, *VARIANTS)),
        *(Score(cause, "DRealSR", "OSEDiff", _scored(cause)) for cause in CAUSES),
    ),
    blocks=(Block("a meaning: this setting does not belong to this metric", reason=NOTHING),),
)
