"""AdcSR ablation: the adversarial loss and the discriminator.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the connection ablation.

    adcbench reproduce adcsr/ablation_adversarial
"""

from ._ablation import DETAIL, ablation

TABLE = ablation(
    "adversarial",
    "adversarial loss and discriminator",
    ours="Adversarial loss on features (AdcSR)",
    variants={
        "Without adversarial loss": "no-adversarial",
        "Adversarial weight 0.1": "adversarial-0.1",
        "Patch discriminator": "patch-discriminator",
        "Whole UNet discriminator": "full-discriminator",
    },
    metrics=DETAIL,
)
