"""NIQE equals the authors' log on each released output, and pyiqa's code on other images."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics.image.niqe import FILES, locate, niqe

NAME = FILES[0].name
NEEDS_FILE = pytest.mark.skipif(locate(NAME) is None, reason="no mmeval, mmagic or BasicSR installed")


def _weights() -> dict[str, Path]:
    path = locate(NAME)
    assert path
    return {NAME: path}


def _textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Coarse and fine noise; no Y at k + 0.5, where processors round differently."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 200, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)[:height, :width]
    image = (coarse + draw.integers(0, 55, (height, width, 3))).astype(np.uint8)
    image[..., 2] ^= image @ np.array([299, 587, 114]) % 1000 == 500
    return image


@pytest.mark.golden
@NEEDS_FILE
def test_every_image_equals_the_authors_log(drealsr_dir: Path) -> None:
    logged = dict(read_log(drealsr_dir / LOG)["NIQE"])
    found = {n: niqe(read_png(drealsr_dir / "OSEDiff" / f"{n}.png"), weights=_weights()) for n in logged}
    assert len(logged) == 93
    worst = max(logged, key=lambda name: abs(logged[name] - found[name]))
    assert abs(logged[worst] - found[worst]) <= 6e-7, worst  # the log has six digits


@pytest.mark.golden
@NEEDS_FILE
@pytest.mark.parametrize(
    ("photograph", "system", "printed", "expected"),
    [
        ("chip", "BSRGAN", "5.07", 5.0749),
        ("chip", "ESRGAN", "5.85", 5.8575),
        ("chip", "RealSR_JPEG", "6.95", 6.9579),
        ("oldphoto2", "BSRGAN", "5.83", 5.8314),
        ("oldphoto2", "ESRGAN", "7.10", 7.1080),
        ("oldphoto2", "RealSR_JPEG", "4.45", 4.4552),
    ],
)
def test_studio_luma_is_what_bsrgan_printed(
    photograph: str, system: str, printed: str, expected: float, realsrset_dir: Path
) -> None:
    image = read_png(realsrset_dir / system / f"{photograph}_{system}.png")
    score = niqe(image, weights=_weights(), colour="y-studio")
    assert score == pytest.approx(expected, abs=6e-5)
    assert f"{score:.4f}"[: len(printed)] == printed  # cut off: rounding would print four of the six otherwise
    assert 0.02 < abs(niqe(image, weights=_weights()) - float(printed)) < 0.21


@pytest.mark.golden
@NEEDS_FILE
def test_processor_and_version_move_it(drealsr_dir: Path) -> None:
    image = read_png(drealsr_dir / "OSEDiff" / "sony_54_x1.png")
    score = niqe(image, weights=_weights())
    assert niqe(image, weights=_weights(), arithmetic="cpu") - score == pytest.approx(0.01777, abs=1e-5)
    assert 1e-6 < abs(niqe(image, weights=_weights(), parameters="float64") - score) < 1e-5


@NEEDS_FILE
@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (_textured(96, 96), "y-full"),
        (_textured(223, 317), "y-full"),
        (_textured(288, 192), "y-studio"),
        (_textured(200, 200)[..., :1].repeat(3, axis=2), "y-full"),
        (np.hstack([_textured(192, 192), np.full((192, 96, 3), 255, np.uint8)]), "y-full"),
    ],
    ids=["one block", "odd", "studio", "grey", "flat blocks"],
)
def test_equals_pyiqa(image: np.ndarray, colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # pyiqa makes its cache folder when imported
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch
    from pyiqa.archs.niqe_arch import NIQE
    from scipy.io import savemat

    parameters = np.load(_weights()[NAME])
    names = {"mu_prisparam": "mu_pris_param", "cov_prisparam": "cov_pris_param"}
    savemat(tmp_path / "theirs.mat", {theirs: parameters[ours] for theirs, ours in names.items()})
    space = {"y-full": "yiq", "y-studio": "ycbcr"}[colour]
    reference = NIQE(pretrained_model_path=str(tmp_path / "theirs.mat"), color_space=space)
    theirs = float(reference(torch.from_numpy(image).permute(2, 0, 1)[None] / 255))
    ours = niqe(image, weights=_weights(), colour=colour, arithmetic="cpu", parameters="float64")  # type: ignore[arg-type]
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_only_whole_blocks_are_seen() -> None:
    image = _textured(220, 200)
    assert niqe(image, weights=None) == niqe(image[:192, :192], weights=None)
    assert niqe(image, weights=None, crop=4) == niqe(image[4:196, 4:196], weights=None)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_flat_image_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match="flat"):
        niqe(np.full((192, 192, 3), level, np.uint8), weights=None)


@pytest.mark.parametrize("shape", [(95, 300, 3), (1, 1, 3)])
def test_small_image_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="96x96"):
        niqe(np.zeros(shape, np.uint8), weights=None)


def test_foreign_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    good = {"mu_pris_param": np.ones((1, 36)), "cov_pris_param": np.eye(36)}
    bad = [
        {"mu": np.ones(36)},
        good | {"mu_pris_param": np.ones((1, 18))},
        good | {"cov_pris_param": np.full((36, 36), np.nan)},
        good | {"cov_pris_param": np.array([{}], dtype=object)},
    ]
    for content in bad:
        np.savez(path, **content)
        with pytest.raises(AdcbenchError, match="adcbench weights fetch niqe"):
            niqe(_textured(96, 96), weights={NAME: path})
        path.unlink()
    for cut in (b"", b"PK\x03\x04 and then nothing"):
        path.write_bytes(cut)
        with pytest.raises(AdcbenchError, match="not the parameters of NIQE"):
            niqe(_textured(96, 96), weights={NAME: path})


def test_a_file_swapped_under_its_size_and_time_is_read_again(tmp_path: Path) -> None:
    path, other, image = tmp_path / NAME, tmp_path / "other.npz", _textured(96, 96)
    np.savez(path, mu_pris_param=np.ones((1, 36)), cov_pris_param=np.eye(36))
    np.savez(other, mu_pris_param=np.full((1, 36), 2.0), cov_pris_param=np.eye(36))
    before, first = path.stat(), niqe(image, weights={NAME: path})
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert niqe(image, weights={NAME: path}) != first


def test_parameters_are_found_without_importing_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def spec(name: str) -> SimpleNamespace | None:
        return SimpleNamespace(submodule_search_locations=[str(tmp_path)]) if name == "mmagic" else None

    monkeypatch.setattr("importlib.util.find_spec", spec)
    assert locate(NAME) is None
    inside = tmp_path / "evaluation" / "metrics" / NAME
    inside.parent.mkdir(parents=True)
    inside.touch()
    assert locate(NAME) == inside
