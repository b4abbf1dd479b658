"""Crops: a function of seed and sample number alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.data.training.crops import Crop, Crops, centre_crop
from adcbench.data.training.decode import Undecodable
from adcbench.data.training.sources import open_images


class Ramps:
    """Images that tell where a crop is from: red is the row, green the column, blue the number."""

    def __init__(self, sizes: list[tuple[int, int]], broken: frozenset[int] = frozenset()) -> None:
        self.sizes, self.broken = sizes, broken

    def __len__(self) -> int:
        return len(self.sizes)

    def name(self, index: int) -> str:
        return f"ramp {index}"

    def read(self, index: int) -> np.ndarray:
        if index in self.broken:
            raise Undecodable(self.name(index))
        rows, columns = np.indices(self.sizes[index])
        return np.stack([rows, columns, np.full_like(rows, index)], axis=2).astype(np.uint8)


def same(one: Crop, other: Crop) -> bool:
    return torch.equal(one.pixels, other.pixels) and one[1:] == other[1:]


@given(seed=st.integers(0, 2**62), sample=st.integers(0, 2**40))
def test_a_sample_is_the_crop_it_says(seed: int, sample: int) -> None:
    images = Ramps([(40, 60), (50, 30), (24, 24)])
    crop = Crops(images, 24, seed)[sample]
    whole = images.read(crop.image)[:, :: -1 if crop.flipped else 1]
    inside = whole[crop.top : crop.top + 24, crop.left : crop.left + 24]
    assert np.array_equal(crop.pixels.permute(1, 2, 0), inside)
    assert same(crop, Crops(images, 24, seed)[sample])


def test_known_draws() -> None:
    """The numbers of today: a run that resumes with another version must find the same crops."""
    crops = Crops(Ramps([(40, 60), (50, 30), (24, 24)]), 24, seed=0)
    assert [tuple(crops[n][1:]) for n in range(3)] == KNOWN_DRAWS


KNOWN_DRAWS = [(1, 26, 2, False), (2, 0, 0, True), (0, 11, 27, False)]  # image, top, left, flipped


def test_images_places_and_mirroring_are_uniform() -> None:
    source = Crops(Ramps([(11, 13)] * 5), 8, seed=3)
    crops = [source[n] for n in range(4000)]
    for field, values in (("image", 5), ("top", 4), ("left", 6), ("flipped", 2)):
        counts = Counter(getattr(crop, field) for crop in crops)
        assert set(counts) == set(range(values)), field
        assert chisquare(list(counts.values())).pvalue > 1e-4, field


def test_without_flip_only_the_mirroring_differs() -> None:
    images = Ramps([(24, 24)])
    flipped = next(n for n in range(50) if Crops(images, 24, seed=0)[n].flipped)
    plain = Crops(images, 24, seed=0, flip=False)[flipped].pixels
    assert torch.equal(plain.flip(2), Crops(images, 24, seed=0)[flipped].pixels)


def test_best_of_several_places_takes_the_one_with_most_detail(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    grey = np.full((48, 48, 3), 128, np.uint8)
    grey[:16, :16] = noise
    write_png(tmp_path / "a.png", grey)
    images = open_images(tmp_path)

    def detail(best_of: int, sample: int) -> float:
        return float(Crops(images, 16, seed=0, best_of=best_of)[sample].pixels.float().std())

    one, six = ([detail(best_of, sample) for sample in range(60)] for best_of in (1, 6))
    assert 0 < sum(value > 0 for value in one) < 25  # a quarter of the places touch the noise,
    assert sum(value > 0 for value in six) > 40  # four fifths of the choices of six (of two: 41 %)
    assert all(more > 0 for less, more in zip(one, six, strict=True) if less > 0)
    assert Crops(images, 16, seed=0, best_of=6)[0].image == Crops(images, 16, seed=0)[0].image


@pytest.mark.parametrize("shape", [(5, 9), (40, 3), (7, 50), (1, 1)])
def test_small_images_are_reflected_without_repeating_the_edge(shape: tuple[int, int]) -> None:
    images = Ramps([shape])
    crop = Crops(images, 16, seed=1)[0]
    whole = images.read(0)[:, :: -1 if crop.flipped else 1]
    below, beside = (max(0, 16 - side) for side in shape)
    padded = np.pad(whole, ((0, below), (0, beside), (0, 0)), mode="reflect")
    assert np.array_equal(crop.pixels.permute(1, 2, 0), padded[crop.top : crop.top + 16, crop.left : crop.left + 16])


def test_broken_images_are_left_out_counted_and_named() -> None:
    images = Ramps([(24, 24)] * 40, broken=frozenset({3, 17}))
    crops = Crops(images, 16, seed=0)
    got = [crops[n] for n in range(400)]
    assert {crop.image for crop in got} == set(range(40)) - {3, 17}
    assert crops.broken() == ["ramp 3", "ramp 17"]
    assert crops.report().startswith("40 of 40 training images drawn, 2 left out")
    fresh = Crops(images, 16, seed=0)  # whether it is known to be broken changes nothing
    assert all(same(fresh[n], got[n]) for n in reversed(range(400)))
    images.broken = frozenset()
    assert all(same(crops[n], got[n]) for n in range(400))  # broken ones are not read again


def test_too_many_broken_images_are_an_error() -> None:
    crops = Crops(Ramps([(24, 24)] * 40, broken=frozenset(range(0, 40, 5))), 16, seed=0)
    with pytest.raises(AdcbenchError, match=r"more than 10% .*ramp"):
        for n in range(400):
            crops[n]
    with pytest.raises(AdcbenchError, match="10 images in a row"):
        Crops(Ramps([(24, 24)], broken=frozenset({0})), 16, seed=0)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        write_png(tmp_path / f"{number:02d}.png", Ramps([(40, 50)] * 12).read(number))
    (tmp_path / "05.png").write_bytes(b"broken")
    return tmp_path


def batches(folder: Path, workers: int) -> tuple[list[list[torch.Tensor]], Crops]:
    crops = Crops(open_images(folder), 16, seed=9)
    loader = DataLoader(crops, batch_size=6, sampler=range(100, 148), num_workers=workers)
    return [list(batch) for batch in loader], crops


def test_workers_change_nothing_and_report_what_they_left_out(folder: Path) -> None:
    alone, here = batches(folder, 0)
    shared, there = batches(folder, 2)
    assert len(alone) == len(shared) == 8
    assert all(torch.equal(a, b) for one, two in zip(alone, shared, strict=True) for a, b in zip(one, two, strict=True))
    assert here.broken() == there.broken() == [str(folder / "05.png")]
    assert here.report() == there.report()


def test_a_file_deleted_during_a_run_is_an_error(folder: Path) -> None:
    crops = Crops(open_images(folder), 16, seed=9)
    crops[0]
    for path in folder.glob("*.png"):
        path.unlink()
    with pytest.raises(AdcbenchError, match="was there"):
        crops[1]
    with pytest.raises(AdcbenchError, match=r"png: was there"):
        next(iter(DataLoader(crops, batch_size=2, num_workers=1)))


def test_the_centre_of_an_image_is_reflected_where_it_is_too_small() -> None:
    pixels = np.arange(5 * 8 * 3, dtype=np.uint8).reshape(5, 8, 3)
    assert np.array_equal(centre_crop(pixels, 4).permute(1, 2, 0).numpy(), pixels[0:4, 2:6])
    padded = centre_crop(pixels, 6).permute(1, 2, 0).numpy()
    assert np.array_equal(padded[:5], pixels[:, 1:7]) and np.array_equal(padded[5], pixels[3, 1:7])
