"""AdcSR as a whole: its methods, and where its values were read. No table."""

from adcbench.tables.papers import Paper

HARDWARE = "A100"  # that it timed on
# row of its tables -> system, in their order
METHODS = {
    "StableSR": "stablesr",
    "DiffBIR": "diffbir",
    "SeeSR": "seesr",
    "PASD": "pasd",
    "ResShift": "resshift",
    "SinSR": "sinsr",
    "OSEDiff": "osediff",
    "S3Diff": "s3diff",
    "AdcSR": "adcsr",
}

PAPER = Paper(
    name="AdcSR",
    title="AdcSR (CVPR 2025, arXiv 2411.13383)",
    own={"AdcSR": "adcsr"},
    methods=METHODS,
    sources=(
        "**AdcSR's own tables were not seen.** What stands in for their {known} known values: {kinds} (primary: the "
        "paper that a number comes from prints it: {primary}; that AdcSR's tables repeat OSEDiff's rows is what others "
        "show, not seen; third-party: other papers' tables; second-hand: a survey that quotes it; brief: this "
        "project's brief); for its own row {own_kinds}. `explain` names each source."
    ),
    unnumbered="AdcSR's other ablations (`ablation_*`)",
    repositories={
        "StableSR": "IceClear/StableSR",
        "DiffBIR": "XPixelGroup/DiffBIR",
        "SeeSR": "cswry/SeeSR",
        "PASD": "yangxy/PASD",
        "ResShift": "zsyOAOA/ResShift",
        "SinSR": "wyf0912/SinSR",
        "OSEDiff": "cswry/OSEDiff",
        "S3Diff": "ArcticHare105/S3Diff",
        "AdcSR": "Guaishou74851/AdcSR",
    },
    causes={
        "TAGGING_HEAD_NOT_COUNTED": "the prompt extractor's tagging head runs but is not in the total",
        "OTHER_CAPTIONER": "another image captioner is in the total than upstream's default loads",
    },
)
