"""AdcSR ablation: how many of the UNet's channels are kept.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours.

    adcbench reproduce adcsr/ablation_unet_ratio
"""

from ._ablation import PIXELS, ablation

TABLE = ablation(
    "unet_ratio",
    "UNet channel ratio",
    ours="UNet 75 % (AdcSR)",
    variants={
        "UNet 100 %": "unet-100",
        "UNet 50 %": "unet-50",
    },
    metrics=PIXELS,
    costs=("Params", "Time", "MACs"),
)
