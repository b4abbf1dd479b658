"""All metrics by name: those of the folders here, and a user's own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib import metadata
from types import ModuleType

from adcbench.core.errors import AdcbenchError
from adcbench.metrics import clip, image
from adcbench.metrics import set as set_
from adcbench.metrics.clip.flow import find_flow
from adcbench.metrics.metric import Metric
from adcbench.metrics.networks.tf32 import VARIANT as TF32
from adcbench.metrics.networks.tf32 import in_tf32
from adcbench.metrics.own_metric import own_metric

GROUP = "adcbench.metrics"  # of entry points
_FOLDERS = (image, set_, clip)


def _modules() -> Iterator[ModuleType]:
    for folder in _FOLDERS:
        for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda module: module.name):
            yield importlib.import_module(f"{folder.__name__}.{info.name}")


METRICS: dict[str, Metric] = {metric.name: metric for module in _modules() for metric in getattr(module, "METRICS", ())}
# A bare name that stands for several metrics -> which there are
_AMBIGUOUS: dict[str, str] = {
    name: why for module in _modules() for name, why in getattr(module, "AMBIGUOUS", {}).items()
}


def find_metric(name: str) -> Metric:
    """A metric of METRICS, one of an installed package's entry points, or ``package.module:metric``.

    Each of them that is a network has the variant ``TF32_CONVOLUTIONS`` too (``networks/tf32.py``).

    Raises:
        AdcbenchError: unknown, or a bare name that stands for several checkpoints; the message lists those there are.

    >>> find_metric("psnr").unit
    'dB'
    """
    if name in METRICS:
        return METRICS[name]
    if name in _AMBIGUOUS:
        raise AdcbenchError(_AMBIGUOUS[name])
    base, _, last = name.rpartition(":")
    if base and last == TF32:
        return in_tf32(find_metric(base))
    head = name.partition(":")[0]
    points = {point.name: point.value for point in metadata.entry_points(group=GROUP)}
    if name in points or (":" in name and head not in METRICS):
        return _own(name, points.get(name, name))
    variants = variants_of(head)
    if head in METRICS and variants:
        raise AdcbenchError(f"unknown metric {name!r}. Variants of {head}: {', '.join(variants)}")
    plain = sorted({*(other.partition(":")[0] for other in METRICS), *points})
    raise AdcbenchError(f"unknown metric {name!r}. Metrics: {', '.join(plain)}; or package.module:metric")


def variants_of(head: str) -> list[str]:
    """Names of a metric's variants.

    >>> variants_of("lpips")
    ['lpips:TF32_CONVOLUTIONS']
    """
    network = [f"{head}:{TF32}"] if head in METRICS and METRICS[head].load else []
    return [*(other for other in METRICS if other.startswith(f"{head}:")), *network]


def _own(name: str, target: str) -> Metric:
    own = own_metric(name, target)
    if own.name in METRICS:
        raise AdcbenchError(f"metric {name!r}: {target} is called {own.name!r}, as one of ours; give it another name")
    return own


def find_metrics(names: str, *, reference: bool = True, flow: str = "") -> list[Metric]:
    """Metrics by comma-separated names, such as ``psnr,ewarp``.

    Args:
        names: heads in any case, variants as they are written.
        reference: HR is there; without it flows are found on the output.
        flow: the optical flow for all metrics whose definition leaves it open; empty: each one's default.

    Raises:
        AdcbenchError: an unknown name or flow, none at all, or a metric that needs HR where there is none.

    >>> [metric.name for metric in find_metrics("PSNR, ewarp:LAI")]
    ['psnr', 'ewarp:LAI']
    """
    chosen = [find_metric(_with_known_case(name.strip())) for name in names.split(",") if name.strip()]
    if not chosen:
        raise AdcbenchError("--metrics names no metric; give for example psnr,ssim")
    if flow:
        chosen = [metric.with_flow(find_flow(flow)) for metric in chosen]
    return chosen if reference else _without_reference(chosen)


def _without_reference(chosen: list[Metric]) -> list[Metric]:
    """Each where there is no HR; one error names all that need it, and those that do without."""
    needing = [metric.name for metric in chosen if metric.needs_reference]
    if not needing:
        return [metric.without_reference() for metric in chosen]
    alone = [metric.name for metric in chosen if not metric.needs_reference]
    do = f"leave {'it' if len(needing) == 1 else 'them'} out: {', '.join(alone)} looks at the output alone"
    raise AdcbenchError(
        f"{', '.join(needing)} compare{'s' * (len(needing) == 1)} with HR: give --hr, or "
        + (do if alone else "name metrics that look at the output alone, such as --metrics niqe")
    )


def _with_known_case(name: str) -> str:
    """A user's own module keeps its capitals."""
    head, colon, variant = name.partition(":")
    return head.lower() + colon + variant if not colon or head.lower() in METRICS else name
