"""``spectrum``: how far the power spectrum of SR is from that of HR, averaged over directions, in dB.

How much detail there is at each scale, wherever it lies: blur lowers the spectrum, noise and ringing raise it, and
both count. Upsampling networks give themselves away there (Durall et al., "Watch your Up-Convolution", CVPR 2020:
the azimuthal integral of the power spectrum). Under a Hann window, as Welch's periodogram (1967), since
the edges of an image would otherwise fill the high frequencies.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from adcbench.metrics.image.colour import Colour, compared_values
from adcbench.metrics.metric import Facts, Metric

RINGS = 32  # of equal width, from 0 (left out) to Nyquist (included)
_LEAST = 2 * RINGS  # pixels a side that put a frequency in every ring
_FLOOR = 1 / 12  # power of rounding to 8 bits: below it there is nothing to compare


def spectrum(sr: np.ndarray, hr: np.ndarray, *, colour: Colour = "y-full", rings: int = RINGS) -> float:
    """Mean absolute difference in dB between the radial power spectra of two images; 0 is best.

    It does not see where detail is: noise of the right spectrum scores well. Read it beside a feature distance.

    Args:
        sr, hr: (h, w, 3) uint8 RGB of equal size, 64 pixels a side or more.
        colour: what is compared; in 0..255 by default.
        rings: bands of frequency, as ``radial_spectrum``.

    Returns:
        at most about 70 dB.

    Raises:
        ValueError: an image too small to have a frequency in every ring.

    >>> ramp = np.arange(64, dtype=np.uint8)[:, None, None] * np.ones((1, 64, 3), np.uint8)
    >>> spectrum(ramp, ramp)
    0.0
    """
    of_sr, of_hr = (radial_spectrum(compared_values(image, colour), rings) for image in (sr, hr))
    return float(np.abs(of_sr - of_hr).mean())


def radial_spectrum(values: np.ndarray, rings: int = RINGS) -> np.ndarray:
    """Power spectrum averaged over each ring of frequencies: (h, w) -> (rings,) in dB.

    10 log10(mean |F|^2 / sum(window^2) + 1/12): white noise of variance v is flat at 10 log10(v + 1/12), whatever the
    size; 1/12 is the noise of rounding to whole levels. F is the transform of the values less their mean, times a
    Hann window. Ring k has the frequencies f with k / (2 rings) < f <= (k + 1) / (2 rings) cycles a pixel; those of
    the corners, beyond 0.5, are left out.

    Raises:
        ValueError: less than 2 ``rings`` pixels a side.
    """
    height, width = values.shape
    if min(height, width) < 2 * rings:
        raise ValueError(f"{height}x{width} pixels: a spectrum of {rings} rings needs {2 * rings}x{2 * rings} or more")
    window, ring, count = _plan(height, width, rings)
    total = window.sum()
    spectrum = np.fft.rfft2((values - (values * window).sum() / total) * window)
    power = spectrum.real**2 + spectrum.imag**2
    power[:, 1 : (width + 1) // 2] *= 2  # stand for the mirrored half too
    sums = np.bincount(ring.ravel(), power.ravel(), rings + 1)[:rings]
    result: np.ndarray = 10 * np.log10(sums / count / np.square(window).sum() + _FLOOR)
    return result


@lru_cache(maxsize=8)
def _plan(height: int, width: int, rings: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The window (h, w), the ring of each frequency of the half plane (``rings``: none), frequencies in each ring."""
    # Hann sampled between its points: symmetric, and no row of an image counts for nothing
    window = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in (height, width)))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    # rounding must not decide on which side of an edge a frequency lies
    ring = np.ceil(radius * 2 * rings - 1e-9).astype(int) - 1
    ring[(ring < 0) | (ring >= rings)] = rings
    both = np.full(ring.shape, 2)
    both[:, 0] = 1
    if width % 2 == 0:
        both[:, -1] = 1
    return window, ring, np.bincount(ring.ravel(), both.ravel(), rings + 1)[:rings]


METRICS = (
    Metric("spectrum", {"colour": "y-full", "rings": RINGS}, spectrum, unit="dB", higher_is_better=False,
           notes="crop=0 window=hann floor=1/12", facts=Facts(low=0, best=0, symmetric=True, noise=True, side=_LEAST)),
)  # fmt: skip
