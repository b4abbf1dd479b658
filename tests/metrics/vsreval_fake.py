"""A stand-in for vsreval, and a clip for it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

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


def write_fake(folder: Path) -> Path:
    """An interpreter that has the stand-in and nothing else."""
    site = folder / "site"
    for name, text in _FAKE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    return python
