"""What runs offline on the embedded photographs, which need no download: baselines, and the mini scale's systems.

Ours. These numbers say that the installation works; they never stand in a paper's table.

    adcbench reproduce embedded
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import columns, scores

from ._columns import IMAGE, OURS

KNOWN = (*IMAGE, *OURS)
METRICS = ("PSNR", "SSIM", "LPIPS", "DISTS", "NIQE", "MS-SSIM")
SYSTEMS = {
    "Bicubic (PIL)": "bicubic",
    "Bicubic (torch)": "bicubic-torch",
    "Real-ESRGAN": "realesrgan-x4plus",
    "Teacher (OSEDiff, mini)": "osediff-mini-trained",
    "Student (AdcSR, mini)": "adcsr-mini-trained",
}

TABLE = Table(
    id="embedded",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Baselines and the mini scale on the embedded photographs",
    rows=tuple(SYSTEMS),
    columns=columns("embedded", KNOWN, METRICS),
    jobs=tuple(Infer(row, "embedded", system, scores(KNOWN, *METRICS)) for row, system in SYSTEMS.items()),
)
