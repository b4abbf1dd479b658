"""AdcSR through torch.compile gives what it gives without (a minute of compiling, so only with --full)."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
from parity import equals

from adcbench.systems.adcsr import MINI, load


def test_compiled_equals_eager(full_size: None) -> None:
    if not shutil.which("g++"):
        pytest.skip("torch.compile needs g++ on CPU")
    lr = torch.rand((1, 3, 32, 48), generator=torch.Generator().manual_seed(0))
    eager, compiled = (load(replace(MINI, compiled=on), None, "cpu", "float32")(lr) for on in (False, True))
    assert equals(compiled, eager)
