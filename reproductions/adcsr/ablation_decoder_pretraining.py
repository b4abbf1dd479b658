"""AdcSR ablation: the pruned VAE decoder with or without its own pretraining (stage 1).

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the connection ablation.

    adcbench reproduce adcsr/ablation_decoder_pretraining
"""

from ._ablation import DETAIL, ablation

TABLE = ablation(
    "decoder_pretraining",
    "pretraining of the pruned decoder",
    ours="With pretraining (AdcSR)",
    variants={
        "Without pretraining": "no-pretraining",
    },
    metrics=DETAIL,
)
