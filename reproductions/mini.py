"""Every network at mini scale with deterministic, untrained weights, on the embedded photographs.

Ours. The scores mean nothing by themselves: they must not move. `nox -s drift` runs two of the images
again, so that a change in any network is seen on a machine without data or weights. Of the times only
their ratio is compared.

    adcbench latency osediff-mini adcsr-mini
    adcbench reproduce mini
"""

from adcbench.core.columns import columns
from adcbench.core.tables import COMPLEXITY, Block, Infer, Table, Time

PIXELS = {"PSNR": "psnr", "SSIM": "ssim"}
SYSTEMS = {
    "OSEDiff mini": "osediff-mini",
    "AdcSR mini": "adcsr-mini",
    "Real-ESRGAN mini": "realesrgan-mini",
}

TABLE = Table(
    id="mini",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Networks at mini scale, deterministic weights, on the embedded photographs",
    rows=tuple(SYSTEMS),
    columns=(*columns("embedded", ("PSNR", "SSIM")), *columns(COMPLEXITY, ("Time",))),
    jobs=(
        *(Infer(row, "embedded", system, PIXELS) for row, system in SYSTEMS.items()),
        Time("OSEDiff mini", "osediff-mini", {"Time": "p50"}),
        Time("AdcSR mini", "adcsr-mini", {"Time": "p50"}),
    ),
    blocks=(Block("a reason to time it: only the ratio of the other two is watched", metrics="Time"),),
)
