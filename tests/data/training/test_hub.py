"""Datasets of the hub: from local files, and what is said of those that are not here."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.training.decode import Undecodable
from adcbench.data.training.hub import KNOWN
from adcbench.data.training.sources import open_images

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("datasets"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def png(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(number)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Five rows in two files: a number, an image (the last one broken), its bytes alone."""
    rows = [{"number": n, "image": {"bytes": png(n), "path": None}, "encoded": png(n)} for n in range(5)]
    rows[4]["image"] = {"bytes": b"no image", "path": None}
    features = datasets.Features(
        {"number": datasets.Value("int64"), "image": datasets.Image(), "encoded": datasets.Value("binary")}
    )
    folder = tmp_path / "parquet"
    folder.mkdir()
    for part, some in enumerate((rows[:3], rows[3:])):
        datasets.Dataset.from_list(some, features=features).to_parquet(folder / f"train-{part:05d}-of-00002.parquet")
    return folder


def test_parquet_by_row(parquet: Path) -> None:
    images = open_images(f"hub:{parquet}")
    assert len(images) == 5
    for row in (3, 0, 2):
        assert np.array_equal(images.read(row), picture(row))
    with pytest.raises(Undecodable, match="row 4: no known image format"):
        images.read(4)
    assert np.array_equal(open_images(f"hub:{parquet}:train:encoded").read(4), picture(4))


def test_an_image_folder(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    images = open_images(f"hub:{tmp_path}")
    assert np.array_equal(images.read(2), picture(2))


@pytest.mark.parametrize(
    ("rest", "said"), [(":val", "val"), (":train:nothing", "it has number, image"), (":train:number", "of images")]
)
def test_no_such_split_or_column(parquet: Path, rest: str, said: str) -> None:
    with pytest.raises(AdcbenchError, match=said):
        open_images(f"hub:{parquet}{rest}")


def test_what_is_not_here_names_its_command() -> None:
    for name in ("LSDIR", "nobody/nothing"):
        with pytest.raises(Blocked) as caught:
            open_images(f"hub:{name}")
        assert caught.value.command.startswith("hf download --repo-type dataset")


@pytest.mark.parametrize("name", [name for name, known in KNOWN.items() if not known.hub])
def test_sets_that_are_lists_of_addresses_say_how_to_get_them(name: str) -> None:
    with pytest.raises(Blocked, match=name) as caught:
        open_images(f"hub:{name}")
    assert caught.value.command == KNOWN[name].remedy
