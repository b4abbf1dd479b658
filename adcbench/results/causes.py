"""Why two numbers differ: named causes. Demonstrated, suspected or unknown; never guessed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from adcbench.core.cells import Cell
from adcbench.core.printed import parse
from adcbench.results.digits import digits_of
from adcbench.results.verdicts import Verdict
from adcbench.tables import Table
from adcbench.tables.loading import table_ids
from adcbench.tables.papers import load_papers

CAUSES_TABLE = "causes"  # the table that measures what wrong settings do to images
RIGHT = "as published"  # its row without any

CAUSES = {
    "Y_RANGE": "luma in 0..255 where papers use BT.601's 16..235: exactly -1.3219 dB PSNR",
    "RGB_NOT_Y": "compared on RGB instead of Y",
    "BORDER_CROP": "a border of 4 pixels left out; these papers crop nothing",
    "BORDER_CROP_8": "a border of 8 pixels left out, as papers on clips do",
    "BORDER_CROP_10": "a border of 10 pixels left out: 6 and the scale, as NTIRE's scripts do",
    "JPEG_OUTPUTS": "outputs saved as JPEG (quality 95) before scoring",
    "SHIFTED": "SR lies beside HR by whole pixels or parts of one; `adcbench diagnose` finds by how much",
    "PAIRED_BY_POSITION": "sorted lists of SR and HR joined by position, not by name",
    "ONE_FRAME_LATE": "each SR frame compared with the HR frame after it",
    "ONE_FRAME_EARLY": "each SR frame compared with the HR frame before it",
    "SR_RESIZED": "SR of another size resized to HR's (Pillow, bicubic)",
    "CENTRES_COMPARED": "SR and HR of different sizes cut to the centre they have in common",
    "CORNERS_COMPARED": "SR and HR of different sizes cut from the upper left corner",
    "DIGITS_CUT": "digits of the printed number cut off, not rounded",
    "SSIM_NO_ROUNDING": "Y not rounded to 8 bits before SSIM",
    "SSIM_NO_CLAMP": "negative contrast-structure terms of SSIM kept",
    "MANIQA_SAMPLING": "pyiqa changed how MANIQA samples patches five times; the printed value's version is unknown",
    "CPU_ARITHMETIC": "NIQE scored on a CPU: Y rounds otherwise there; up to 0.018 an image, 0.00015 in the mean of 93",
    "FLOAT64_PARAMETERS": "NIQE by pyiqa 0.1.13 or later, which keeps its parameters in float64: up to 2e-5",
    "STUDIO_Y": "Y in 16..235 where the papers' NIQE takes 0..255",
    "PYTORCH_RESIZE": "FID's 299x299 made by PyTorch's bilinear interpolation, not clean-fid's antialiased bicubic",
    "TENSORFLOW_RESIZE": "FID's 299x299 made by TensorFlow's bilinear interpolation, as in the first FID code",
    "SEEDED_ONCE": "MANIQA as in pyiqa 0.1.9 and 0.1.10: random patches, seeded once for a whole run",
    "SEEDED_PER_CALL": "MANIQA as in pyiqa 0.1.11: random patches, seeded again for every image",
    "TESTSET_CROP": "own centre crops instead of the published test crops",
    "LAI": "warping error as Lai's code: border pixels compared with the clamped border",
    "EVALCRAFTER": "warping error as EvalCrafter: RAFT on the output, half size, sum over channels, padding scored",
    "SCALED_TWICE": "frames divided by 255 twice before RAFT finds their flow, as in EvalCrafter",
    "EVALCRAFTER_SCALE_FAULT": "as EvalCrafter, its frames divided by 255 twice before RAFT",
    "EWARP_FLOW_ON_OUTPUT": "optical flow found on the output, which follows its noise, not on the reference",
    "EWARP_CHANNEL_SUM": "squared differences summed over the channels, not averaged: exactly 3 times",
    "EWARP_HALF_SIZE": "frames halved before the warping error",
    "EWARP_OUT_OF_FRAME": "pixels that leave the frame compared with its border",
    "EWARP_NO_OCCLUSION": "hidden pixels and motion boundaries counted in the warping error",
    "BORDER_KEPT": "the border scored where it is to be left out",
    "ENDS_CUT": "the first and last two frames of each clip left out",
    "ENDS_KEPT": "the first and last two frames of each clip scored where they are to be left out",
    "OVER_FRAMES": "one mean over the frames of all clips, in which long clips count more, not a mean over clips",
    "OVER_CLIPS": "a mean over clips, not over the frames of all clips",
    "SSIM_PYIQA": "SSIM as pyiqa: Y rounded to 8 bits, negative contrast-structure terms cut off",
    "BASICSR": "SSIM as BasicSR: Y not rounded, negative contrast-structure terms kept",
    "BASICSR_RGB": "SSIM as BasicSR, on RGB",
    "SR_TO_HR": "flow accuracy as the flow from an SR frame to its HR frame",
    "PERCENT": "DOVER printed in 0..100",
    "TECHNICAL": "DOVER's technical branch alone, in 0..100",
    "AESTHETIC": "DOVER's aesthetic branch alone, in 0..100",
    "BRANCHES_SWAPPED": "DOVER's branches in each other's place, as its script had it until August 2023",
    "EVALCRAFTER_CONSTANTS": "DOVER fused with EvalCrafter's constants for generated videos",
    "ANTIALIAS": "DOVER's frames resized with antialiasing, torchvision's default since 0.17",
    "MACS_AS_FLOPS": "one multiply-add counted as two operations, or the reverse",
    "ATTENTION_NOT_COUNTED": "fvcore leaves fused attention out of its total",
    "PARTS_NOT_COUNTED": "parts that run are not in the total; the other readings of the cell name them",
    "TEXT_ENCODER_COUNTED": "the text encoder is or isn't in the total",
    "TIED_WEIGHTS_COUNTED_TWICE": "tensors registered under two names summed twice",
    "CFG_NOT_COUNTED": "the second pass of classifier-free guidance is not in the total",
    "UNSYNCED_TIMER": "the clock was stopped before the GPU had finished",
    "FP16_WEIGHTS": "the weights at hand are stored in half precision",
    "TF32_CONVOLUTIONS": "convolutions rounded to TensorFloat-32, cuDNN's default on a GPU, not in float32",
    "TRUNCATION": "floats cut to 8 bits instead of rounded",
}


def all_causes() -> dict[str, str]:
    """Every cause and what it is: those that any table may name, and those that a paper's own file adds."""
    return {**CAUSES, **{name: text for paper in load_papers().values() for name, text in paper.causes.items()}}


