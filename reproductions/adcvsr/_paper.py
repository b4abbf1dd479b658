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
