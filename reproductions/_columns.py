"""Columns as AdcSR's, OSEDiff's and AdcVSR's tables print them: unit, direction, and the metric that fills each.

No table: what tables share. Lists are in the tables' order.
"""

from adcbench.tables import COMPLEXITY, Column

# Scored as by AdcSR's and OSEDiff's scripts
IMAGE = (
    Column("", "PSNR", "dB", "higher", scored_by="psnr"),
    Column("", "SSIM", "", "higher", scored_by="ssim"),
    Column("", "LPIPS", "", "lower", scored_by="lpips"),
    Column("", "DISTS", "", "lower", scored_by="dists"),
    Column("", "FID", "", "lower", scored_by="fid"),
    Column("", "NIQE", "", "lower", scored_by="niqe"),
    Column("", "MUSIQ", "", "higher", scored_by="musiq"),
    Column("", "MANIQA", "", "higher", scored_by="maniqa-pipal"),
    Column("", "CLIPIQA", "", "higher", scored_by="clipiqa"),
)
# PSNR and SSIM on RGB, as DOVE's script; the flow of E_warp and the variant of DOVER are not stated: EvalCrafter's
# definition and the overall score are the likeliest (docs/video_metrics.md)
VIDEO = (
    Column("", "PSNR", "dB", "higher", scored_by="psnr:RGB_NOT_Y"),
    Column("", "SSIM", "", "higher", scored_by="ssim:RGB_NOT_Y"),
    Column("", "LPIPS", "", "lower", scored_by="lpips"),
    Column("", "DISTS", "", "lower", scored_by="dists"),
    Column("", "MANIQA", "", "higher", scored_by="maniqa-pipal"),
    Column("", "CLIPIQA", "", "higher", scored_by="clipiqa"),
    Column("", "MUSIQ", "", "higher", scored_by="musiq"),
    Column("", "E_warp", "x1e-3", "lower", scored_by="ewarp:EVALCRAFTER"),
    Column("", "DOVER", "", "higher", scored_by="dover"),
)
# In no paper's column
OURS = (
    Column("", "MS-SSIM", "", "higher", scored_by="ms-ssim"),
    Column("", "fd-EffLite0", "", "lower", scored_by="fd-efflite0"),
    Column("", "Spectrum", "dB", "lower", scored_by="spectrum"),
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
