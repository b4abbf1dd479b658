"""AdcVSR Table 1: eleven methods on UDM10 and VideoLQ, with efficiency.

Number and values are printed in the named-author text of the paper: 187 of 187 cells.

    adcbench reproduce adcvsr/table1
"""

from adcbench.tables import COMPLEXITY, Block, Claim, Count, Infer, Table, Time
from adcbench.tables.blocks import NO_CODE, NOT_BUILT, no_outputs
from adcbench.tables.columns import columns, scores

from .._columns import COSTS, VIDEO
from .._readings import READINGS
from ._paper import BUILT, HARDWARE, METHODS, OURS, PAPER, is_run

ID = "adcvsr/table1"
# As the text prints them: times faster than, and percent fewer parameters than, each diffusion method.
SPEED_UPS = {
    "Upscale-A-Video": "121",
    "MGLD-VSR": "59",
    "STAR": "175",
    "SeedVR2": "110",
    "DLoRAL": "308",
    "DOVE": "8",
}
REDUCTIONS = {
    "Upscale-A-Video": "96",
    "MGLD-VSR": "60",
    "STAR": "77",
    "SeedVR2": "93",
    "DLoRAL": "56",
    "DOVE": "95",
}
TEXT = "AdcVSR arXiv 2603.00458 Section 4.2"
COUNTED = {"Params": "params.published"}
PLACEMENT = (
    "partly circular: where the temporal blocks stand was inferred from the printed 0.57 B, by trying the placements "
    "listed below. What supports it beside: the caption of figure 2 (after each residual and each transformer block), "
    "and the printed reductions (60, 77, 56 %), which follow from 0.57 B and not from 0.55 B."
)

# Metrics on each test set: VideoLQ has no GT
METRICS = {"UDM10": (), "VideoLQ": ("MANIQA", "CLIPIQA", "MUSIQ", "E_warp", "DOVER")}

TABLE = Table(
    id=ID,
    paper=PAPER.title,
    number="1",
    numbering="printed",
    title="Quality on UDM10 and VideoLQ, and efficiency",
    rows=METHODS,
    columns=tuple(column for test_set, names in METRICS.items() for column in columns(test_set, VIDEO, names))
    + columns(COMPLEXITY, COSTS, ("Steps", "Params", "Time"), {"Params": "B"}),
    jobs=(
        Count("AdcSR", "adcsr", COUNTED),
        Count(OURS, "adcvsr", COUNTED, notes={"Params": PLACEMENT}, readings=READINGS["adcvsr"]),
        Time(OURS, "adcvsr", {"Time": "p50"}),
        *(
            Infer(row, test_set, system, scores(VIDEO, *names))
            for row, system in BUILT.items()
            for test_set, names in METRICS.items()
        ),
    ),
    blocks=(
        Block(
            "an NVIDIA H20, and the network of this method; a system of images is not timed on a clip",
            reason=NOT_BUILT,
            rows=f"(?!{OURS}$).*",
            test_sets=COMPLEXITY,
            metrics="Time",
        ),
        Block("the network of this method", reason=NOT_BUILT, rows=f"(?!({OURS}|AdcSR)$).*", test_sets=COMPLEXITY),
        *(
            block
            for test_set in METRICS
            for row in METHODS
            if not is_run(row, test_set)
            for block in no_outputs(ID, (row,), test_set, NO_CODE if row == OURS else NOT_BUILT)
        ),
    ),
    claims=(
        *(
            Claim(
                f"AdcVSR is {printed}x faster than {slow}",
                "ratio",
                printed,
                (slow, COMPLEXITY, "Time"),
                ("AdcVSR", COMPLEXITY, "Time"),
                TEXT,
            )
            for slow, printed in SPEED_UPS.items()
        ),
        *(
            Claim(
                f"AdcVSR has {printed} % fewer parameters than {large}",
                "reduction",
                printed,
                (large, COMPLEXITY, "Params"),
                ("AdcVSR", COMPLEXITY, "Params"),
                TEXT,
            )
            for large, printed in REDUCTIONS.items()
        ),
    ),
    hardware=HARDWARE,
    notes=(
        "First 25 frames, centre crop, output 512x512, x4. E_warp is in 1e-3. PSNR on Y or RGB, the DOVER "
        "variant and the flow network are not stated.",
        "Params do not count all rows alike: some include text encoders or captioners, some do not.",
        "RealBasicVSR's Steps are printed as a dash.",
    ),
)
