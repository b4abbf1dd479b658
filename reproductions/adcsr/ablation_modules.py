"""AdcSR ablation: modules of the teacher that the student does without.

No source prints its number or its values: only the topic is known, from the project brief. Rows are
assumed, and so are the columns, which follow the VAE-encoder ablation. The MACs column is ours. A row keeps what
it needs to work: the prompt extractor needs the text encoder, and that the cross-attention; cross-attention alone
reads one fixed embedding.

    adcbench reproduce adcsr/ablation_modules
"""

from ._ablation import PIXELS, ablation

TABLE = ablation(
    "modules",
    "removed modules",
    ours="All removed (AdcSR)",
    variants={
        "Prompt extractor kept": "prompt-extractor",
        "Text encoder kept": "text",
        "Cross-attention kept": "cross-attention",
        "Time embedding kept": "time-embedding",
    },
    metrics=PIXELS,
    costs=("Params", "Time", "MACs"),
    read_text=("Prompt extractor kept", "Text encoder kept"),
)
