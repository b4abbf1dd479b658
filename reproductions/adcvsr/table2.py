"""AdcVSR Table 2: network designs on UDM10.

Number and values are printed in the named-author text. The printed Params of the 2D and 2D + 1D rows
repeat Table 1's times in seconds digit for digit, so the column is almost certainly mislabelled.

    adcbench reproduce adcvsr/table2
"""

from adcbench.tables import COMPLEXITY, Block, Count, Table
from adcbench.tables.blocks import NO_CODE, no_outputs
from adcbench.tables.columns import columns

from .._columns import COSTS, VIDEO
from .._readings import READINGS
from ._paper import PAPER

ID = "adcvsr/table2"
ROWS = ("3D (A Pruned DOVE)", "2D (AdcSR)", "2D + 1D (Ours)")
PARAMS = {"Params": "params.published"}
CAUSE = {"Params": "suspected MISLABELLED_COLUMN"}

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="2",
    numbering="printed",
    title="Network designs on UDM10",
    rows=ROWS,
    columns=columns("UDM10", VIDEO, ("DISTS", "E_warp")) + columns(COMPLEXITY, COSTS, ("Params",), {"Params": "B"}),
    jobs=(
        Count("2D (AdcSR)", "adcsr", PARAMS, causes=CAUSE),
        Count("2D + 1D (Ours)", "adcvsr", PARAMS, causes=CAUSE, readings=READINGS["adcvsr"]),
    ),
    blocks=(
        Block(
            "the pruned DOVE: the paper does not say how it was pruned",
            reason=NO_CODE,
            rows="3D .*",
            test_sets=COMPLEXITY,
        ),
        *no_outputs(ID, ROWS, "UDM10", NO_CODE),
    ),
    notes=(
        "The 2D row is probably not the released AdcSR but a 2D student retrained from DOVE: its DISTS and "
        "E_warp differ from AdcSR's in Table 1.",
    ),
)
