"""AdcSR ablation on DRealSR: the connection between UNet and decoder.

No source prints the table's number: 3 is assumed. The values come from the project brief; the row with
the connection equals AdcSR in Table 1, which is why they are trusted. "Without" is read as the 4-channel
latent kept between UNet and decoder. Params and MACs are ours.

    adcbench reproduce adcsr/table3
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table
from adcbench.tables.columns import AT_MINI_SCALE, columns, no_weights, scores, trained

WITHOUT = "Without connection optimisation"
WITH = "With connection optimisation (AdcSR)"
COUNTED = {"Params": "params.published", "MACs": "macs.published"}

TABLE = Table(
    id="adcsr/table3",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="3",
    numbering="assumed",
    title="Ablation: the connection of UNet and decoder",
    rows=(WITHOUT, WITH),
    columns=columns("DRealSR", ("FID", "MUSIQ", "MANIQA", "CLIPIQA")) + columns(COMPLEXITY, ("Params", "MACs")),
    jobs=(
        *trained({WITHOUT: "latent-link"}, "DRealSR", "FID", "MUSIQ", "MANIQA", "CLIPIQA"),
        Infer(WITH, "DRealSR", "adcsr", scores("FID", "MUSIQ", "MANIQA", "CLIPIQA")),
        Count(WITHOUT, "adcsr-latent-link", COUNTED),
        Count(WITH, "adcsr", COUNTED),
    ),
    blocks=no_weights((WITHOUT,)),
    notes=("The table is known in part: it may have more columns.", AT_MINI_SCALE),
)
