"""FID (Heusel et al. 2017) as the papers ran it: pyiqa ``fid`` of two folders, in its default mode ``clean``.

With fewer images than features (100 against 2048) it is biased upwards by an amount that depends on the number of
images and on the systems compared: N, an interval and an extrapolation stand beside each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.metric import Facts, Metric, Scorer, SetScore
from adcbench.metrics.networks.inception import FILES, NAME, inception, resized

_RESIZES = ("clean", "legacy_pytorch", "legacy_tensorflow")
_FEATURES = "inception-v3 2048"
_SEED = 0
_WORK = 3e10  # about N^3 a resample: 1000 resamples up to 300 images, 20 for 3000
_SIZES, _SUBSETS = 15, 10  # sizes of subsets for the extrapolation, subsets of each size


def load(weights: Mapping[str, Path] | None, device: str, *, features: str, resize: str) -> Scorer:
    """Features for FID: the scorer gives (B, 2, 2048) float32, those of SR and of HR.

    Args:
        weights: path of the file in ``FILES``; None for deterministic weights.
        device: where the network runs.
        features: which network and layer; only ``inception-v3 2048``.
        resize: how images get 299x299 pixels, see ``inception.resized``.

    Raises:
        AdcbenchError: the file is damaged or of another network, or a setting is unknown.

    Source: pyiqa/archs/fid_arch.py; 0.1.10, 0.1.13 and 0.1.16 differ in batch size and workers only.
    """
    import torch

    if resize not in _RESIZES or features != _FEATURES:
        raise AdcbenchError(
            f"FID has no features {features!r}, resize {resize!r}: {_FEATURES!r}, {', '.join(_RESIZES)}"
        )
    network = inception(weights[NAME] if weights is not None else None, device)

    @torch.inference_mode()
    def score(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        sides = [network(resized(images, resize).to(device)).flatten(1) for images in (sr, hr)]
        both: np.ndarray = torch.stack(sides, dim=1).cpu().numpy()
        return both

    return score


def fid_of_features(features: np.ndarray) -> SetScore:
    """FID between N images and their references.

    The interval is for FID at this N: the value +- 1.96 standard deviations over bootstrap resamples of the pairs.
    A resample repeats images and so has a higher FID itself: ``bootstrap_mean`` minus the value estimates the
    value's own bias. ``extrapolated`` is FID for infinitely many images (Chong and Forsyth 2020): a straight line in
    1/n through subsets of N/2 to N images, at 0. It is rough where N is below the number of features, and missing
    below 4 images.

    Args:
        features: (N, 2, d), of SR and HR.

    Raises:
        ValueError: fewer than two images, or values that are not finite.
    """
    n = len(features)
    if n < 2:
        raise ValueError(f"FID needs two images or more, not {n}: one has no covariance")
    if not np.isfinite(features).all():
        raise ValueError("FID: the network gave features that are not finite")
    sr, hr = _in_their_span(np.asarray(features, dtype=np.float64))
    draw = np.random.default_rng(_SEED)
    value = frechet_distance(sr, hr)
    resampled = []
    for _ in range(int(np.clip(_WORK / n**3, 20, 1000))):
        chosen, times = np.unique(draw.integers(n, size=n), return_counts=True)
        resampled.append(frechet_distance(sr[chosen], hr[chosen], times))
    margin = 1.96 * float(np.std(resampled))
    details = {"bootstrap_mean": float(np.mean(resampled)), "resamples": float(len(resampled))}
    if n >= 4:
        details["extrapolated"] = _extrapolated(sr, hr, value, draw)
    return SetScore(value, n, (value - margin, value + margin), details)


def frechet_distance(x: np.ndarray, y: np.ndarray, times: np.ndarray | None = None) -> float:
    """Frechet distance of the Gaussians fitted to two sets of features, with the unbiased covariance.

    |m_x - m_y|^2 + tr(C_x) + tr(C_y) - 2 tr sqrt(C_x C_y). The square roots of the eigenvalues of C_x C_y are the
    singular values of F_x F_y^T for any factors C = F^T F, such as the centred features: an N x N matrix where N is
    less than d, and no square root of a singular matrix.

    Args:
        x, y: (N, d) and (M, d) float64.
        times: (N,) how often each row of both counts; None for once.

    >>> x = np.array([[0.0, 0.0], [2.0, 2.0]])
    >>> round(frechet_distance(x, x + 3), 9)  # the squared distance of their means
    18.0
    """
    from scipy import linalg  # here, as in ssim.py

    means, factors = [], []
    for rows in (x, y):
        counts = np.ones(len(rows)) if times is None else times.astype(np.float64)
        mean = counts @ rows / counts.sum()
        factor = (rows - mean) * np.sqrt(counts / max(counts.sum() - 1, 1))[:, None]
        means.append(mean)
        factors.append(factor if len(factor) <= factor.shape[1] else np.asarray(np.linalg.qr(factor, mode="r")))
    fx, fy = factors
    overlap = linalg.svdvals(fx @ fy.T).sum()
    shift = means[0] - means[1]
    return float(max(0.0, shift @ shift + np.sum(fx * fx) + np.sum(fy * fy) - 2 * overlap))


def _in_their_span(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SR and HR features, (N, k) each, rotated into the at most 2N dimensions that they span: distances are kept."""
    n, _, d = features.shape
    both = features.transpose(1, 0, 2).reshape(2 * n, d)
    both = both - both.mean(axis=0)
    if 2 * n < d:
        both = np.asarray(np.linalg.qr(both.T, mode="r")).T
    return both[:n], both[n:]


def _extrapolated(sr: np.ndarray, hr: np.ndarray, value: float, draw: np.random.Generator) -> float:
    n = len(sr)
    sizes, means = [n], [value]
    per_size = int(np.clip(_WORK / n**3 / _SIZES, 1, _SUBSETS))
    for size in np.unique(np.linspace(max(2, n // 2), n, _SIZES).astype(int))[:-1]:
        subsets = [draw.permutation(n)[:size] for _ in range(per_size)]
        sizes.append(int(size))
        means.append(float(np.mean([frechet_distance(sr[s], hr[s]) for s in subsets])))
    return float(np.polyfit(1 / np.array(sizes), means, 1)[1])


_SETTINGS = {"features": _FEATURES, "resize": "clean"}
_fid = partial(
    Metric, load=load, files=FILES, takes="set", over_set=fid_of_features, higher_is_better=False,
    notes="colour=rgb crop=0", libraries=("torch-fidelity", "torch", "pillow"),
    facts=Facts(low=0, best=0, symmetric=True),
)  # fmt: skip
METRICS = (
    _fid("fid", _SETTINGS),
    _fid("fid:PYTORCH_RESIZE", _SETTINGS | {"resize": "legacy_pytorch"}),
    _fid("fid:TENSORFLOW_RESIZE", _SETTINGS | {"resize": "legacy_tensorflow"}),
)
