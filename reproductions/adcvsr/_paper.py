"""AdcVSR as a whole: its methods, and where its values were read. No table."""

from adcbench.tables.papers import Paper

METHODS = (
    "RealBasicVSR",
    "Upscale-A-Video",
    "MGLD-VSR",
    "STAR",
    "SeedVR2",
    "DOVE",
    "DLoRAL",
    "PiSA-SR",
    "AdcSR",
    "HYPIR",
    "AdcVSR",
)
OURS = METHODS[-1]
HARDWARE = "H20"  # that it timed on
# row of its tables -> system with released weights; an image system takes a clip frame by frame
BUILT = {"AdcSR": "adcsr"}
# LQ of the other sets is at GT's size: what a x4 system is given there is not stated
QUARTER_SIZE = ("UDM10", "SPMCS", "YouHQ40", "VideoLQ")


def is_run(row: str, test_set: str) -> bool:
    """Whether a job of the tables runs the system of a row on a test set."""
    return row in BUILT and test_set in QUARTER_SIZE


PAPER = Paper(
    name="AdcVSR",
    title="AdcVSR (ICLR 2026, arXiv 2603.00458)",
    own={"AdcVSR": "adcvsr"},
    sources=(
        "AdcVSR's Tables 1 to 4 were read in a converted text of the paper; of Tables 5 to 8 only topics are known."
    ),
    repositories={
        "Upscale-A-Video": "sczhou/Upscale-A-Video",
        "MGLD-VSR": "IanYeung/MGLD-VSR",
        "STAR": "NJU-PCALab/STAR",
        "SeedVR2": "ByteDance-Seed/SeedVR",
        "DOVE": "zhengchen1999/DOVE",
        "DLoRAL": "yjsunnn/DLoRAL",
        "AdcSR": "Guaishou74851/AdcSR",
        "HYPIR": "XPixelGroup/HYPIR",
    },
    causes={"MISLABELLED_COLUMN": "the printed column repeats another column's values"},
)
