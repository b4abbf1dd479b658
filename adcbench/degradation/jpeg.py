"""JPEG as AdcSR's training knows it (upstream bsr/utils/diffjpeg.py): colour, DCT, rounding, and back, without a file.

It differs from a JPEG file's codec: 34 to 36 dB apart. The quality is a real number, so are the tables; the luma table
is transposed; decoded values are not rounded to 8 bits; sides are filled up to multiples of 16 with black.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Annex K of ITU-T T.81; upstream transposes the luma table, so a column here is a vertical frequency
LUMA = (
    (16, 12, 14, 14, 18, 24, 49, 72),
    (11, 12, 13, 17, 22, 35, 64, 92),
    (10, 14, 16, 22, 37, 55, 78, 95),
    (16, 19, 24, 29, 56, 64, 87, 98),
    (24, 26, 40, 51, 68, 81, 103, 112),
    (40, 58, 57, 87, 109, 104, 121, 100),
    (51, 60, 69, 80, 103, 113, 120, 103),
    (61, 55, 56, 62, 77, 92, 101, 99),
)
CHROMA = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))  # 99 at all higher frequencies
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def jpeg(image: Tensor, quality: float) -> Tensor:
    """What is left of an image (3, h, w), RGB in [0, 1], after JPEG with halved chroma; same size and range.

    Args:
        quality: above 0 and below 100 (at 100 every step of the tables would be 0).

    Raises:
        ValueError: a quality outside.
    """
    if not 0 < quality < 100:
        raise ValueError(f"JPEG quality {quality} is not between 0 and 100")
    height, width = image.shape[1:]
    padded = F.pad(image, (0, -width % 16, 0, -height % 16))
    parts = _constants(str(image.device))
    step = (50 / quality if quality < 50 else 2 - quality / 50) * parts["tables"]
    # Luma is centred at 0, as chroma is: the codec's two shifts of 128 cancel there
    planes = torch.addmm(parts["shift"], parts["to_ycc"], padded.reshape(3, -1)).view(padded.shape)
    _code(planes[:1], 8, parts["dct"], parts["dct"].T, step[0])
    _code(planes[1:], 16, parts["half_dct"], parts["double_idct"], step[1])
    decoded = torch.addmm(parts["back_shift"], parts["to_rgb"], planes.view(3, -1))
    return decoded.view(padded.shape)[:, :height, :width].clamp(0, 1)


def _code(planes: Tensor, side: int, forward: Tensor, inverse: Tensor, step: Tensor) -> None:
    """Blocks of side x side pixels to 64 coefficients, those to whole steps, and back, in place."""
    count, height, width = planes.shape
    blocks = planes.view(count, height // side, side, width // side, side).transpose(2, 3)
    coefficients = blocks.reshape(-1, side * side) @ forward.T
    decoded = coefficients.div_(step).round_().mul_(step) @ inverse.T
    blocks.copy_(decoded.view(blocks.shape))


@cache
def _constants(device: str) -> dict[str, Tensor]:
    """Matrices on 0..255 pixels as columns. Chroma is averaged over 2x2 pixels first and repeated at last."""
    k = np.arange(8)
    line = np.cos((2 * k + 1) * k[:, None] * np.pi / 16) / 2
    line[0] /= np.sqrt(2)
    dct = np.kron(line, line)  # orthonormal: its inverse is its transpose
    halve = np.kron(np.eye(8), [[0.5, 0.5]])
    halve = np.kron(halve, halve)
    chroma = np.full((8, 8), 99)
    chroma[:4, :4] = CHROMA
    arrays = {
        "dct": dct,
        "half_dct": dct @ halve,
        "double_idct": 4 * halve.T @ dct.T,
        "tables": np.stack([np.ravel(LUMA), chroma.ravel()]),
        "to_ycc": 255 * np.array(TO_YCC),
        "shift": np.array([[-128], [0], [0]]),
        "to_rgb": np.array(TO_RGB) / 255,
        "back_shift": np.full((3, 1), 128 / 255),
    }
    return {name: torch.from_numpy(np.float32(value)).to(device) for name, value in arrays.items()}
