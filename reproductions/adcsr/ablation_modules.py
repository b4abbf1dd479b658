"""AdcSR ablation: modules of the teacher that the student does without.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours. A row keeps what
it needs to work: the prompt extractor needs the text encoder, and that the cross-attention; cross-attention alone
reads one fixed embedding.

    adcbench reproduce adcsr/ablation_modules
"""

from adcbench.tables import COMPLEXITY, Count, Infer, Table, Time
from adcbench.tables.columns import ASSUMED, AT_MINI_SCALE, columns, no_weights, reads_text, scores, trained

ADCSR = "All removed (AdcSR)"
VARIANTS = {
    "Prompt extractor kept": "prompt-extractor",
    "Text encoder kept": "text",
    "Cross-attention kept": "cross-attention",
    "Time embedding kept": "time-embedding",
}
READ_TEXT = ("Prompt extractor kept", "Text encoder kept")
RUN = {row: name for row, name in VARIANTS.items() if row not in READ_TEXT}
COUNTED = {"Params": "params.published", "MACs": "macs.published"}

TABLE = Table(
    id="adcsr/ablation_modules",
    paper="AdcSR (CVPR 2025, arXiv 2411.13383)",
    number="",
    numbering="unknown",
    title="Ablation: removed modules",
    rows=(*VARIANTS, ADCSR),
    columns=columns("DRealSR", ("PSNR", "LPIPS")) + columns(COMPLEXITY, ("Params", "Time", "MACs")),
    jobs=(
        *trained(RUN, "DRealSR", "PSNR", "LPIPS"),
        Infer(ADCSR, "DRealSR", "adcsr", scores("PSNR", "LPIPS")),
        Count(ADCSR, "adcsr", COUNTED),
        *(Count(row, f"adcsr-{name}", COUNTED) for row, name in VARIANTS.items()),
        *(Time(row, f"adcsr-{name}", {"Time": "p50"}) for row, name in RUN.items()),
        Time(ADCSR, "adcsr", {"Time": "p50"}),
    ),
    blocks=(*reads_text(READ_TEXT), *no_weights(VARIANTS)),
    hardware="A100",
    notes=(ASSUMED, AT_MINI_SCALE),
)
