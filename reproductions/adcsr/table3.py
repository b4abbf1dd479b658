"""AdcSR ablation on DRealSR: the connection between UNet and decoder.

No source prints the table's number: 3 is assumed. The values come from the project brief; the row with
the connection equals AdcSR in Table 1, which is why they are trusted. "Without" is read as the 4-channel
latent kept between UNet and decoder. Params and MACs are ours.

    adcbench reproduce adcsr/table3
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table
from adcbench.tables.columns import columns, scores

from .._columns import COSTS, IMAGE
from ._ablation import AT_MINI_SCALE, COUNTED, DETAIL, no_weights, trained
from ._paper import PAPER

WITHOUT = "Without connection optimisation"
WITH = "With connection optimisation (AdcSR)"

TABLE = Table(
    id="adcsr/table3",
    paper=PAPER.title,
    number="3",
    numbering="assumed",
    title="Ablation: the connection of UNet and decoder",
    rows=(WITHOUT, WITH),
    columns=columns("DRealSR", IMAGE, DETAIL) + columns(COMPLEXITY, COSTS, ("Params", "MACs")),
    jobs=(
        *trained({WITHOUT: "adcsr-latent-link"}, DETAIL),
        Infer(WITH, "DRealSR", "adcsr", scores(IMAGE, *DETAIL)),
        Count(WITHOUT, "adcsr-latent-link", COUNTED),
        Count(WITH, "adcsr", COUNTED),
    ),
    blocks=no_weights((WITHOUT,)),
    notes=("The table is known in part: it may have more columns.", AT_MINI_SCALE),
)
