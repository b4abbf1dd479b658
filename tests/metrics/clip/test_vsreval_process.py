"""DOVER and FasterVQA: what papers make of raw scores, and the process that gives them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from video_clips import write_clip

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.clip.dover import dover
from adcbench.metrics.clip.vsreval_process import asking, interpreter
from adcbench.metrics.engine.scoring import score

CLIP = np.random.default_rng(0).integers(0, 256, (3, 32, 40, 3), dtype=np.uint8)
# a stand-in for vsreval 0.1.0 with the parts of its interface that the runner uses
_FAKE = {
    "torch.py": "device = str",
    "vsreval/__init__.py": "",
    "vsreval/metrics/__init__.py": """
class Number(float):
    def mean(self): return self
class Net:
    def register_forward_hook(self, hook): self.hook = hook
class Quality:
    def __init__(self, name): self.name, self.net = name, Net()
    def __call__(self, data):
        frames = sorted(data.sample.pred.iterdir())
        print("libraries print what they like", len(frames))
        if len(frames) == 1: raise RuntimeError("too short for me")
        if len(frames) == 2: import os; os.kill(os.getpid(), 9)
        out = {"technical": Number(0.1), "aesthetic": Number(-0.05)} if self.name == "dover" else Number(0.2)
        self.net.hook(self.net, None, out)
        return len(frames)
def create(name, device):
    if device == "nowhere": raise RuntimeError("no such device")
    return Quality(name)
""",
    "vsreval/metrics/base.py": "class SampleData:\n    def __init__(self, sample, folder): self.sample = sample",
    "vsreval/video.py": "from dataclasses import dataclass\n@dataclass\nclass Sample:\n    name: str\n    pred: object",
    "vsreval-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vsreval\nVersion: 0.1.0\n",
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    for name, text in _FAKE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("ADCBENCH_VSREVAL_PYTHON", str(python))


def test_dover_is_the_published_fusion() -> None:
    t, a = (0.15 - 0.1107) / 0.07355, (-0.02 + 0.08285) / 0.03774
    overall = 1 / (1 + np.exp(-(0.6104 * t + 0.3896 * a)))
    assert dover(0.15, -0.02) == pytest.approx(overall, abs=1e-12)
    assert dover(0.15, -0.02, scale="overall 0-100") == pytest.approx(100 * overall, abs=1e-10)
    assert dover(0.15, -0.02, scale="technical 0-100") == pytest.approx(100 / (1 + np.exp(-t)), abs=1e-10)
    assert dover(0.15, -0.02, scale="aesthetic 0-100") == pytest.approx(100 / (1 + np.exp(-a)), abs=1e-10)


def test_dover_variants_differ_as_they_should() -> None:
    # until August 2023: a, t = (r[0] - 0.1107) / 0.07355, (r[1] + 0.08285) / 0.03774 with r = aesthetic, technical
    swapped = 0.6104 * (-0.02 - 0.1107) / 0.07355 + 0.3896 * (0.15 + 0.08285) / 0.03774
    assert dover(0.15, -0.02, swapped=True) == pytest.approx(1 / (1 + np.exp(-swapped)), abs=1e-12)
    generated = 0.6104 * (0.15 + 0.0758) / 0.0129 + 0.3896 * (-0.02 - 0.1253) / 0.0318
    assert dover(0.15, -0.02, constants="generated") == pytest.approx(1 / (1 + np.exp(-generated)), abs=1e-12)
    assert dover(-1e9, -1e9) == 0
    with pytest.raises(ValueError, match="nan"):
        dover(float("nan"), 0)


def test_every_variant_of_dover_has_a_signature_of_its_own() -> None:
    variants = [metric for name, metric in METRICS.items() if name.startswith("dover")]
    assert len({metric.signature for metric in variants}) == len(variants) >= 7
    assert all("DOVER.pth=f4a42c0bbc94c94d" in metric.signature for metric in variants)


@pytest.mark.usefixtures("fake")
def test_the_process_answers_clip_after_clip() -> None:
    with asking("dover") as ask:
        assert ask(CLIP) == ask(CLIP) == {"technical": 0.1, "aesthetic": -0.05, "vsreval": 3}
        with pytest.raises(ValueError, match="too short for me"):
            ask(CLIP[:1])
        with pytest.raises(ValueError, match="32x32"):
            ask(CLIP[:, :31])
        assert ask(CLIP)["vsreval"] == 3  # it goes on
        with pytest.raises(AdcbenchError, match="killed by signal 9"):
            ask(CLIP[:2])
    with asking("fastervqa") as ask:
        assert ask(CLIP)["raw"] == 0.2
    with pytest.raises(AdcbenchError, match="no such device"), asking("dover", "nowhere"):
        pass


@pytest.mark.usefixtures("fake")
def test_a_folder_of_clips_is_scored(tmp_path: Path) -> None:
    for name, count in (("a", 3), ("b", 1)):
        write_clip(tmp_path / "sr" / name, CLIP[:count])
    pairs = [(name, tmp_path / "sr" / name, None) for name in ("a", "b")]
    metrics = [replace(METRICS[name], files=()) for name in ("dover", "dover:PERCENT")]
    found = score(pairs, metrics, progress=False)
    assert dict(found.scores["dover"]) == {"a": pytest.approx(dover(0.1, -0.05))}
    assert dict(found.scores["dover:PERCENT"]) == {"a": pytest.approx(100 * dover(0.1, -0.05))}
    assert len(store.every("clip score")) == 1  # raw scores, for all variants
    assert found.problems == ("b: vsreval: RuntimeError: too short for me",)


def test_without_weights_or_environment_it_is_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(Blocked, match="adcbench weights fetch dover"):
        score([("a", tmp_path, None)], [METRICS["dover"]])
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "DOVER.pth").write_bytes(b"another network")
    with pytest.raises(AdcbenchError, match="not the file"):
        score([("a", tmp_path, None)], [METRICS["dover"]])
    monkeypatch.setenv("ADCBENCH_VSREVAL_PYTHON", sys.executable)  # has no vsreval
    monkeypatch.setenv("PATH", str(tmp_path))  # and no uv
    with pytest.raises(Blocked, match=r"uv run --isolated .*vsreval==0\.1\.0.*ADCBENCH_VSREVAL_PYTHON"):
        interpreter()
