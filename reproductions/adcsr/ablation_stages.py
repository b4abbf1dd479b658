"""AdcSR ablation: the training stages.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the connection ablation.

    adcbench reproduce adcsr/ablation_stages
"""

from ._ablation import DETAIL, ablation

TABLE = ablation(
    "stages",
    "training stages",
    ours="Two stages (AdcSR)",
    variants={
        "One stage": "one-stage",
    },
    metrics=DETAIL,
)
