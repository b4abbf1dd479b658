"""Tar shards, against those that webdataset itself writes and reads."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.data.training.decode import Undecodable
from adcbench.data.training.shards import ShardImages, expand
from adcbench.data.training.sources import open_images

webdataset = pytest.importorskip("webdataset")


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (24, 16, 3), dtype=np.uint8)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Seven samples (png, json, a mask) in three shards, as webdataset's ShardWriter makes them."""
    with webdataset.ShardWriter(str(tmp_path / "train-%04d.tar"), maxcount=3, verbose=0) as writer:
        for number in range(7):
            sample = {"png": picture(number), "mask.png": picture(number)[..., 0], "json": {"number": number}}
            writer.write({"__key__": f"set/{number:04d}", **sample})
    return tmp_path


def test_any_image_at_any_time(shards: Path) -> None:
    images = open_images(shards)
    assert len(images) == 7
    assert images.name(4) == f"{shards}/train-0001.tar/set/0004.png"
    for number in (6, 0, 3, 6):
        assert np.array_equal(images.read(number), picture(number))


def test_the_same_images_as_webdataset_in_its_order(shards: Path) -> None:
    urls = str(shards / "train-{0000..0002}.tar")
    theirs = [sample["png"] for sample in webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8")]
    ours = open_images(urls)
    assert len(ours) == len(theirs)
    assert all(np.array_equal(ours.read(number), pixels) for number, pixels in enumerate(theirs))


def test_patterns() -> None:
    names = [path.name for path in expand("/x/{a,b}-{08..10}.tar")]
    assert names == ["a-08.tar", "a-09.tar", "a-10.tar", "b-08.tar", "b-09.tar", "b-10.tar"]
    with pytest.raises(AdcbenchError, match="write"):
        expand("/x/{a..c}.tar")
    with pytest.raises(AdcbenchError, match="matches no file"):
        expand("/x/*.tar")


def test_the_index_is_kept_until_the_shard_changes(shards: Path) -> None:
    one = shards / "train-0002.tar"
    ShardImages([one])
    (kept,) = (cache_dir() / "shards").iterdir()
    assert [Path(member[0]).name for member in json.loads(kept.read_text())] == ["0006.png"]
    kept.write_text("not json")
    assert len(ShardImages([one])) == 1  # made again
    one.write_bytes((shards / "train-0000.tar").read_bytes())
    assert len(ShardImages([one])) == 3
    one.write_bytes((shards / "train-0001.tar").read_bytes())  # of the same size, and later
    assert ShardImages([one]).name(0).endswith("0003.png")


def test_missing_and_compressed_shards_are_errors(shards: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"1 of 4 tar shards are missing: .*0003\.tar"):
        open_images(shards / "train-{0000..0003}.tar")
    packed = shards / "packed" / "x.tar"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress((shards / "train-0000.tar").read_bytes()))
    with pytest.raises(AdcbenchError, match="not a plain tar"):
        open_images(packed)


def test_a_shard_cut_off_or_deleted_meanwhile(shards: Path) -> None:
    images = open_images(shards)
    last = shards / "train-0002.tar"
    last.write_bytes(last.read_bytes()[:700])
    with pytest.raises(Undecodable, match=r"0006\.png"):
        images.read(6)
    last.unlink()
    with pytest.raises(AdcbenchError, match=r"train-0002\.tar: was there"):
        images.read(6)


def test_images_and_shards_in_one_folder_are_not_guessed(shards: Path) -> None:
    (shards / "a.png").write_bytes(b"")
    with pytest.raises(AdcbenchError, match="both"):
        open_images(shards)
    assert len(open_images(f"{shards}/*.tar")) == 7


@pytest.mark.parametrize("size", [(1 << 63) - 1, 5 << 30, 20_000])
def test_a_member_larger_than_its_shard_is_an_error(size: int, tmp_path: Path) -> None:
    """Up to 8 EiB by its head, in a file of 10 kB: nothing is read of it, nor memory taken for it."""
    info = tarfile.TarInfo("a.jpg")
    info.size = size
    (tmp_path / "x.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240 - 512))
    with pytest.raises(AdcbenchError, match=r"x\.tar: not a plain tar file, or not a whole one"):
        open_images(tmp_path / "x.tar")
