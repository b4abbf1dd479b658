"""Metrics: a file each in ``image/``, ``set/`` and ``clip/``; ``METRICS`` are all of them by name.

A file lists its metrics, with their variants, as ``METRICS``: nothing else has to know of it. A wrong setting that is
found in the wild, or another version of an algorithm, is a named variant (``psnr:RGB_NOT_Y``): the causes in
``results/causes.py`` measure their effect with these. A metric of your own comes by an entry point of the group
``adcbench.metrics``, or by the name ``package.module:metric``.
"""

from __future__ import annotations

from adcbench.metrics.registry import METRICS, find_metric, find_metrics

__all__ = ["METRICS", "find_metric", "find_metrics"]
