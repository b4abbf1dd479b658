"""AdcSR ablation: how the LR image enters the UNet.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours. The first row is
that ablation's network; what the second puts in is nobody's word but ours.

    adcbench reproduce adcsr/ablation_inputs
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table, Time
from adcbench.tables.columns import ASSUMED, AT_MINI_SCALE, columns, no_weights, scores, trained

ADCSR = "PixelUnshuffle (AdcSR)"
VARIANTS = {
    "Bicubic x4 and VAE encoder": "vae-encoder",
    "Bicubic x4 and PixelUnshuffle(8)": "bicubic-input",
}
COUNTED = {"Params": "params.published", "MACs": "macs.published"}

TABLE = Table(
    id="adcsr/ablation_inputs",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="",
    numbering="unknown",
    title="Ablation: input of the UNet",
    rows=(*VARIANTS, ADCSR),
    columns=columns("DRealSR", ("PSNR", "LPIPS")) + columns(COMPLEXITY, ("Params", "Time", "MACs")),
    jobs=(
        *trained(VARIANTS, "DRealSR", "PSNR", "LPIPS"),
        Infer(ADCSR, "DRealSR", "adcsr", scores("PSNR", "LPIPS")),
        Count(ADCSR, "adcsr", COUNTED),
        *(Count(row, f"adcsr-{name}", COUNTED) for row, name in VARIANTS.items()),
        *(Time(row, f"adcsr-{name}", {"Time": "p50"}) for row, name in VARIANTS.items()),
        Time(ADCSR, "adcsr", {"Time": "p50"}),
    ),
    blocks=no_weights(VARIANTS),
    hardware="A100",
    notes=(ASSUMED, AT_MINI_SCALE),
)
