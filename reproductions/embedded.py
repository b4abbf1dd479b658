"""Baselines on the embedded photographs, which need no download.

Ours. These numbers say that the installation works; they never stand in a paper's table.

    adcbench reproduce embedded
"""

from adcbench.core.columns import columns
from adcbench.core.tables import Infer, Table

PIXELS = {"PSNR": "psnr", "SSIM": "ssim"}
SYSTEMS = {
    "Bicubic (PIL)": "bicubic",
    "Bicubic (torch)": "bicubic-torch",
    "Real-ESRGAN": "realesrgan-x4plus",
}

TABLE = Table(
    id="embedded",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Baselines on the embedded photographs",
    rows=tuple(SYSTEMS),
    columns=columns("embedded", ("PSNR", "SSIM")),
    jobs=tuple(Infer(row, "embedded", system, PIXELS) for row, system in SYSTEMS.items()),
)
