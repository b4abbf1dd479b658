"""AdcVSR Table 8 (appendix): the full comparison on SPMCS, YouHQ40, RealVSR and MVSR4x.

Number by elimination: the paper has eight tables, and no source says which number this comparison has
(5 and 8 could be swapped). No source prints a value. That AdcVSR is said to be among the top three in
24 of 36 places fits four test sets with nine metrics each.

    adcbench reproduce adcvsr/table8
"""

from adcbench.tables import Infer, Table
from adcbench.tables.blocks import NO_CODE, NOT_BUILT, no_outputs
from adcbench.tables.columns import columns, scores

from .._columns import VIDEO
from ._paper import BUILT, METHODS, OURS, PAPER, is_run

ID = "adcvsr/table8"
TEST_SETS = ("SPMCS", "YouHQ40", "RealVSR", "MVSR4x")

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="8",
    numbering="assumed",
    title="Quality on the other four test sets",
    rows=METHODS,
    columns=tuple(column for test_set in TEST_SETS for column in columns(test_set, VIDEO)),
    jobs=tuple(
        Infer(row, test_set, system, scores(VIDEO))
        for test_set in TEST_SETS
        for row, system in BUILT.items()
        if is_run(row, test_set)
    ),
    blocks=tuple(
        block
        for test_set in TEST_SETS
        for row in METHODS
        if not is_run(row, test_set)
        for block in no_outputs(ID, (row,), test_set, NO_CODE if row == OURS else NOT_BUILT)
    ),
    notes=("Rows and columns follow Table 1 and are assumed: no source prints this table.",),
)
