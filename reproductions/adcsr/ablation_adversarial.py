"""AdcSR ablation: the adversarial loss and the discriminator.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the connection ablation.

    adcbench reproduce adcsr/ablation_adversarial
"""

from adcbench.tables import Infer, Table
from adcbench.tables.columns import ASSUMED, AT_MINI_SCALE, columns, no_weights, scores, trained

ADCSR = "Adversarial loss on features (AdcSR)"
VARIANTS = {
    "Without adversarial loss": "no-adversarial",
    "Adversarial weight 0.1": "adversarial-0.1",
    "Patch discriminator": "patch-discriminator",
    "Whole UNet discriminator": "full-discriminator",
}

TABLE = Table(
    id="adcsr/ablation_adversarial",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="",
    numbering="unknown",
    title="Ablation: adversarial loss and discriminator",
    rows=(*VARIANTS, ADCSR),
    columns=columns("DRealSR", ("FID", "MUSIQ", "MANIQA", "CLIPIQA")),
    jobs=(
        *trained(VARIANTS, "DRealSR", "FID", "MUSIQ", "MANIQA", "CLIPIQA"),
        Infer(ADCSR, "DRealSR", "adcsr", scores("FID", "MUSIQ", "MANIQA", "CLIPIQA")),
    ),
    blocks=no_weights(VARIANTS),
    notes=(ASSUMED, AT_MINI_SCALE),
)
