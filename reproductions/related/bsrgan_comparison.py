"""The NIQE values in BSRGAN's comparison figure (figs/comparison.png of its repository): single photographs, no means.

Three of the five systems that the figure compares have their outputs in the repository (FSSR-JPEG and RealSR-DPED do
not), and two of its three photographs are in the test set here. The photographs have no HR: what looks at the output
alone can be checked, and NIQE is what is here (the figure prints NRQM and PI too).

    adcbench reproduce related/bsrgan_comparison
"""

from dataclasses import replace

from adcbench.tables import Score, Table
from adcbench.tables.columns import scored_column

NIQE = scored_column("NIQE", "niqe:STUDIO_Y")
PHOTOGRAPHS = {"NIQE (chip)": "chip", "NIQE (oldphoto2)": "oldphoto2"}
OUTPUTS = {"ESRGAN": "ESRGAN", "RealSR-JPEG": "RealSR_JPEG", "BSRGAN": "BSRGAN"}

TABLE = Table(
    id="related/bsrgan_comparison",
    paper="BSRGAN (ICCV 2021, arXiv 2103.14006)",
    number="",
    numbering="unknown",
    title="NIQE of two photographs of RealSRSet, from its comparison figure",
    rows=tuple(OUTPUTS),
    columns=tuple(replace(NIQE, test_set="RealSRSet", metric=column) for column in PHOTOGRAPHS),
    jobs=tuple(
        Score(row, "RealSRSet", outputs, {column: NIQE.scored_by}, only=photograph)
        for row, outputs in OUTPUTS.items()
        for column, photograph in PHOTOGRAPHS.items()
    ),
    notes=(
        "No source that was seen says how NIQE was run. Y in 16..235 (niqe:STUDIO_Y) was chosen because it fits these "
        "six values; the papers' NIQE (0..255) is up to 0.20 away. Three more values of the figure, of a third "
        "photograph that was looked at afterwards, fit too (cut_digits.csv).",
        "All nine values are the scores with their digits cut off; six of them are not the scores rounded. The "
        "figure's PI, which follows from its NIQE and NRQM, says less: of its 15 values one fits cut digits alone, one "
        "rounded ones alone.",
    ),
)
