"""Our test sets of clips. Google Drive serves no file by address alone: they are put there by hand."""

from __future__ import annotations

from adcbench.data.media import Part
from adcbench.data.test_sets.test_set import TestSet


def _video(name: str, clips: int, drive: str, note: str = "", has_truth: bool = True) -> TestSet:
    return TestSet(
        name,
        name.lower(),
        clips,
        holds="clips",
        needs=("HR",) if has_truth else ("LR",),
        part=Part(frames=25, crop=512),  # the video tables: "first 25 frames, centre crop, output fixed to 512x512"
        source=f"DOVE's copy: Google Drive file {drive}, GT and LQ as lossless mkv{note}",
        licence="The clips' own terms were not checked; fetched by hand, never redistributed.",
    )


VIDEO_SETS = (
    _video("UDM10", 10, "1AmGVSCwMm_OFPd3DKgNyTwj0GG2H-tG4"),
    _video("SPMCS", 30, "1b2uktCFPKS-R1fTecWcLFcOnmUFIBNWT"),
    _video("YouHQ40", 40, "1zO23UCStxL3htPJQcDUUnUeMvDrysLTh"),
    _video("RealVSR", 50, "1wr4tTiCvQlqdYPeU1dmnjb5KFY4VjGCO", "; LQ is at GT's size"),
    _video("MVSR4x", 15, "16sesBD_9Xx_5Grtx18nosBw1w94KlpQt", "; LQ is at GT's size"),
    _video("VideoLQ", 50, "1lh0vkU_llxE0un1OigJ0DWPQwt1i68Vn", "; no GT", has_truth=False),
)
