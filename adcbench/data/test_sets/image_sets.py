"""Our test sets of images: where each comes from, and what it must hold."""

from __future__ import annotations

from adcbench.data.test_sets.embedded import embedded_folder, photographs
from adcbench.data.test_sets.test_set import LOG, Inside, TestSet

_TEACHER_LAYOUT = (("LR", "test_LR"), ("HR", "test_HR"), ("OSEDiff", "results_osediff"))
_TEACHER_LICENCE = (
    "The repository is Apache-2.0; the images' own terms are not stated there. Fetched, never redistributed."
)


def _from_teacher(name: str, folder: str, pairs: int, log: str) -> TestSet:
    """A test set inside the repository of OSEDiff, copied there from StableSR's test sets."""
    base = f"preset/datasets/benchmark_{folder}"
    layout = (*_TEACHER_LAYOUT, (LOG, f"results_osediff/metrics/{log}"))
    return TestSet(
        name,
        folder,
        pairs,
        outputs=("OSEDiff",),
        source=f"github cswry/OSEDiff, {base}: centre crops, LR 128x128, HR 512x512, copied from StableSR-TestSets",
        licence=_TEACHER_LICENCE,
        repository="cswry/OSEDiff",
        commit="fcc4f09c7ed66a9bc0ba9433940d76b343142426",
        upstream=tuple((here, f"{base}/{there}") for here, there in layout),
    )


IMAGE_SETS = (
    _from_teacher("DRealSR", "drealsr", 93, "test_METRICS_241023-173607.log"),
    _from_teacher("RealSR", "realsr", 100, "test_METRICS_241023-172854.log"),
    TestSet(
        "DIV2K-Val",
        "div2k_val",
        3000,
        source="hub dataset Iceclear/StableSR-TestSets, or DIV2K-Val.zip of hub model Guaishou74851/AdcSR: "
        "3000 crops, LR 128x128 (Real-ESRGAN degradation), HR 512x512; no list of its files is published",
        licence="DIV2K is offered for academic research; the crops' terms were not checked.",
    ),
    TestSet(
        "embedded",
        "embedded",
        len(photographs()),
        source="photographs inside scikit-image's wheel, x4-degraded by pil-bicubic",
        licence="CC0 or public domain, by image in the manifest",
        inside=Inside(embedded_folder, photographs),
    ),
    TestSet(
        "RealSRSet",
        "realsrset",
        2,
        holds="photographs",
        needs=("LR",),
        outputs=("BSRGAN", "ESRGAN", "RealSR_JPEG"),
        suffixed=True,
        source="github cszn/BSRGAN, testsets: chip and oldphoto2 of its 20 photographs that nobody has in high "
        "resolution, with outputs of three systems, x4",
        licence="The repository is Apache-2.0; the photographs' own terms are not stated there. Fetched, never "
        "redistributed.",
        repository="cszn/BSRGAN",
        commit="5ce1a9c6ae292f30ccfce4b597ecb73c70401733",
        upstream=(
            ("LR", "testsets/RealSRSet"),
            *((name, f"testsets/{name}") for name in ("BSRGAN", "ESRGAN", "RealSR_JPEG")),
        ),
    ),
    TestSet(
        "BSDS500-test",
        "bsds500_test",
        200,
        source="BSDS500's test photographs, degraded here by AdcSR's mild Real-ESRGAN pipeline (degradation.synthetic)",
        licence="BSDS500 is for non-commercial research and education; never redistributed.",
        made_by="adcbench.degradation.synthetic:write_degraded",
    ),
)
