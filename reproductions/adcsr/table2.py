"""AdcSR ablation on DRealSR: the VAE encoder kept or removed.

No source prints the table's number: 2 is assumed. The values come from the project brief; the row with
the encoder removed equals AdcSR in Table 1, which is why they are trusted. The MACs column is ours.

    adcbench reproduce adcsr/table2
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table, Time
from adcbench.tables.columns import columns, scores

from .._columns import COSTS, IMAGE
from ._ablation import AT_MINI_SCALE, COUNTED, PIXELS, no_weights, trained
from ._paper import HARDWARE, PAPER

KEPT = "VAE encoder kept"
REMOVED = "VAE encoder removed (AdcSR)"

TABLE = Table(
    id="adcsr/table2",
    paper=PAPER.title,
    number="2",
    numbering="assumed",
    title="Ablation: the VAE encoder",
    rows=(KEPT, REMOVED),
    columns=columns("DRealSR", IMAGE, PIXELS) + columns(COMPLEXITY, COSTS, ("Params", "Time", "MACs")),
    jobs=(
        *trained({KEPT: "adcsr-vae-encoder"}, PIXELS),
        Infer(REMOVED, "DRealSR", "adcsr", scores(IMAGE, *PIXELS)),
        Count(KEPT, "adcsr-vae-encoder", COUNTED),
        Count(REMOVED, "adcsr", COUNTED),
        Time(KEPT, "adcsr-vae-encoder", {"Time": "p50"}),
        Time(REMOVED, "adcsr", {"Time": "p50"}),
    ),
    blocks=no_weights((KEPT,)),
    hardware=HARDWARE,
    notes=("The table is known in part: it may have more columns.", AT_MINI_SCALE),
)
