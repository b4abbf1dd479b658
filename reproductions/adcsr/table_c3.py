"""AdcSR Table C.3 (supplement): mobile deployment.

The number is printed: a model survey that read the arXiv HTML cites "Tab. C.3". It gives one value; the
input size, the precision and other methods are not known.

    adcbench reproduce adcsr/table_c3
"""

from adcbench.tables import Block, Table
from adcbench.tables.blocks import NO_CODE
from adcbench.tables.columns import columns

from .._columns import COSTS
from ._paper import PAPER

TABLE = Table(
    id="adcsr/table_c3",
    paper=PAPER.title,
    number="C.3",
    numbering="printed",
    title="Latency on a phone (Snapdragon 8 Gen 4)",
    rows=("AdcSR",),
    columns=columns("mobile", COSTS, ("Time",), {"Time": "ms"}),
    blocks=(
        Block(
            "a phone with a Snapdragon 8 Gen 4, the authors' mobile build, and the input size and precision, "
            "which no source gives",
            reason=NO_CODE,
        ),
    ),
)
