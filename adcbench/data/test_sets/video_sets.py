"""Our test sets of clips. Google Drive serves no file by address alone: most are put there by hand."""

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


_DUF = "DUF-52L"
_FLOW_PAIRS, _FLOW_PARTS = ("00001", "00002", "00003"), ("img1.ppm", "img2.ppm", "flow.flo")
VIDEO_SETS = (
    TestSet(
        "Vid4",
        "vid4",
        4,
        holds="clips",
        needs=("HR",),
        outputs=(_DUF,),
        called=(("HR", "GT"),),
        part=Part(border=8),  # BasicSR: "eight pixels near image boundary", for DUF's boundary effects
        source="github yhjo09/VSR-DUF: ground truth of calendar, city, foliage, walk (41, 34, 49, 47 frames) and the "
        "authors' outputs of DUF's 52-layer network, x4",
        licence="The repository states none; fetched, never redistributed.",
        repository="yhjo09/VSR-DUF",
        commit="f6b3c92b4fb746e9072953df4876168b1a83e449",
        upstream=(("GT", "inputs/G"), (_DUF, "results/52L/G")),
    ),
    TestSet(
        "SPyNet-samples",
        "flow_pairs",
        3,
        holds="pairs of frames with their true flow",
        needs=(),
        source="github anuragranj/spynet, samples: two frames of 512x384 and the true optical flow, three times",
        licence="Research use; fetched, never redistributed.",
        repository="anuragranj/spynet",
        commit="7c4a3f7d1a5879a50361fff3e1b8fa35ec397fcd",
        upstream=tuple((f"{pair}_{part}", f"samples/{pair}_{part}") for pair in _FLOW_PAIRS for part in _FLOW_PARTS),
    ),
    TestSet(
        "AVT",
        "avt",
        222,
        holds="clips with human scores, as numbers",
        needs=(),
        source="github Telecommunication-Telemedia-Assessment/AVT-VQDB-UHD-1-VSR: mean opinion scores of 222 clips, "
        "and 109 metric values and settings of each (Herb et al., QoMEX 2026, arXiv 2605.25940)",
        licence="The repository states none; fetched, never redistributed.",
        repository="Telecommunication-Telemedia-Assessment/AVT-VQDB-UHD-1-VSR",
        commit="d81eea1f0ef899390e9541b294e5973fb281e92c",
        upstream=(("dataset.json", "dataset.json"),),
    ),
    _video("UDM10", 10, "1AmGVSCwMm_OFPd3DKgNyTwj0GG2H-tG4"),
    _video("SPMCS", 30, "1b2uktCFPKS-R1fTecWcLFcOnmUFIBNWT"),
    _video("YouHQ40", 40, "1zO23UCStxL3htPJQcDUUnUeMvDrysLTh"),
    _video("RealVSR", 50, "1wr4tTiCvQlqdYPeU1dmnjb5KFY4VjGCO", "; LQ is at GT's size"),
    _video("MVSR4x", 15, "16sesBD_9Xx_5Grtx18nosBw1w94KlpQt", "; LQ is at GT's size"),
    _video("VideoLQ", 50, "1lh0vkU_llxE0un1OigJ0DWPQwt1i68Vn", "; no GT", has_truth=False),
)
