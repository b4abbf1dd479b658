"""Fingerprints of networks."""

from __future__ import annotations

import pytest
import torch

from adcbench.data.test_sets.embedded import embedded_pairs
from adcbench.inference.fingerprint import fingerprint
from adcbench.systems import find_system


def test_a_fingerprint_is_that_of_one_thread() -> None:
    system, lr = find_system("osediff-mini"), embedded_pairs()["chelsea"][0]
    alone = fingerprint(system, lr)
    torch.set_num_threads(2)
    assert fingerprint(system, lr) == pytest.approx(alone, rel=1e-12)
    assert torch.get_num_threads() == 2
