"""AdcVSR Table 3: discriminators on YouHQ40.

Number and values are printed in the named-author text.

    adcbench reproduce adcvsr/table3
"""

from adcbench.tables import Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import VIDEO
from ._paper import PAPER

ID = "adcvsr/table3"
ROWS = ("Single-Head, Dual-Domain", "Dual-Head, Single-Domain", "Dual-Head, Dual-Domain (Ours)")

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="3",
    numbering="printed",
    title="Discriminators on YouHQ40",
    rows=ROWS,
    columns=columns("YouHQ40", VIDEO, ("CLIPIQA", "E_warp")),
    blocks=no_outputs(ID, ROWS, "YouHQ40", NO_CODE),
    notes=("Single-Domain keeps the discriminator in the feature domain only.",),
)
