"""AdcSR ablation: how many of the VAE decoder's channels are kept.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours.

    adcbench reproduce adcsr/ablation_decoder_ratio
"""

from ._ablation import PIXELS, ablation

TABLE = ablation(
    "decoder_ratio",
    "VAE decoder channel ratio",
    ours="Decoder 50 % (AdcSR)",
    variants={
        "Decoder 100 %": "decoder-100",
    },
    metrics=PIXELS,
    costs=("Params", "Time", "MACs"),
)
