"""What wrong settings do to clips: DUF-52L's released Vid4 outputs, scored with one setting changed at a time.

Ours. "as published" is BasicSR's protocol for PSNR and SSIM (Y, a border of 8 pixels left out, mean over clips) and
TecoGAN's for tOF (two frames and the border left out, mean over frames).

    adcbench reproduce causes_video
"""

from dataclasses import replace

from adcbench.data.media import Part
from adcbench.tables import Block, Column, Protocol, ScoreClips, Table
from adcbench.tables.blocks import NOTHING
from adcbench.tables.columns import columns, scores

from .related.vid4 import BASICSR, ROW, TEST_SET, WHOLE, WHOLE_OVER_FRAMES

PIXELS = scores(BASICSR, "PSNR", "SSIM")
RIGHT = Protocol(Part(border=8))
CHANGED = {
    "BORDER_KEPT": ((PIXELS, WHOLE), ({"tOF": "tof:BORDER_KEPT"}, WHOLE_OVER_FRAMES)),
    "ENDS_CUT": ((PIXELS, Protocol(Part(border=8, ends=2))),),
    "ENDS_KEPT": (({"tOF": "tof:ENDS_KEPT"}, WHOLE_OVER_FRAMES),),
    "OVER_FRAMES": ((PIXELS, Protocol(Part(border=8), "frames")),),
    "OVER_CLIPS": (({"tOF": "tof"}, WHOLE),),
    "RGB_NOT_Y": (({"PSNR": "psnr:RGB_NOT_Y", "SSIM": "ssim:BASICSR_RGB"}, RIGHT),),
    "SSIM_PYIQA": (({"SSIM": "ssim"}, RIGHT),),
}

TABLE = Table(
    id="causes_video",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Wrong evaluation settings for clips, on DUF-52L's Vid4 outputs",
    rows=("as published", *CHANGED),
    columns=(
        *(replace(column, better="") for column in columns(TEST_SET, BASICSR, tuple(PIXELS))),
        Column(TEST_SET, "tOF", "px"),
    ),  # wrong settings do not rank
    jobs=(
        ScoreClips("as published", TEST_SET, ROW, PIXELS, protocol=RIGHT),
        ScoreClips("as published", TEST_SET, ROW, {"tOF": "tof"}, protocol=WHOLE_OVER_FRAMES),
        *(
            ScoreClips(cause, TEST_SET, ROW, metrics, protocol=protocol)
            for cause, jobs in CHANGED.items()
            for metrics, protocol in jobs
        ),
    ),
    blocks=(Block("a meaning: this setting does not belong to this metric", reason=NOTHING),),
)
