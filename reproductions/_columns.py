"""Columns as AdcSR's, OSEDiff's and AdcVSR's tables print them: unit, direction, and the metric that fills each.

No table: what tables share. Lists are in the tables' order.
"""

from adcbench.tables import COMPLEXITY, Column
from adcbench.tables.columns import scored_column

# Scored as by AdcSR's and OSEDiff's scripts
IMAGE = (
    scored_column("PSNR", "psnr"),
    scored_column("SSIM", "ssim"),
    scored_column("LPIPS", "lpips"),
    scored_column("DISTS", "dists"),
    scored_column("FID", "fid"),
    scored_column("NIQE", "niqe"),
    scored_column("MUSIQ", "musiq"),
    scored_column("MANIQA", "maniqa-pipal"),
    scored_column("CLIPIQA", "clipiqa"),
)
# PSNR and SSIM on RGB, as DOVE's script; the flow of E_warp and the variant of DOVER are not stated: EvalCrafter's
# definition and the overall score are the likeliest (docs/video_metrics.md)
VIDEO = (
    scored_column("PSNR", "psnr:RGB_NOT_Y"),
    scored_column("SSIM", "ssim:RGB_NOT_Y"),
    scored_column("LPIPS", "lpips"),
    scored_column("DISTS", "dists"),
    scored_column("MANIQA", "maniqa-pipal"),
    scored_column("CLIPIQA", "clipiqa"),
    scored_column("MUSIQ", "musiq"),
    scored_column("E_warp", "ewarp:EVALCRAFTER"),
    scored_column("DOVER", "dover"),
)
# In no paper's column
OURS = (
    scored_column("MS-SSIM", "ms-ssim"),
    scored_column("fd-EffLite0", "fd-efflite0"),
    scored_column("Spectrum", "spectrum"),
)
COSTS = (
    Column(COMPLEXITY, "Steps", kind="setting"),
    Column(COMPLEXITY, "Time", "s", "lower", "timed"),
    Column(COMPLEXITY, "MACs", "G", "lower", "counted"),
    Column(COMPLEXITY, "Params", "M", "lower", "counted"),
    Column(COMPLEXITY, "FPS", "frames/s", "higher", "timed"),
    Column(COMPLEXITY, "MACs (honest)", "G", "lower", "counted"),  # everything that runs: ours
    Column(COMPLEXITY, "Params (honest)", "M", "lower", "counted"),
)
