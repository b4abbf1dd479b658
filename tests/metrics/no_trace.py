"""What a metric must leave as it is, and the internet it must do without."""

from __future__ import annotations

import random
import socket

import numpy as np
import pytest


def go_offline(patch: pytest.MonkeyPatch) -> None:
    """Any connection is a failure from here on."""

    def offline(*_: object) -> None:
        raise AssertionError("something was to be downloaded")

    patch.setattr(socket.socket, "connect", offline)


def process_state() -> list[object]:
    """Random generators and cuDNN's flags of this process."""
    import torch

    cudnn = torch.backends.cudnn
    return [
        random.getstate(),
        np.random.get_state()[1].tobytes(),  # noqa: NPY002
        torch.get_rng_state().tolist(),
        (cudnn.benchmark, cudnn.deterministic, cudnn.enabled),
    ]
