"""Warping a frame by an optical flow, and which pixels can be seen in both frames.

After Lai et al. (ECCV 2018), code ``phoenix104104/fast_blind_video_consistency``, ``utils.py`` and FlowNet2's
Resample2d; the occlusion rules are those of Sundaram et al. (ECCV 2010) and Ruder et al. (GCPR 2016).
"""

from __future__ import annotations

import numpy as np


def warp(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``image`` sampled at p + flow(p): bilinear between pixel centres, clamped to the border.

    Args:
        image: (h, w, c) float.
        flow: (h, w, 2) pixels, x then y.

    Returns:
        (h, w, c), of the image's type.

    Raises:
        ValueError: the flow is not finite.

    >>> row = np.array([[[0.0], [1.0], [2.0]]])
    >>> warp(row, np.full((1, 3, 2), [0.5, 0.0]))[0, :, 0].tolist()
    [0.5, 1.5, 2.0]
    """
    h, w, channels = image.shape
    if not np.isfinite(flow).all():
        raise ValueError("the optical flow is not finite everywhere")
    x = np.clip(np.arange(w) + flow[..., 0], 0, w - 1)
    y = np.clip(np.arange(h)[:, None] + flow[..., 1], 0, h - 1)
    left, top = x.astype(np.intp), y.astype(np.intp)
    right, bottom = np.minimum(left + 1, w - 1), np.minimum(top + 1, h - 1)
    a, b = ((x - left)[..., None].astype(image.dtype), (y - top)[..., None].astype(image.dtype))
    pixels = image.reshape(-1, channels)
    upper = pixels[top * w + left] * (1 - a) + pixels[top * w + right] * a
    lower = pixels[bottom * w + left] * (1 - a) + pixels[bottom * w + right] * a
    result: np.ndarray = upper * (1 - b) + lower * b
    return result


def inconsistent(forward: np.ndarray, backward_there: np.ndarray) -> np.ndarray:
    """Pixels whose way there and back does not end where it began: hidden in the next frame.

    |b + f|^2 > 0.01 (|b|^2 + |f|^2) + 0.5 with f the forward flow at p and b the backward flow at p + f(p).

    Args:
        forward: (h, w, 2) flow from frame t to t + 1.
        backward_there: (h, w, 2) flow from t + 1 to t, warped by ``forward``.

    Returns:
        (h, w) bool.
    """
    hidden: np.ndarray = (
        _squared(backward_there + forward) > 0.01 * (_squared(backward_there) + _squared(forward)) + 0.5
    )
    return hidden


def at_motion_boundary(forward: np.ndarray) -> np.ndarray:
    """Pixels where the flow jumps: |grad u|^2 + |grad v|^2 > 0.01 |f|^2 + 0.002, forward differences.

    Args:
        forward: (h, w, 2) flow.

    Returns:
        (h, w) bool.
    """
    gradient = np.zeros(forward.shape[:2], forward.dtype)
    gradient[:, :-1] += _squared(np.diff(forward, axis=1))
    gradient[:-1] += _squared(np.diff(forward, axis=0))
    jumps: np.ndarray = gradient > 0.01 * _squared(forward) + 0.002
    return jumps


def leaves_frame(forward: np.ndarray) -> np.ndarray:
    """Pixels whose target lies outside the centres of the border pixels: (h, w, 2) -> (h, w) bool.

    >>> leaves_frame(np.full((1, 3, 2), [1.0, 0.0])).tolist()
    [[False, False, True]]
    """
    h, w = forward.shape[:2]
    x, y = np.arange(w) + forward[..., 0], np.arange(h)[:, None] + forward[..., 1]
    outside: np.ndarray = (x < 0) | (x > w - 1) | (y < 0) | (y > h - 1)
    return outside


def _squared(vectors: np.ndarray) -> np.ndarray:
    """Squared lengths: (..., 2) -> (...)."""
    squared: np.ndarray = vectors[..., 0] ** 2 + vectors[..., 1] ** 2
    return squared
