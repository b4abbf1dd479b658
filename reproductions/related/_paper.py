"""Tables of other papers, which are not re-derived as a whole: each says whose it is. No table."""

from adcbench.tables.papers import Paper

PAPER = Paper(name="others", title="other papers", related=True)
