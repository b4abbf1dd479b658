"""Images as the networks of metrics take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def images_tensor(images: np.ndarray, device: str) -> torch.Tensor:
    """(B, h, w, 3) uint8 RGB -> (B, 3, h, w) float32 in [0, 1] on ``device``.

    Bytes go to the device and become floats there. Value / 255, as torchvision's ``to_tensor``.
    """
    import torch

    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return planes.to(device).to(torch.float32) / 255
