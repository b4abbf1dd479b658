"""AdcVSR Table 4: distillation setups on MVSR4x.

Number and values are printed in the named-author text.

    adcbench reproduce adcvsr/table4
"""

from adcbench.tables import Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import VIDEO
from ._paper import PAPER

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
    paper=PAPER.title,
    number="4",
    numbering="printed",
    title="Distillation setups on MVSR4x",
    rows=ROWS,
    columns=columns("MVSR4x", VIDEO, ("PSNR", "LPIPS", "MUSIQ")),
    blocks=no_outputs(ID, ROWS, "MVSR4x", NO_CODE),
)
