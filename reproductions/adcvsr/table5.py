"""AdcVSR Table 5 (appendix): more on the network design, 2D against 3D against 2D + 1D.

Reviews name its number and topic ("Tables 2 & 5", with Fig. 6); no source prints a value, and 5 and 8
could be swapped, so the number is assumed. Rows follow Table 2; the columns are assumed.

    adcbench reproduce adcvsr/table5
"""

from adcbench.tables import Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import VIDEO
from ._paper import PAPER

ID = "adcvsr/table5"
ROWS = ("3D", "2D", "2D + 1D (Ours)")

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="5",
    numbering="assumed",
    title="More network designs",
    rows=ROWS,
    columns=columns("YouHQ40", VIDEO, ("DISTS", "E_warp")),
    blocks=no_outputs(ID, ROWS, "YouHQ40", NO_CODE),
    notes=("Rows and columns are assumed: no source prints this table.",),
)
