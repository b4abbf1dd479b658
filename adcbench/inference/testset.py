"""A whole test set through a system: what tables, ``evaluate`` and ``spread`` start from."""

from __future__ import annotations

from adcbench.core.rounding import Rounding
from adcbench.data.media import Sample
from adcbench.data.media.images import read_png
from adcbench.data.testsets.test_set import OpenTestSet
from adcbench.inference.upscale import upscale_images
from adcbench.systems.system import System


def upscale_testset(
    system: System,
    opened: OpenTestSet,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seed: int = 0,
    rounding: Rounding | None = None,
    limit: int = 0,
    progress: bool = True,
) -> list[Sample]:
    """Upscale a test set's LR images; outputs that are in the cache are not made again.

    Args:
        opened: see ``data.testsets.registry.open_testset``.
        seed, rounding: see ``inference.upscale.upscale_images``.
        limit: only so many images, spread evenly over the set; 0: all.

    Returns:
        Name, output PNG in the cache, and HR file of each image.

    Raises:
        Blocked: a weight file or the GPU is missing.
        AdcbenchError: a negative limit, or what ``upscale_images`` raises.
    """
    pairs = opened.inputs(limit)
    images = {name: read_png(lr) for name, lr, _ in pairs}
    made = upscale_images(system, images, device=device, dtype=dtype, seed=seed, rounding=rounding, progress=progress)
    outputs = {output.name: output.path for output in made}
    return [Sample(name, outputs[name], hr) for name, _, hr in pairs]
