"""Fixtures hold on processors that compute otherwise than this one, and what comes near a limit is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import margins
import numpy as np
import parity
import pytest
import torch

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["default", "avx2"])
def test_a_fixture_holds_on_another_instruction_set(name: str) -> None:
    """The decoder's, which was within its limit with AVX-512 alone."""
    if f"{name}, 1 thread" not in margins.settings():
        pytest.skip(f"this processor has no {name}")
    test = "tests/systems/layers/test_vae.py::test_vae_equals_diffusers"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    ran = subprocess.run(command, env=os.environ | margins.CAPABILITIES[name], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    current = {"within": 0.0, "beyond": float("inf")}
    monkeypatch.setattr(margins, "_current", current)
    return current


def test_every_kind_of_comparison_is_noted(noted: dict[str, float]) -> None:
    margins.record(parity.off(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])))
    assert noted["within"] == 0
    assert margins._noted(torch.allclose, 1e-5, 1e-8)(torch.ones(2), torch.ones(2) + 1e-3, rtol=0, atol=2e-3)
    assert noted["within"] == pytest.approx(0.5, rel=1e-3)
    assert not margins._noted(np.allclose, 1e-5, 1e-8)(np.ones(2), np.ones(2) * 1.5, rtol=0, atol=0.1)
    assert noted["beyond"] == pytest.approx(5)
    margins._noted(torch.testing.assert_close, None, 0)(torch.ones(1), torch.ones(1) + 9e-6)
    assert noted["within"] == pytest.approx(9e-6 / (1e-5 + 1.3e-6), rel=0.05)


def test_what_does_not_move_with_the_processor_is_a_fact(tmp_path: Path) -> None:
    rows = {
        "rounds": [(0.1, 90.0), (0.5, 2.0)],
        "printed digit": [(0.8, 90.0), (0.8, 90.0)],
        "far": [(0.01, 900.0), (0.03, 800.0)],
    }
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for i, file in enumerate(files):
        lines = [
            {"test": name, "within": runs[i][0], "beyond": runs[i][1], "line": "x.py:1", "line_beyond": "x.py:2"}
            for name, runs in rows.items()
        ]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = margins.nearest(files)
    assert [(side, test) for _, side, _, test in found] == [
        ("within", "rounds"),
        ("beyond", "rounds"),
        ("within", "far"),
    ]
    assert not margins.report(files)
