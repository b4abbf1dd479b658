"""AdcVSR Table 4: distillation setups on MVSR4x.

Number and values are printed in the named-author text.

    adcbench reproduce adcvsr/table4
"""

from adcbench.tables import Table
from adcbench.tables.columns import NO_CODE, columns, no_outputs

ID = "adcvsr/table4"
ROWS = (
    "No Adversarial Loss",
    "No Teacher (HR GT Only)",
    "SeedVR2 as Teacher",
    "DLoRAL as Teacher",
    "DOVE as Teacher (Ours)",
)

TABLE = Table(
    id=ID,
    paper="AdcVSR (ICLR 2026, arXiv 2603.00458)",
    number="4",
    numbering="printed",
    title="Distillation setups on MVSR4x",
    rows=ROWS,
    columns=columns("MVSR4x", ("PSNR", "LPIPS", "MUSIQ")),
    blocks=no_outputs(ID, ROWS, "MVSR4x", NO_CODE),
)
