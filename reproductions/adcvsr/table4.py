"""AdcVSR Table 4: distillation setups on MVSR4x.

Number and values are printed in the named-author text.

    adcbench reproduce adcvsr/table4
"""

from adcbench.core.columns import columns
from adcbench.core.tables import Block, Table

TABLE = Table(
    id="adcvsr/table4",
    paper="AdcVSR (ICLR 2026, arXiv 2603.00458)",
    number="4",
    numbering="printed",
    title="Distillation setups on MVSR4x",
    rows=(
        "No Adversarial Loss",
        "No Teacher (HR GT Only)",
        "SeedVR2 as Teacher",
        "DLoRAL as Teacher",
        "DOVE as Teacher (Ours)",
    ),
    columns=columns("MVSR4x", ("PSNR", "LPIPS", "MUSIQ")),
    blocks=(Block("the video systems (later steps)"),),
)
