"""A whole test set through a system: what tables, ``evaluate`` and ``spread`` start from."""

from __future__ import annotations

from adcbench.core.errors import AdcbenchError
from adcbench.core.rounding import Rounding
from adcbench.data.media import Sample, pair
from adcbench.data.media.images import read_png
from adcbench.data.testsets.registry import open_testset
from adcbench.inference.upscale import upscale_images
from adcbench.systems.system import System


def upscale_testset(
    system: System,
    test_set: str,
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
        test_set: see ``data.testsets.registry.find_testset``.
        seed, rounding: see ``inference.upscale.upscale_images``.
        limit: only so many images, spread evenly over the set; 0: all.

    Returns:
        Name, output PNG in the cache, and HR file of each image.

    Raises:
        Blocked: a weight file, the test set or the GPU is missing. Weights are looked for first: they are the larger
            errand, and a reason must not depend on the data at hand.
        AdcbenchError: a negative limit, an unknown test set, or what ``upscale_images`` raises.
    """
    if limit < 0:
        raise AdcbenchError(f"--limit {limit}: it must be a number of images, or 0 for all")
    system.find_weights()
    paths = open_testset(test_set)
    pairs = pair(paths["LR"], paths["HR"])
    if limit:
        pairs = pairs[:: max(1, len(pairs) // limit)][:limit]
    images = {name: read_png(lr) for name, lr, _ in pairs}
    made = upscale_images(system, images, device=device, dtype=dtype, seed=seed, rounding=rounding, progress=progress)
    outputs = {output.name: output.path for output in made}
    return [Sample(name, outputs[name], hr) for name, _, hr in pairs]
