"""NIQE (Mittal et al. 2013) as the papers ran it (pyiqa ``niqe`` on a GPU), without pyiqa.

A score compares the statistics of 96x96 blocks with those of pristine photographs. Float32 steps in pyiqa decide
how a Y of k + 0.5 rounds and in which direction flat areas deviate from their mean, so they are repeated here
operation by operation: NIQE moves by up to 0.02 between a CPU and a GPU otherwise.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_regular, check_unpacked, identity
from adcbench.core.weight_files import WeightFile
from adcbench.metrics.image.colour import crop_border
from adcbench.metrics.image.strips import strips
from adcbench.metrics.metric import Facts, Metric

_FILE = "niqe_pris_params.npz"
_PLACES = {"mmeval": "extra_data", "mmagic": "evaluation/metrics", "basicsr": "metrics"}
_RAW = "https://raw.githubusercontent.com"
FILES = (
    WeightFile(
        _FILE,
        url=f"{_RAW}/XPixelGroup/BasicSR/v1.4.2/basicsr/metrics/{_FILE}",
        mirrors=(f"{_RAW}/open-mmlab/mmagic/v1.2.0/mmagic/evaluation/metrics/{_FILE}",),
        sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
        size=11850,
        licence="Apache-2.0 (BasicSR, mmagic, mmeval); fitted by LIVE, University of Texas at Austin",
    ),
)

_BLOCK = 96
_FEATURES = 36
_MARGIN = 16  # rows beyond its own that a block's statistics see at most: 3 of the half size, made of 8 rows each
_LUMA = {"y-full": (0.299, 0.587, 0.114), "y-studio": (65.481, 128.553, 24.966)}
# 7x7 Gaussian, sigma 7/6, rounded to float32: it sums to 1 + 1.1e-8, and that is the sign of every flat area
_AXIS = np.arange(-3, 4)
_GAUSS = np.exp(-(_AXIS[:, None] ** 2 + _AXIS**2) / (2 * (7 / 6) ** 2))
_WINDOW = (_GAUSS / _GAUSS.sum()).astype(np.float32).astype(np.float64)
# MATLAB's bicubic kernel (a = -0.5) stretched for a half-size image; sums of eighths, exact in float32
_TAPS = np.array([-3, -9, 29, 111, 111, 29, -9, -3], np.float32) / np.float32(256)
# shapes of the generalised Gaussian in 0.2 .. 10 as torch.arange gives them: float32, eight lanes at a time
_STEP = np.arange(9801)
_LANE = _STEP % 8
_SHAPES = ((0.2 + 0.001 * (_STEP - _LANE)).astype(np.float32) + np.float32(0.001) * _LANE.astype(np.float32)).astype(
    float
)


def locate(name: str) -> Path | None:
    """The parameters inside an installed mmeval, mmagic or BasicSR, which all have the same file."""
    for package, folder in _PLACES.items():
        spec = importlib.util.find_spec(package)  # imports nothing
        for root in (spec.submodule_search_locations or ()) if spec else ():
            if (path := Path(root) / folder / name).is_file():
                return path
    return None


def niqe(
    sr: np.ndarray,
    *,
    weights: Mapping[str, Path] | None,
    colour: Literal["y-full", "y-studio"] = "y-full",
    crop: int = 0,
    arithmetic: Literal["cuda", "cpu"] = "cuda",
    parameters: Literal["float32", "float64"] = "float32",
) -> float:
    """Natural image quality evaluator: 0 is as pristine photographs, lower is better; mostly 2 to 20.

    The defaults are OSEDiff's run (pyiqa 0.1.10 on a GPU) and equal its authors' log to the last digit printed.

    Args:
        sr: (h, w, 3) uint8 RGB, at least 96x96 after the crop; rows and columns beyond whole blocks are not seen.
        weights: path of the file in ``FILES``; None for a mean of 1 and unit covariance, for tests and timing.
        colour: ``y-full`` is pyiqa's default (``yiq``), ``y-studio`` Y of BT.601 in 16..235 (``ycbcr``).
        crop: border left out on each side, in pixels.
        arithmetic: the order of float32 operations of torch on a GPU or on a CPU.
        parameters: precision of the pristine mean and covariance; pyiqa has float64 since 0.1.13.

    Raises:
        ValueError: an image smaller than a block, or without a block that has texture.
        AdcbenchError: the file is not the parameters of NIQE.

    Source: pyiqa/archs/niqe_arch.py, func_util.py, matlab_utils/resize.py.
    """
    mean, covariance = _pristine(weights[_FILE]) if weights is not None else (np.ones(_FEATURES), np.eye(_FEATURES))
    if parameters == "float32":
        mean, covariance = (values.astype(np.float32).astype(np.float64) for values in (mean, covariance))
    sr = crop_border(sr, crop)  # pyiqa rounds Y before it crops; the order makes no difference
    height, width = (size // _BLOCK * _BLOCK for size in sr.shape[:2])
    if not height or not width:
        raise ValueError(f"NIQE needs images of at least 96x96 pixels, not {sr.shape[1]}x{sr.shape[0]}")
    whole_blocks = sr[:height, :width]
    parts = [_both_scales(whole_blocks, rows, colour, arithmetic) for rows in strips(height, width, _BLOCK)]
    statistics = np.concatenate(parts)
    whole = statistics[~np.isnan(statistics).any(axis=1)]
    if not len(whole):
        raise ValueError("NIQE needs a block of 96x96 pixels with texture: this image is flat")
    spread = np.cov(whole, rowvar=False, ddof=min(1, len(whole) - 1))
    inverse = np.linalg.pinv((covariance + spread) / 2, rcond=_FEATURES * np.finfo(float).eps)
    # as in pyiqa: a flat block counts in the mean of the features that it has, not in the covariance
    distance = mean - np.nanmean(statistics, axis=0)
    return float(np.sqrt(distance @ inverse @ distance))


def _pristine(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean (36,) and covariance (36, 36) of the features of pristine photographs."""
    return _read(path, identity(check_regular(path)))


