"""AdcSR ablation: how the LR image enters the UNet.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours. The first row is
that ablation's network; what the second puts in is nobody's word but ours.

    adcbench reproduce adcsr/ablation_inputs
"""

from ._ablation import PIXELS, ablation

TABLE = ablation(
    "inputs",
    "input of the UNet",
    ours="PixelUnshuffle (AdcSR)",
    variants={
        "Bicubic x4 and VAE encoder": "vae-encoder",
        "Bicubic x4 and PixelUnshuffle(8)": "bicubic-input",
    },
    metrics=PIXELS,
    costs=("Params", "Time", "MACs"),
)
