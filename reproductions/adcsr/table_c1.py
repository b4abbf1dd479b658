"""AdcSR Table C.1 (supplement): nine methods on DIV2K-Val, 3000 synthetic pairs.

The number is inferred, because C.2 is RealSR. A bicubic row is ours.

    adcbench reproduce adcsr/table_c1
"""

from adcbench.core.columns import IMAGE_METRICS, columns, no_metric, no_outputs
from adcbench.core.tables import Infer, Table

ID = "adcsr/table_c1"
METHODS = ("StableSR", "DiffBIR", "SeeSR", "PASD", "ResShift", "SinSR", "OSEDiff", "S3Diff", "AdcSR")
PIXELS = {"PSNR": "psnr", "SSIM": "ssim"}

TABLE = Table(
    id=ID,
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="C.1",
    numbering="assumed",
    title="Quality on DIV2K-Val",
    rows=(*METHODS, "Bicubic"),
    columns=columns("DIV2K-Val", IMAGE_METRICS),
    jobs=(
        Infer("AdcSR", "DIV2K-Val", "adcsr", PIXELS),
        Infer("Bicubic", "DIV2K-Val", "bicubic", PIXELS),
    ),
    blocks=(*no_metric(), *no_outputs(ID, METHODS[:-1], "DIV2K-Val")),
    notes=(
        "AdcSR's own print was not seen: its row is a re-run of the released weights, and the others are the "
        "OSEDiff-family rows. S3Diff's DISTS, FID and NIQE are not known at all.",
    ),
)
