"""Clip metrics: one file each, and CLIP_METRICS with their settings and signatures.

The warping error of the papers has three published definitions, which are presets here: Lai et al.'s code,
EvalCrafter's (most likely what DOVE and AdcVSR print), and EvalCrafter's with the fault of its input scale. Each
single difference is a named variant as well. DOVER's scales and constants likewise.
"""

from __future__ import annotations

from functools import partial

from adcbench.core.errors import AdcbenchError
from adcbench.metrics import METRICS, find_metric
from adcbench.metrics.clip import dover, fastervqa
from adcbench.metrics.clip.ewarp import warping_error
from adcbench.metrics.clip.flicker import flicker
from adcbench.metrics.clip.flow_accuracy import flow_accuracy
from adcbench.metrics.clip.tlp import tlp
from adcbench.metrics.clip.tof import tof
from adcbench.metrics.engine.clip_metric import ClipMetric, Judge

_EWARP = {
    "flow_on": "reference", "reduction": "mean", "downscale": 1, "in_frame": True, "occlusion": True, "pad_to": 0,
    "empty": "skip",
}  # fmt: skip
_PUBLISHED = {"in_frame": False, "empty": "zero"}
_EVALCRAFTER = _EWARP | _PUBLISHED | {"flow_on": "output", "reduction": "sum", "downscale": 2, "pad_to": 8}
_ewarp = partial(
    ClipMetric, function=warping_error, takes="guided", flow="dis", unit="x1e-3", higher_is_better=False
)  # fmt: skip
_evalcrafter = partial(_ewarp, settings=_EVALCRAFTER, takes="clip")
_DOVER = {"scale": "overall 0-1", "constants": "natural", "swapped": False}
_epe = partial(ClipMetric, function=flow_accuracy, unit="px", higher_is_better=False)
_vsreval = "vsreval 0.1.0, seed 0, read from libx264 yuv444p without loss"
_dover = partial(
    ClipMetric, function=dover.dover, takes="clip", judge=Judge("dover"), files=dover.FILES,
    notes=f"resize 224x224 antialias=no | {_vsreval}",
)  # fmt: skip

CLIP_METRICS: dict[str, ClipMetric] = {
    metric.name: metric
    for metric in (
        _ewarp("ewarp", settings=_EWARP),
        _ewarp("ewarp:LAI", settings=_EWARP | _PUBLISHED),
        _evalcrafter("ewarp:EVALCRAFTER", flow="raft"),
        _evalcrafter("ewarp:EVALCRAFTER_SCALE_FAULT", flow="raft:SCALED_TWICE", own_flow=True),
        _ewarp("ewarp:EWARP_FLOW_ON_OUTPUT", settings=_EWARP | {"flow_on": "output"}, takes="clip"),
        _ewarp("ewarp:EWARP_CHANNEL_SUM", settings=_EWARP | {"reduction": "sum"}),
        _ewarp("ewarp:EWARP_HALF_SIZE", settings=_EWARP | {"downscale": 2}),
        _ewarp("ewarp:EWARP_OUT_OF_FRAME", settings=_EWARP | {"in_frame": False}),
        _ewarp("ewarp:EWARP_NO_OCCLUSION", settings=_EWARP | {"occlusion": False}),
        _epe("flow-accuracy", settings={"between": "neighbours"}, flow="dis"),
        _epe("flow-accuracy:SR_TO_HR", settings={"between": "sr and hr"}, flow="dis"),
        ClipMetric("tof", tof, flow="farneback", own_flow=True, unit="px", higher_is_better=False,
                   notes="first and last 2 frames left out, centre crop to multiples of 32"),
        ClipMetric("tlp", tlp, through="lpips", unit="x1e-2", higher_is_better=False,
                   libraries=("lpips", "torch", "torchvision"),
                   notes="LPIPS alex, first and last 2 frames left out, centre crop to multiples of 32"),
        ClipMetric("flicker", flicker, takes="clip"),
        _dover("dover", settings=_DOVER),
        _dover("dover:PERCENT", settings=_DOVER | {"scale": "overall 0-100"}),
        _dover("dover:TECHNICAL", settings=_DOVER | {"scale": "technical 0-100"}),
        _dover("dover:AESTHETIC", settings=_DOVER | {"scale": "aesthetic 0-100"}),
        _dover("dover:BRANCHES_SWAPPED", settings=_DOVER | {"swapped": True}),
        _dover("dover:EVALCRAFTER_CONSTANTS", settings=_DOVER | {"constants": "generated"}),
        _dover("dover:ANTIALIAS", settings=_DOVER, judge=Judge("dover", antialias=True),
               notes=f"resize 224x224 antialias=yes | {_vsreval}"),
        ClipMetric("fastervqa", fastervqa.fastervqa, takes="clip", judge=Judge("fastervqa"), files=fastervqa.FILES,
                   notes=_vsreval),
    )
}  # fmt: skip


def find_clip_metric(name: str) -> ClipMetric:
    """The clip metric of a name in CLIP_METRICS, or the mean over frames of an image metric.

    Raises:
        AdcbenchError: unknown, or a metric over a set of images.
    """
    if name in CLIP_METRICS:
        return CLIP_METRICS[name]
    head = name.partition(":")[0]
    if name not in METRICS and head != "maniqa":
        plain = ", ".join(sorted({n.partition(":")[0] for n in (*CLIP_METRICS, *METRICS)} - {"fid"}))
        variants = ", ".join(n for n in CLIP_METRICS if n.startswith(f"{head}:"))
        raise AdcbenchError(
            f"unknown metric {name!r}. " + (f"Variants of {head}: {variants}" if variants else f"Clip metrics: {plain}")
        )
    metric = find_metric(name)
    if metric.takes == "set":
        raise AdcbenchError(f"{name} is a number over a set of images, not a score of a clip")
    return ClipMetric(
        name, frame=metric, takes="pair" if metric.takes == "pair" else "clip", unit=metric.unit,
        higher_is_better=metric.higher_is_better, libraries=metric.libraries,
    )  # fmt: skip


def find_clip_metrics(names: str, *, reference: bool = True, flow: str = "") -> list[ClipMetric]:
    """Clip metrics by comma-separated names, such as ``psnr,ewarp``.

    Args:
        names: heads in any case, variants as they are written.
        reference: HR is there; without it flows are found on the output.
        flow: the optical flow for all metrics whose definition leaves it open; empty: each one's default.

    Raises:
        AdcbenchError: an unknown name or flow, none at all, or a metric that needs HR where there is none.
    """
    found = [
        find_clip_metric(head.lower() + colon + variant)
        for head, colon, variant in (name.strip().partition(":") for name in names.split(",") if name.strip())
    ]
    if not found:
        raise AdcbenchError("--metrics names no metric; give for example psnr,ewarp")
    if flow:
        found = [metric.with_flow(flow) for metric in found]
    return found if reference else [metric.without_reference() for metric in found]
