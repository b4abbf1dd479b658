"""What wrong settings do: OSEDiff's released DRealSR outputs, scored with one setting changed at a time.

Ours. Row by row, the change against "as published" is what a mistake in the evaluation would cost.

    adcbench reproduce causes
"""

from dataclasses import replace

from adcbench.core.columns import columns
from adcbench.core.tables import Block, Score, Table

BOTH = ("RGB_NOT_Y", "Y_RANGE", "BORDER_CROP", "JPEG_OUTPUTS")
SSIM_ONLY = ("SSIM_NO_CLAMP", "SSIM_NO_ROUNDING")

TABLE = Table(
    id="causes",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Wrong evaluation settings, on OSEDiff's DRealSR outputs",
    rows=("as published", *BOTH, *SSIM_ONLY),
    columns=tuple(replace(c, better="") for c in columns("DRealSR", ("PSNR", "SSIM"))),  # wrong settings do not rank
    jobs=(
        Score("as published", "DRealSR", "OSEDiff", {"PSNR": "psnr", "SSIM": "ssim"}),
        *(Score(row, "DRealSR", "OSEDiff", {"PSNR": f"psnr:{row}", "SSIM": f"ssim:{row}"}) for row in BOTH),
        *(Score(row, "DRealSR", "OSEDiff", {"SSIM": f"ssim:{row}"}) for row in SSIM_ONLY),
    ),
    blocks=(Block("a meaning: this setting belongs to SSIM alone", rows="SSIM_.*", metrics="PSNR"),),
)