def causes_tables() -> tuple[str, ...]:
    """Tables that measure what wrong settings do: ``causes``, and those whose names begin with it."""
    return tuple(name for name in table_ids() if name == CAUSES_TABLE or name.startswith(f"{CAUSES_TABLE}_"))


def effects(cells: Iterable[Cell], metric: str, test_set: str) -> list[tuple[str, float]]:
    """Measured effect of each wrong setting on a metric: cells of a table of causes -> (cause, delta)."""
    values = {
        cell.key.row: cell.measured.value
        for cell in cells
        if cell.measured and (cell.key.metric, cell.key.test_set) == (metric, test_set)
    }
    right = values.get(RIGHT)
    return [] if right is None else [(row, value - right) for row, value in values.items() if row in CAUSES]


def inside_if_switched(cell: Cell, deltas: Iterable[tuple[str, float]]) -> list[str]:
    """Causes whose effect brings our number inside the printed tolerance.

    A demonstration where the effects were measured on the cell's own outputs, a suspicion elsewhere.
    """
    printed = parse(cell.published.value) if cell.published else None
    if printed is None or cell.published is None or cell.measured is None:
        return []
    digits, ours = digits_of(cell.published), cell.measured.value
    if printed.holds(ours, digits):
        return []
    return [cause for cause, delta in deltas if printed.holds(ours + delta, digits)]


@dataclass(frozen=True)
class Switched:
    """What each wrong setting would do to a cell.

    Args:
        outputs: the released outputs that the effects were measured on.
        effects: (cause, change of the value).
        standing: ``demonstrated`` where the effects were measured on the cell's own outputs, else ``suspected``.
        inside: causes whose effect brings our number inside the printed tolerance; none where it does not differ.
    """

    outputs: str
    effects: tuple[tuple[str, float], ...]
    standing: str
    inside: tuple[str, ...]


def switched(cell: Cell, verdict: Verdict, causes: Table, measured: Iterable[Cell]) -> Switched:
    """A cell against the table of causes and its cells."""
    on_its_set = (job.released_outputs() for job in causes.jobs if job.test_set == cell.key.test_set)
    outputs = next(filter(None, on_its_set), "")
    deltas = tuple(effects(measured, cell.key.metric, cell.key.test_set))
    standing = "demonstrated" if cell.key.row == outputs else "suspected"
    inside = tuple(inside_if_switched(cell, deltas)) if verdict.word == "differs" else ()
    return Switched(outputs, deltas, standing, inside)


@dataclass(frozen=True)
class Apart:
    """How far scores of images are from other scores of the same images: ``image`` is where the ``largest`` is."""

    largest: float
    image: str
    rms: float
    mean: float

    def __str__(self) -> str:
        return f"largest {self.largest:.2g} ({self.image}), rms {self.rms:.2g}, mean {self.mean:+.2g}"


def apart(ours: Iterable[tuple[str, float]], theirs: Iterable[tuple[str, float]]) -> Apart | None:
    """Scores against those of the same names; None where there are none.

    >>> print(apart([("a", 1.0), ("b", 2.0)], [("b", 2.5), ("a", 1.0)]))
    largest 0.5 (b), rms 0.35, mean -0.25
    """
    known = dict(theirs)
    by_image = [(value - known[name], name) for name, value in ours if name in known]
    if not by_image:
        return None
    largest, image = max(by_image, key=lambda one: abs(one[0]))
    differences = [difference for difference, _ in by_image]
    return Apart(
        abs(largest), image, statistics.fmean(d * d for d in differences) ** 0.5, statistics.fmean(differences)
    )


def against_log(cell: Cell, measured: Iterable[Cell]) -> list[tuple[str, Apart]]:
    """A cell's scores, and those under each wrong setting, against the authors' log, image by image.

    Args:
        cell: nothing is said of one without a log, or without scores.
        measured: cells of the table ``causes``, on the same outputs.

    Returns:
        (cause, differences), the first with an empty cause: as measured.
    """
    log = next((m.samples for m in cell.measurements if m.level == "re-aggregated"), ())
    scored = {"": cell} | {
        other.key.row: other
        for other in measured
        if (other.key.metric, other.key.test_set) == (cell.key.metric, cell.key.test_set) and other.key.row in CAUSES
    }
    differences = [
        (cause, apart(one.measured.samples, log))
        for cause, one in scored.items()
        if one.measured and one.measured.level == "scores"
    ]
    return [(cause, one) for cause, one in differences if one]
