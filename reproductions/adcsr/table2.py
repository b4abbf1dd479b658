"""AdcSR ablation on DRealSR: the VAE encoder kept or removed.

No source prints the table's number: 2 is assumed. The values come from the project brief; the row with
the encoder removed equals AdcSR in Table 1, which is why they are trusted. The MACs column is ours.

    adcbench reproduce adcsr/table2
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table, Time
from adcbench.tables.columns import AT_MINI_SCALE, columns, no_weights, scores, trained

KEPT = "VAE encoder kept"
REMOVED = "VAE encoder removed (AdcSR)"
COUNTED = {"Params": "params.published", "MACs": "macs.published"}

TABLE = Table(
    id="adcsr/table2",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="2",
    numbering="assumed",
    title="Ablation: the VAE encoder",
    rows=(KEPT, REMOVED),
    columns=columns("DRealSR", ("PSNR", "LPIPS")) + columns(COMPLEXITY, ("Params", "Time", "MACs")),
    jobs=(
        *trained({KEPT: "vae-encoder"}, "DRealSR", "PSNR", "LPIPS"),
        Infer(REMOVED, "DRealSR", "adcsr", scores("PSNR", "LPIPS")),
        Count(KEPT, "adcsr-vae-encoder", COUNTED),
        Count(REMOVED, "adcsr", COUNTED),
        Time(KEPT, "adcsr-vae-encoder", {"Time": "p50"}),
        Time(REMOVED, "adcsr", {"Time": "p50"}),
    ),
    blocks=no_weights((KEPT,)),
    hardware="A100",
    notes=("The table is known in part: it may have more columns.", AT_MINI_SCALE),
)
