"""Makes this folder's fixtures again: python tests/golden/adcsr/make.py PARITY_FOLDER MANIFEST_FOLDER.

The two folders hold outputs of the official AdcSR code (commit d0b2871) on deterministic weights, and the
names and shapes of the tensors in the official checkpoints. ``mini.npz`` comes from our own code: it guards
against drift, while ``parity.npz`` proves that the network is the official one.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
CASE = "adcsr_base_96x64"
CROPS = ("raw_center64", "raw_tl64", "adain_center64")
SAMPLED = 25  # one tensor hash in so many is kept


def parity(folder: Path) -> None:
    """Crops, statistics and a sample of tensor hashes of one case."""
    facts = json.loads((folder / "adcsr_parity.json").read_text())
    arrays = np.load(folder / f"{CASE}.npz")
    np.savez_compressed(HERE / "parity.npz", **{name: arrays[name] for name in CROPS})
    case, hashes = facts["cases"][CASE], facts["tensor_sha256_16"]["base"]
    kept = {name: facts[name] for name in ("upstream", "versions", "weights", "canonical_names", "inputs")}
    kept |= {name: case[name] for name in ("input", "raw", "adain", "taps")}
    kept["tensor_sha256_16"] = dict(list(hashes.items())[::SAMPLED])
    (HERE / "parity.json").write_text(json.dumps(kept, indent=1) + "\n")


def manifests(folder: Path) -> None:
    """Names and shapes of the two official files, and which names repeat which."""
    for name in ("net_params_200", "halfDecoder"):
        facts = json.loads((folder / f"adcsr_{name}.json").read_text())
        shapes = {key: tensor["shape"] for key, tensor in facts["tensors"].items()}
        text = json.dumps({"shapes": shapes, "alias_of": facts.get("alias_of", {})})
        (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def mini() -> None:
    """The mini network's output on one input, from this checkout: in float64, then stored in float32."""
    sys.path.insert(0, str(HERE.parents[1] / "systems"))
    from adcsr_files import mini_input, mini_network

    with torch.inference_mode():
        raw = mini_network().double()(mini_input().double())
    np.savez_compressed(HERE / "mini.npz", raw=raw.float().numpy())


if __name__ == "__main__":
    parity(Path(sys.argv[1]))
    manifests(Path(sys.argv[2]))
    mini()
