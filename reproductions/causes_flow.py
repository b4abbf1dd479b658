"""How good the optical flows are that the temporal metrics use, and what EvalCrafter's fault does to RAFT's.

Ours: end-point errors on the three samples of SPyNet (Ranjan and Black, CVPR 2017), whose flow is known.

    adcbench fetch flow_pairs
    adcbench reproduce causes_flow
"""

from adcbench.tables import Column, Table
from adcbench.tables.jobs.end_point import END_POINT, EndPoint

TEST_SET = "SPyNet-samples"
FLOWS = {
    "as published": "raft-small",
    "SCALED_TWICE": "raft-small:SCALED_TWICE",
    "DIS (OpenCV), the default": "dis",
    "Farneback (OpenCV), of tOF": "farneback",
    "No motion": "",
}

TABLE = Table(
    id="causes_flow",
    paper="adcbench",
    number="",
    numbering="ours",
    title="Optical flows against known ones; RAFT's with EvalCrafter's fault",
    rows=tuple(FLOWS),
    columns=(Column(TEST_SET, END_POINT, "px"),),  # wrong settings do not rank
    jobs=tuple(EndPoint(row, TEST_SET, flow) for row, flow in FLOWS.items()),
    notes=(
        "as published: RAFT-small of its authors, 20 updates, frames in [-1, 1]. SCALED_TWICE feeds it frames in "
        "[-1, -0.992], as EvalCrafter's code does to RAFT (large, whose weights are not here): its flow is then worse "
        "than DIS's on two of the three pairs.",
    ),
)
