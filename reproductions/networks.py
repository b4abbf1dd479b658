"""Every network with deterministic, untrained weights, on the embedded photographs.

Ours. The numbers mean nothing by themselves: they must not move. `nox -s drift` runs the networks again, so
that a change in any of them is seen on a machine without data or weights. Of the times only their ratio is
compared.

    adcbench latency osediff-mini adcsr-mini --threads 1
    adcbench reproduce networks
"""

from adcbench.tables import COMPLEXITY, Block, Column, Fingerprint, Infer, Table, Time
from adcbench.tables.blocks import NOTHING
from adcbench.tables.columns import columns, scores

from ._columns import COSTS, IMAGE

PIXELS = ("PSNR", "SSIM")
MINI = {
    "OSEDiff mini": "osediff-mini",
    "AdcSR mini": "adcsr-mini",
    "Real-ESRGAN mini": "realesrgan-mini",
}
FULL = {"AdcSR full size": "adcsr"}
PHOTOGRAPH = "chelsea"  # the smallest

TABLE = Table(
    id="networks",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Networks with deterministic weights, on the embedded photographs",
    rows=(*MINI, *FULL),
    columns=(
        *columns("embedded", IMAGE, PIXELS),
        Column("embedded", "Fingerprint"),
        *columns(COMPLEXITY, COSTS, ("Time",)),
    ),
    jobs=(
        *(Infer(row, "embedded", system, scores(IMAGE, *PIXELS)) for row, system in MINI.items()),
        *(Fingerprint(row, "embedded", system, PHOTOGRAPH) for row, system in {**MINI, **FULL}.items()),
        Time("OSEDiff mini", "osediff-mini", {"Time": "p50"}),
        Time("AdcSR mini", "adcsr-mini", {"Time": "p50"}),
    ),
    blocks=(
        Block("a reason to time it: only the ratio of the other two is watched", reason=NOTHING, metrics="Time"),
        Block(
            "a reason to score it: the weights are untrained, and its fingerprint is watched",
            reason=NOTHING,
            rows="AdcSR full size",
        ),
    ),
    watched_ratios=(("OSEDiff mini", "AdcSR mini"),),
)
