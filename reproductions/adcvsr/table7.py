"""AdcVSR Table 7 (appendix): which data types train the discriminators.

Reviews name its number and topic, and one row (teacher videos as the consistency reference); no source
prints a value. The other rows and the columns (those of Table 3) are assumed.

    adcbench reproduce adcvsr/table7
"""

from adcbench.tables import Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import VIDEO
from ._paper import PAPER

ID = "adcvsr/table7"
ROWS = (
    "Without permuted videos",
    "Without static image clips",
    "Without clips of unrelated crops",
    "Teacher videos as consistency reference",
    "All data types (Ours)",
)

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="7",
    numbering="printed",
    title="Data types that train the discriminators",
    rows=ROWS,
    columns=columns("YouHQ40", VIDEO, ("CLIPIQA", "E_warp")),
    blocks=no_outputs(ID, ROWS, "YouHQ40", NO_CODE),
    notes=("Rows (but the last two) and columns are assumed: no source prints this table.",),
)
