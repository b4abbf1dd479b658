"""AdcVSR Table 6 (appendix): how the discriminator's channels are split between its two heads.

Reviews name its number and topic, and that 75 % detail and 25 % consistency (192 and 64 of 256) is
best; no source prints a value. The other rows and the columns (those of Table 3) are assumed.

    adcbench reproduce adcvsr/table6
"""

from adcbench.tables import Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import VIDEO
from ._paper import PAPER

ID = "adcvsr/table6"
ROWS = ("25 % / 75 %", "50 % / 50 %", "75 % / 25 % (Ours)")

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="6",
    numbering="printed",
    title="Channel split between the detail and consistency heads",
    rows=ROWS,
    columns=columns("YouHQ40", VIDEO, ("CLIPIQA", "E_warp")),
    blocks=no_outputs(ID, ROWS, "YouHQ40", NO_CODE),
    notes=("Rows (but the last) and columns are assumed: no source prints this table.",),
)
