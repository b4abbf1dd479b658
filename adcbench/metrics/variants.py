"""The ways a metric is computed: its registered variants, metrics of the same code, and two variants at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from adcbench.metrics.metric import Metric
from adcbench.metrics.registry import METRICS, find_metric, variants_of

_NOT_HOW = ("name", "facts", "moves_by")  # fields that say nothing about how a value is computed
_JOINED = ("notes", "libraries")  # fields in which two variants may both differ


def head_of(metric: Metric) -> Metric:
    """The metric that a variant is one of; itself if it is none.

    >>> head_of(METRICS["psnr:Y_RANGE"]).name
    'psnr'
    """
    return METRICS.get(metric.name.partition(":")[0], metric)


def variant_of(metric: Metric) -> str:
    """What comes after the colon; empty for a head.

    >>> variant_of(METRICS["psnr:Y_RANGE"])
    'Y_RANGE'
    """
    return metric.name.partition(":")[2]


def relatives(metric: Metric) -> list[Metric]:
    """All other registered ways to compute a metric: its head and the variants of that, then metrics of the same code.

    >>> [one.name for one in relatives(METRICS["ms-ssim:RGB_NOT_Y"])]
    ['ms-ssim']
    """
    head = head_of(metric)
    variants = map(find_metric, variants_of(head.name))
    made_by = head.function or head.load
    same_code = [one for one in METRICS.values() if (one.function or one.load) is made_by and not variant_of(one)]
    named = {one.name: one for one in (head, *variants, *same_code)}
    return [one for name, one in named.items() if name != metric.name]


def both(a: Metric, b: Metric) -> Metric | None:
    """A metric with what two variants of one head change, both at once; None where they change the same thing.

    Its name, ``head:A+B``, is not registered.

    >>> combined = both(METRICS["psnr:RGB_NOT_Y"], METRICS["psnr:BORDER_CROP"])
    >>> combined.name, combined.settings
    ('psnr:RGB_NOT_Y+BORDER_CROP', {'colour': 'rgb', 'crop': 4})
    >>> both(METRICS["psnr:RGB_NOT_Y"], METRICS["psnr:Y_RANGE"]) is None
    True
    """
    head = head_of(a)
    if head_of(b) is not head or not (variant_of(a) and variant_of(b)):
        return None
    changed: dict[str, Any] = {}
    for field in (field.name for field in fields(Metric) if field.name not in _NOT_HOW):
        plain, of_a, of_b = (getattr(one, field) for one in (head, a, b))
        if of_a == plain or of_b == plain:
            changed[field] = of_b if of_a == plain else of_a
        elif field in _JOINED:
            changed[field] = f"{of_a}; {of_b}" if field == "notes" else (*dict.fromkeys((*of_a, *of_b)),)
        elif isinstance(plain, Mapping) and not _differing(plain, of_a) & _differing(plain, of_b):
            changed[field] = {**plain, **{key: of_a[key] for key in _differing(plain, of_a) if key in of_a},
                              **{key: of_b[key] for key in _differing(plain, of_b) if key in of_b}}  # fmt: skip
        else:
            return None
    return replace(head, **changed, name=f"{head.name}:{variant_of(a)}+{variant_of(b)}")


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> set[str]:
    return {key for key in {*a, *b} if a.get(key) != b.get(key) or (key in a) != (key in b)}


def difference(plain: Metric, other: Metric) -> str:
    """What is set otherwise, in the words of signatures; empty where nothing but names differs.

    >>> difference(METRICS["psnr"], METRICS["psnr:RGB_NOT_Y"])
    'colour=rgb'
    """
    changed = _differing(plain.settings, other.settings)
    settings = [f"{key}={value}" for key, value in other.settings.items() if key in changed]
    settings += [f"sr_jpeg_quality={other.as_jpeg}"] * (other.as_jpeg != plain.as_jpeg)
    tools = [tool.text for name, tool in other.tools.items() if tool.text and plain.tools.get(name) != tool]
    return " ".join([*settings, *tools])
