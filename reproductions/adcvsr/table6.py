"""AdcVSR Table 6 (appendix): how the discriminator's channels are split between its two heads.

Reviews name its number and topic, and that 75 % detail and 25 % consistency (192 and 64 of 256) is
best; no source prints a value. The other rows and the columns (those of Table 3) are assumed.

    adcbench reproduce adcvsr/table6
"""

from adcbench.core.columns import columns
from adcbench.core.tables import Block, Table

TABLE = Table(
    id="adcvsr/table6",
    paper="AdcVSR (ICLR 2026, arXiv 2603.00458)",
    number="6",
    numbering="printed",
    title="Channel split between the detail and consistency heads",
    rows=("25 % / 75 %", "50 % / 50 %", "75 % / 25 % (Ours)"),
    columns=columns("YouHQ40", ("CLIPIQA", "E_warp")),
    blocks=(Block("the video systems (later steps)"),),
    notes=("Rows (but the last) and columns are assumed: no source prints this table.",),
)
