"""DUF-52L's released outputs on Vid4 (calendar, city, foliage, walk), under the protocols of three sources.

BasicSR's model zoo prints means over clips on Y and on RGB, without a border of 8 pixels; EDVR prints the four clips;
TecoGAN leaves two frames out at each end, cuts sides to multiples of 32 and takes one mean over all frames.

    adcbench fetch vid4
    adcbench reproduce related/vid4
"""

from dataclasses import replace

from adcbench.data.media import Part
from adcbench.tables import Column, Protocol, Score, ScoreClips, Table
from adcbench.tables.columns import columns, scored_column, scores

ID, ROW, TEST_SET = "related/vid4", "DUF-52L", "Vid4"
CLIPS = ("calendar", "city", "foliage", "walk")
SHORTEST = "city"  # drift scores it again
BASICSR = (
    scored_column("PSNR", "psnr"),
    scored_column("SSIM", "ssim:BASICSR"),
    scored_column("PSNR (RGB)", "psnr:RGB_NOT_Y"),
    scored_column("SSIM (RGB)", "ssim:BASICSR_RGB"),
    scored_column("E_warp", "ewarp"),
    scored_column("Flicker", "flicker"),
)
WHOLE, TECOGAN = Protocol(Part()), Protocol(Part(border=8, multiple=32, ends=2), "frames")
WHOLE_OVER_FRAMES = Protocol(Part(), "frames")  # tOF leaves out ends and border by itself
TOF = Column(TEST_SET, "tOF", "px", "lower")  # no metric alone makes it, and PSNR (TecoGAN): the protocol belongs to it


def _of(column: Column, clip: str) -> Column:
    """The same column of one clip."""
    return replace(column, test_set=TEST_SET, metric=f"{column.metric} ({clip})")


def _pixels(clip: str) -> dict[str, str]:
    """Column -> metric of one clip."""
    return {_of(column, clip).metric: column.scored_by for column in BASICSR[:2]}


TABLE = Table(
    id=ID,
    paper="DUF (Jo et al., CVPR 2018)",
    number="",
    numbering="ours",
    title="DUF-52L's released outputs on Vid4, under the protocols of BasicSR, EDVR and TecoGAN",
    rows=(ROW,),
    columns=(
        *columns(TEST_SET, BASICSR),
        Column(TEST_SET, "PSNR (TecoGAN)", "dB", "higher"),
        TOF,
        *(replace(_of(column, clip), scored_by="") for clip in CLIPS for column in BASICSR[:2]),
        *(_of(TOF, clip) for clip in CLIPS),
    ),
    jobs=(
        ScoreClips(ROW, TEST_SET, ROW, scores(BASICSR)),
        ScoreClips(ROW, TEST_SET, ROW, {"PSNR (TecoGAN)": "psnr"}, protocol=TECOGAN),
        ScoreClips(ROW, TEST_SET, ROW, {"tOF": "tof"}, protocol=WHOLE_OVER_FRAMES),
        Score(ROW, TEST_SET, ROW, _pixels(SHORTEST), SHORTEST),
        *(ScoreClips(ROW, TEST_SET, ROW, _pixels(clip), clip) for clip in CLIPS if clip != SHORTEST),
        *(ScoreClips(ROW, TEST_SET, ROW, {f"tOF ({clip})": "tof"}, clip, WHOLE) for clip in CLIPS),
    ),
    notes=(
        "PSNR (RGB) is 25.79496 dB here and 25.79 in print: inside the digits by 0.00004 dB.",
        "BasicSR's SSIM neither rounds Y nor cuts off negative terms: 0.8318. The papers' SSIM (pyiqa) gives 0.8312.",
        "What EDVR and TecoGAN print was not read at its source: no stored copy of either table was found. TecoGAN's "
        "protocol is that of its published `metrics.py`, which prints both means; only the one over frames gives "
        "27.38 and 1.588.",
    ),
)
