"""Numbers that move when a network's float output does, long before 8-bit scores notice."""

from __future__ import annotations

import numpy as np

from adcbench.systems.system import System

PROJECTIONS = 4


def fingerprint(system: System, lr: np.ndarray) -> tuple[float, ...]:
    """Projections of a system's output on fixed random directions, each about N(0, 1); computed on one thread.

    A wrong attention scale moves them by about 1e-3, although with untrained weights it moves PSNR by no more than
    1e-5 dB. Rounding moves them by 1e-5 to 1e-3: with the instruction set, and with the number of threads, which is
    therefore fixed.

    Args:
        system: run on CPU in float32 with deterministic weights.
        lr: (h, w, 3) uint8 RGB.
    """
    import torch

    x = torch.from_numpy(lr).permute(2, 0, 1)[None].float() / 255  # (1, 3, h, w)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            sr = system.load(None, "cpu", "float32")(x).double()  # (1, 3, 4h, 4w)
    finally:
        torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    directions = (torch.randn(sr.shape, generator=generator, dtype=torch.float64) for _ in range(PROJECTIONS))
    return tuple(float((sr * direction).sum() / sr.norm()) for direction in directions)
