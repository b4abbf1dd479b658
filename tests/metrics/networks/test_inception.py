"""InceptionV3 of FID equals pyiqa's and torch-fidelity's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from network_files import write_inception
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.networks.inception import NAME
from adcbench.metrics.set.fid import load

SETTINGS = {"features": "inception-v3 2048", "resize": "clean"}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """(2, 2, 120, 150, 3): SR and HR of two images, with structure."""
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 220, (2, 2, 15, 19, 3)).repeat(8, axis=2).repeat(8, axis=3)[:, :, :, :150]
    return (coarse + draw.integers(0, 36, coarse.shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file such as torch-fidelity's, of deterministic weights and all the classifier's names."""
    return {NAME: write_inception(tmp_path_factory.mktemp("inception") / NAME)}


def test_features_equal_pyiqas_of_the_same_folder(
    images: np.ndarray, weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # pyiqa makes its cache folder when imported
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch
    from pyiqa.archs import fid_arch
    from pyiqa.archs import inception as theirs

    tensors = torch.load(weights[NAME], weights_only=True)
    monkeypatch.setattr(theirs, "load_pretrained_network", lambda network, _: network.load_state_dict(tensors))
    for resize in ("clean", "legacy_pytorch", "legacy_tensorflow"):
        ours = load(weights, "cpu", **{**SETTINGS, "resize": resize})(*images)
        for i, stack in enumerate(images):
            for j, image in enumerate(stack):
                Image.fromarray(image).save(tmp_path / f"{j}.png")
            model = theirs.InceptionV3(output_blocks=[3]).eval()
            expected = fid_arch.get_folder_features(
                tmp_path, model, num_workers=0, device=torch.device("cpu"), mode=resize, verbose=False
            )
            assert np.abs(ours[:, i] - expected).max() <= 1e-5 * np.abs(expected).max(), resize


def test_network_equals_torch_fidelitys_extractor(weights: dict[str, Path]) -> None:
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    image = np.random.default_rng(0).integers(0, 256, (1, 299, 299, 3), dtype=np.uint8)
    theirs = FeatureExtractorInceptionV3("theirs", ["2048"], feature_extractor_weights_path=str(weights[NAME]))
    (expected,) = theirs(torch.from_numpy(image.transpose(0, 3, 1, 2)))
    ours = load(weights, "cpu", **SETTINGS)(image, image)
    assert np.abs(ours[:, 0] - expected.numpy()).max() <= 1e-5 * float(expected.max())


def test_foreign_and_damaged_files_are_refused(weights: dict[str, Path], tmp_path: Path) -> None:
    import torch

    tensors, path = torch.load(weights[NAME], weights_only=True), tmp_path / NAME
    first = next(iter(tensors))
    for change in ({first: torch.zeros(2)}, {first: tensors[first] * torch.nan}, {"more": torch.zeros(1)}):
        torch.save(tensors | change, path)
        with pytest.raises(AdcbenchError, match="adcbench weights fetch fid"):
            load({NAME: path}, "cpu", **SETTINGS)
    path.write_bytes(weights[NAME].read_bytes()[:1000])
    with pytest.raises(AdcbenchError, match="adcbench weights fetch fid"):
        load({NAME: path}, "cpu", **SETTINGS)