@lru_cache(maxsize=4)
def _read(path: Path, _identity: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    remedy = "Delete it, then run: adcbench weights fetch niqe"
    try:
        check_unpacked(path)
        with np.load(path, allow_pickle=False) as file:
            mean, covariance = file["mu_pris_param"].ravel(), file["cov_pris_param"]
    except Exception as error:  # a damaged archive can fail anywhere inside the reader
        raise AdcbenchError(
            f"{path}: not the parameters of NIQE ({type(error).__name__}: {error}). {remedy}"
        ) from error
    if mean.shape != (_FEATURES,) or covariance.shape != (_FEATURES, _FEATURES):
        raise AdcbenchError(f"{path}: not the parameters of NIQE: shapes {mean.shape}, {covariance.shape}. {remedy}")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise AdcbenchError(f"{path}: NaN or infinite values in the parameters of NIQE. {remedy}")
    return mean, covariance


def _luma(image: np.ndarray, colour: str, arithmetic: str) -> np.ndarray:
    """Y in whole levels, (h, w) float64, rounded from the float32 values that torch gets.

    A GPU divides by 255 by multiplying with its reciprocal, and adds each product without rounding it first.
    """
    on_gpu = arithmetic == "cuda"
    full, levels = np.float32(255), np.arange(256, dtype=np.float32)
    scaled = levels * (1 / full) if on_gpu else levels / full
    first, *others = (
        np.float32(weight) * (scaled.astype(np.float64) if on_gpu else scaled) for weight in _LUMA[colour]
    )
    luma = first.astype(np.float32)[image[..., 0]]
    for channel, products in enumerate(others, 1):
        luma = (luma + products[image[..., channel]]).astype(np.float32)
    if colour == "y-studio":
        luma = (luma + np.float32(16)) * (1 / full) if on_gpu else (luma + np.float32(16)) / full
    rounded: np.ndarray = np.rint(luma * full).astype(np.float64)
    return rounded


def _half(luma: np.ndarray, arithmetic: str) -> np.ndarray:
    """(h, w) -> (h / 2, w / 2): MATLAB's bicubic imresize with antialiasing, in float32 as in pyiqa."""
    values = (luma / 255).astype(np.float32)
    for _ in range(2):
        padded = np.pad(values, ((3, 3), (0, 0)), mode="symmetric")
        terms = [padded[i : i + len(values) - 1 : 2] * tap for i, tap in enumerate(_TAPS)]
        if arithmetic == "cuda":  # four partial sums; torch's kernel has one more tap of 0 on each side
            terms = [terms[3] + terms[7], terms[0] + terms[4], terms[1] + terms[5], terms[2] + terms[6]]
        values = sum(terms[1:], start=terms[0]).T
    return values.astype(np.float64) * 255


def _both_scales(image: np.ndarray, rows: slice, colour: str, arithmetic: str) -> np.ndarray:
    """36 features of each block in some rows of blocks: (blocks, 36)."""
    above, below = min(_MARGIN, rows.start), min(_MARGIN, len(image) - rows.stop)
    luma = _luma(image[rows.start - above : rows.stop + below], colour, arithmetic)
    half = _half(luma, arithmetic)
    scales = _features(luma, _BLOCK, above, below), _features(half, _BLOCK // 2, above // 2, below // 2)
    return np.concatenate(scales, axis=1)


def _features(luma: np.ndarray, size: int, above: int, below: int) -> np.ndarray:
    """18 features of each block of size x size: (blocks, 18), NaN where a block has no such statistics.

    The first ``above`` and the last ``below`` rows are not in a block, but seen by those beside them.
    """
    from scipy import ndimage  # here, as in ssim.py

    mean = ndimage.correlate(luma, _WINDOW, mode="nearest")
    variance = np.abs(ndimage.correlate(luma * luma, _WINDOW, mode="nearest") - mean * mean)
    normalised = (luma - mean) / (np.sqrt(variance + np.finfo(float).eps) + 1)
    normalised = normalised[above : len(luma) - below]
    rows, columns = (length // size for length in normalised.shape)
    blocks = normalised.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size)
    shape, left, right = _asymmetric_gaussian(blocks)
    features = [shape, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = _asymmetric_gaussian(blocks * np.roll(blocks, shift, axis=(1, 2)))
        mean = (right - left) * np.exp(_log_gamma(2 / shape) - _log_gamma(1 / shape))
        features += [shape, mean, left, right]
    return np.stack(features, axis=1)


def _asymmetric_gaussian(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape and scales left and right of 0 of the values of each block: (n, size, size) -> three (n,)."""
    values = blocks.reshape(len(blocks), -1)
    below, above = np.minimum(values, 0), np.maximum(values, 0)
    squares_below, squares_above = (np.einsum("ij,ij->i", side, side) for side in (below, above))
    with np.errstate(invalid="ignore", divide="ignore"):  # a flat block has one side only: NaN
        left = np.sqrt(squares_below / np.count_nonzero(below, axis=1))
        right = np.sqrt(squares_above / np.count_nonzero(above, axis=1))
        skew = left / right
        ratio = (above.sum(1) - below.sum(1)) ** 2 / (squares_below + squares_above) / values.shape[1]
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    ratios = _ratios()
    after = np.searchsorted(ratios, ratio).clip(1, len(ratios) - 1)
    nearest = after - (ratio - ratios[after - 1] <= ratios[after] - ratio)
    shape = _SHAPES[np.where(np.isnan(ratio), 0, nearest)]  # torch's argmin of NaN is the first entry
    scale = np.sqrt(np.exp(_log_gamma(1 / shape) - _log_gamma(3 / shape)))
    return shape, left * scale, right * scale


@lru_cache
def _ratios() -> np.ndarray:
    """(mean of abs(x)) ** 2 / mean of x ** 2 for each of the shapes, by which a block's shape is found."""
    ratios: np.ndarray = np.exp(2 * _log_gamma(2 / _SHAPES) - _log_gamma(1 / _SHAPES) - _log_gamma(3 / _SHAPES))
    return ratios


def _log_gamma(values: np.ndarray) -> np.ndarray:
    from scipy import special  # here, as in ssim.py

    logs: np.ndarray = special.gammaln(values)
    return logs


_SETTINGS = {"colour": "y-full", "crop": 0, "arithmetic": "cuda", "parameters": "float32"}
_FACTS = Facts(low=0, noise=True, side=_BLOCK)
# it follows single grey levels: one thread against two moves an image's by up to 6.5e-4 (PSNR, SSIM: below 1e-4)
_niqe = partial(
    Metric, function=niqe, files=FILES, locate=locate, takes="image", higher_is_better=False, notes="resize=no",
    libraries=("numpy", "scipy"), facts=_FACTS, moves_by=1e-3,
)  # fmt: skip
METRICS = (
    _niqe("niqe", _SETTINGS),
    _niqe("niqe:CPU_ARITHMETIC", _SETTINGS | {"arithmetic": "cpu"}),
    _niqe("niqe:FLOAT64_PARAMETERS", _SETTINGS | {"parameters": "float64"}),
    _niqe("niqe:STUDIO_Y", _SETTINGS | {"colour": "y-studio"}),
    _niqe("niqe:BORDER_CROP", _SETTINGS | {"crop": 4}, facts=replace(_FACTS, side=_BLOCK + 8)),
)
