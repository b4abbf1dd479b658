"""AdcVSR Table 3: discriminators on YouHQ40.

Number and values are printed in the named-author text.

    adcbench reproduce adcvsr/table3
"""

from adcbench.core.columns import columns
from adcbench.core.tables import Block, Table

TABLE = Table(
    id="adcvsr/table3",
    paper="AdcVSR (ICLR 2026, arXiv 2603.00458)",
    number="3",
    numbering="printed",
    title="Discriminators on YouHQ40",
    rows=("Single-Head, Dual-Domain", "Dual-Head, Single-Domain", "Dual-Head, Dual-Domain (Ours)"),
    columns=columns("YouHQ40", ("CLIPIQA", "E_warp")),
    blocks=(Block("the video systems (later steps)"),),
    notes=("Single-Domain keeps the discriminator in the feature domain only.",),
)
