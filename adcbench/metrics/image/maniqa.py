"""MANIQA, Yang et al., CVPR Workshops 2022: the network of pyiqa trained on PIPAL. Higher is better, 0 to 1.

The network sees crops of 224x224. Which ones changed three times in pyiqa's history, and with it the scores
(pyiqa/archs/maniqa_arch.py, ``random_crop`` and ``uniform_crop`` of arch_util.py, models/inference_model.py):

===========================  =============  =====================================================================
sampling                     pyiqa          crops
===========================  =============  =====================================================================
(not here)                   before 0.1.9   random, never seeded: can't be repeated
``random, seeded once``      0.1.9, 0.1.10  random; NumPy's global generator is seeded with 123 when a metric is
                                            built and goes on from image to image: their order matters
``random, seeded per call``  0.1.11         random; the generator is seeded with 123 at each call
``grid``                     since 0.1.12   the first 20 of a 5x5 grid: the grid's last row is left out, at 512x512
                                            the lowest 72 rows of pixels (14.1 %)
===========================  =============  =====================================================================

The random boxes are those of ``np.random.RandomState(123).randint``, row before column, exactly. ``seeded once``
equals pyiqa in a script that builds its metrics first (each seeds the generator again) and then scores one image
after the other, such as OSEDiff's ``test_metrics.py``. Where something else draws from NumPy's global generator in
between (pyiqa's KID does), a score can't be repeated without that.

A score is one weighted mean over the patches of all crops, not a mean of the crops' scores.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest import mock

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.image.tensors import images_tensor
from adcbench.metrics.metric import Metric, Scorer
from adcbench.metrics.networks.pyiqa_nets import arch, build, pyiqa_file

if TYPE_CHECKING:
    from torch import Tensor

_CHECKPOINT = "MANIQA_PIPAL-ae6d356b.pth"
FILES = (pyiqa_file(_CHECKPOINT, 543_000_000),)
CROP = 224
_SEED = 123
_TAPPED = [6, 7, 8, 9]  # blocks of the vision transformer whose tokens are used
_TOKENS = (28, 28)  # of a crop, patches of 8x8
_CROPS_AT_ONCE = 20  # on a GPU; on a CPU single crops are as fast and need a fraction of the memory

Boxes: TypeAlias = list[tuple[int, int]]  # (top, left) of each crop


def grid_boxes(h: int, w: int, crops: int) -> Boxes:
    """The first ``crops`` corners, row by row, of the smallest square grid that has as many (pyiqa ``uniform_crop``).

    The step is (side - 224) // floor(sqrt(crops)), so that 20 crops are four rows of a 5x5 grid.
    """
    steps, side = math.isqrt(crops), math.isqrt(crops - 1) + 1
    down, right = (h - CROP) // steps, (w - CROP) // steps
    return [(i * down, j * right) for i in range(side) for j in range(side)][:crops]


def random_boxes(h: int, w: int, crops: int, generator: np.random.RandomState) -> Boxes:
    """``crops`` corners drawn from a generator, which moves on (pyiqa ``random_crop``)."""
    return [(int(generator.randint(0, h - CROP + 1)), int(generator.randint(0, w - CROP + 1))) for _ in range(crops)]


def sampler(sampling: str) -> Callable[[int, int, int], Boxes]:
    """The function ``(h, w, crops) -> boxes`` of a sampling by name, with a generator of its own where it is random.

    Sides are at least 224.

    Raises:
        AdcbenchError: unknown name; the message lists those there are.
    """
    if sampling == "grid":
        return grid_boxes
    if sampling == "random, seeded once":
        return partial(random_boxes, generator=np.random.RandomState(_SEED))
    if sampling == "random, seeded per call":
        return lambda h, w, crops: random_boxes(h, w, crops, np.random.RandomState(_SEED))
    raise AdcbenchError(
        f"unknown sampling {sampling!r} of MANIQA. There are: grid; random, seeded once; random, seeded per call"
    )


def load(weights: Mapping[str, Path] | None, device: str, *, sampling: str, crops: int) -> Scorer:
    """MANIQA as pyiqa's ``maniqa-pipal``, with the crops of one of its versions.

    Args:
        sampling: ``grid``, ``random, seeded once`` or ``random, seeded per call``.
        crops: 20 in every version.

    Returns:
        A scorer of (B, h, w, 3) uint8 RGB. Images are scored in turn, each with crops of its own, as if given one by
        one. An image with a side of 224 or less is enlarged first until that is 225 (bilinear), as pyiqa does.

    Raises:
        Blocked: pyiqa is not installed.
        AdcbenchError: unknown sampling, or a file that is damaged or of another network.
    """
    import torch
    from torch.nn.functional import interpolate

    boxes_of = sampler(sampling)
    net = build(_network, None if weights is None else weights[_CHECKPOINT], device, "maniqa-pipal")
    at_once = 1 if torch.device(device).type == "cpu" else _CROPS_AT_ONCE

    def score_one(image: Tensor) -> float:
        image = (image - 0.5) / 0.5
        small = min(image.shape[2:])
        if small <= CROP:
            image = interpolate(image, scale_factor=(CROP + 1) / small, mode="bilinear")
        counted = Counter(boxes_of(image.shape[2], image.shape[3], crops))  # the same crop twice counts twice
        boxes, counts = list(counted), list(counted.values())
        top = bottom = 0.0
        for start in range(0, len(boxes), at_once):
            part = slice(start, start + at_once)
            views = [image[0, :, y : y + CROP, x : x + CROP] for y, x in boxes[part]]
            times = torch.tensor(counts[part], device=device)
            weighted, weight = _patch_sums(net, torch.stack(views))
            top += (weighted * times).sum().item()
            bottom += (weight * times).sum().item()
        return top / (bottom + 1e-8)

    def score(sr: np.ndarray, hr: np.ndarray | None = None) -> np.ndarray:
        with torch.inference_mode():
            return np.array([score_one(images_tensor(image[None], device)) for image in sr])

    return score


def _network() -> Any:
    """pyiqa's network with untrained weights.

    Its constructor asks timm for pretrained ones, which its checkpoint then replaces: the name ``timm`` in its module
    stands for something else meanwhile. Its hooks, which keep the output of every block, are taken off.
    """
    module = arch("maniqa_arch", "MANIQA")
    import timm

    def untrained(name: str, pretrained: bool) -> Any:
        return timm.create_model(name, pretrained=False)

    with mock.patch.object(module, "timm", SimpleNamespace(create_model=untrained)):
        net = module.MANIQA(pretrained=False)
    for block in net.vit.blocks:
        block._forward_hooks.clear()
    return net


def _patch_sums(net: Any, crops: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3, 224, 224) in [-1, 1] -> over the patches of each crop, the sums of weight x score and of weight, (N,).

    As pyiqa's forward pass, but for the last two blocks of the vision transformer, whose output it never uses.
    """
    import torch

    taps = net.vit.forward_intermediates(
        crops, indices=_TAPPED, norm=False, stop_early=True, output_fmt="NLC", intermediates_only=True
    )
    x = torch.cat(taps, 2).transpose(1, 2)
    for attend, mix, transform in (
        (net.tablock1, net.conv1, net.swintransformer1),
        (net.tablock2, net.conv2, net.swintransformer2),
    ):
        for block in attend:
            x = block(x)
        x = transform(mix(x.reshape(*x.shape[:2], *_TOKENS))).flatten(2)
    x = x.transpose(1, 2)
    weights = net.fc_weight(x).double()
    return (net.fc_score(x) * weights).sum((1, 2)), weights.sum((1, 2))


_NOTES = f"crop_size={CROP} colour=rgb crop=0 resize=no"
_SEEDED = f"seed={_SEED} {_NOTES}"
_maniqa = partial(
    Metric, load=load, files=FILES, takes="image", batch=1, notes=_NOTES, libraries=("pyiqa", "timm", "torch"),
)  # fmt: skip
METRICS = (
    _maniqa("maniqa-pipal", {"sampling": "grid", "crops": 20}),
    _maniqa("maniqa-pipal:SEEDED_ONCE", {"sampling": "random, seeded once", "crops": 20}, ordered=True, notes=_SEEDED),
    _maniqa("maniqa-pipal:SEEDED_PER_CALL", {"sampling": "random, seeded per call", "crops": 20}, notes=_SEEDED),
)
AMBIGUOUS = {
    "maniqa": "maniqa stands for several checkpoints with different scores: the papers' is maniqa-pipal (pyiqa's bare "
    "name means KonIQ)"
}
