"""AdcSR ablation: the training stages.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the connection ablation.

    adcbench reproduce adcsr/ablation_stages
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import ASSUMED, AT_MINI_SCALE, columns, no_weights, scores, trained

ADCSR = "Two stages (AdcSR)"
VARIANTS = {"One stage": "one-stage"}

TABLE = Table(
    id="adcsr/ablation_stages",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="",
    numbering="unknown",
    title="Ablation: training stages",
    rows=(*VARIANTS, ADCSR),
    columns=columns("DRealSR", ("FID", "MUSIQ", "MANIQA", "CLIPIQA")),
    jobs=(
        *trained(VARIANTS, "DRealSR", "FID", "MUSIQ", "MANIQA", "CLIPIQA"),
        Infer(ADCSR, "DRealSR", "adcsr", scores("FID", "MUSIQ", "MANIQA", "CLIPIQA")),
    ),
    blocks=no_weights(VARIANTS),
    notes=(ASSUMED, AT_MINI_SCALE),
)
