"""Data files and checkpoints that were damaged: read, or refused by one line that names them.

A seeded sample of each kind of damage; ADCBENCH_FUZZ=full takes many more (`nox -s fuzz`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import attack
from ncnn_files import write_ncnn
from safetensors.torch import save_file

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import SUMS, WeightFile, check_file, read_sums
from adcbench.data.test_sets import authors_log
from adcbench.data.test_sets.embedded import EMBEDDED_MANIFEST, Photograph
from adcbench.data.test_sets.manifest import read_manifest, read_rows
from adcbench.data.training import photographs
from adcbench.data.training.debian import read_package
from adcbench.data.weight_downloads import SOURCES, fetch_file, read_sources
from adcbench.metrics.image import niqe
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.checkpoints.ncnn import read_convolutions
from adcbench.systems.layers import tagger, tokenizer

HASHES = ["0123456789abcdef" * 4, "f" * 64, "0" * 64]
IMAGE_LINE = (
    "24-10-23 17:36:07.123 - INFO: drealsr/{name}.png | "
    + "; ".join(f"{metric}: 27.{{i}}12345" for metric in authors_log.LOG_METRICS)
    + " | Runtime: 1.13 sec"
)


def log() -> bytes:
    head = "24-10-23 17:36:07.100 - INFO: Directory [x]: 3 GT images vs 3 SR images."
    means = "; ".join(f"{metric}: 27.112345" for metric in authors_log.LOG_METRICS)
    last = f"{means} | FID: 12.345678 | FID Runtime: 3.10 sec"
    return "\n".join([head, *(IMAGE_LINE.format(name=f"a_{i}", i=i) for i in range(3)), last, ""]).encode()


def manifest() -> bytes:
    lines = [f"LR/{i}.png,{100 * i},{sha256}" for i, sha256 in enumerate(HASHES)]
    return "\n".join(["path,size,sha256", *lines, ""]).encode()


def sums() -> bytes:
    return "".join(f"{sha256}  {name}\n" for sha256, name in zip(HASHES, ("a.pth", "b.bin", "c"), strict=True)).encode()


def sources() -> bytes:
    return json.dumps({name: {"url": "https://x.org", "sha256": HASHES[0]} for name in ("a.pth", "b")}).encode()


def checkpoint(folder: Path, *, new: bool) -> bytes:
    content = {"state_dict": {"a": torch.ones(3, 4), "b": torch.zeros(2).half()}, "epoch": 3, "name": "x"}
    torch.save(content, folder / "made", _use_new_zipfile_serialization=new)
    return (folder / "made").read_bytes()


def safe(folder: Path) -> bytes:
    save_file({"a": torch.ones(3, 4), "b": torch.zeros(2).half()}, folder / "made")
    return (folder / "made").read_bytes()


def ncnn(folder: Path, part: int) -> bytes:
    return write_ncnn(folder, [(np.ones((2, 3, 3, 3), np.float16), np.zeros(2))])[part].read_bytes()


def pristine(folder: Path) -> bytes:
    values = np.random.default_rng(0).normal(size=(36, 37))
    np.savez_compressed(folder / "made.npz", mu_pris_param=values[:, :1].T, cov_pris_param=values[:, 1:])
    return (folder / "made.npz").read_bytes()


def deb(folder: Path) -> bytes:
    sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
    from debian_files import FILES
    from debian_files import deb as package

    return package(FILES)


def read_sums_and_use_them(path: Path) -> None:
    read_sums(path.parent)
    file = WeightFile("a.pth", "")
    (path.parent / "a.pth").write_bytes(b"weights")
    check_file(file, path.parent / "a.pth")


def read_sources_and_add(path: Path) -> None:
    read_sources(path.parent)
    (path.parent / SUMS).unlink(missing_ok=True)
    (path.parent / "c.pth").write_bytes(b"weights")
    fetch_file(WeightFile("c.pth", ""), path.parent / "c.pth")
    assert set(read_sources(path.parent)) >= {"c.pth"}


def read_both(path: Path) -> None:
    whole = write_ncnn(path.parent, [(np.ones((2, 3, 3, 3), np.float16), np.zeros(2))])
    read_convolutions(*((path, whole[1]) if path.suffix == ".param" else (whole[0], path)))


@dataclass(frozen=True)
class Kind:
    """A file's name, how a whole one is made in a folder, and how it is read."""

    name: str
    make: Callable[[Path], bytes]
    read: Callable[[Path], object]


KINDS = (
    Kind(SUMS, lambda folder: sums(), read_sums_and_use_them),
    Kind(SOURCES, lambda folder: sources(), read_sources_and_add),
    Kind("manifest.csv", lambda folder: manifest(), read_manifest),
    Kind(
        "photographs.csv",
        lambda folder: photographs._MANIFEST.read_bytes()[:2000].rpartition(b"\n")[0],
        photographs.read_photos,
    ),
    Kind(
        "embedded.csv", lambda folder: EMBEDDED_MANIFEST.read_bytes(), lambda path: read_rows(path, Photograph._fields)
    ),
    Kind("authors.log", lambda folder: log(), authors_log.read_log),
    Kind("zip.pth", lambda folder: checkpoint(folder, new=True), converted),
    Kind("legacy.pth", lambda folder: checkpoint(folder, new=False), converted),
    Kind("x.safetensors", safe, library_tensors),
    Kind("damaged.param", lambda folder: ncnn(folder, 0), read_both),
    Kind("damaged.bin", lambda folder: ncnn(folder, 1), read_both),
    Kind("niqe.npz", pristine, lambda path: niqe._read.__wrapped__(path, 0)),
    Kind("vocab.json", lambda folder: b'{"<|startoftext|>": 49406, "a": 1}', tokenizer._vocabulary),
    Kind("merges.txt", lambda folder: b"#version: 0.2\na b\n", lambda path: tokenizer._merges(path, {"ab": 0})),
    Kind("threshold.txt", lambda folder: b"0.5\n0.25\n1\n", lambda path: tagger._numbers(path, 3)),
    Kind("walls.deb", deb, lambda path: read_package(path, {"usr/share/backgrounds/1.png": 70})),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damage_is_one_line_that_names_the_file(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "damaged" / kind.name
    path.parent.mkdir()
    path.write_bytes(kind.make(tmp_path))
    refused = attack(path, lambda: kind.read(path), lambda text: kind.name in text, 5, 200)
    assert refused or kind.name == SOURCES  # which is for people only
    path.unlink()
    os.mkfifo(path)
    if kind.name in (SUMS, SOURCES):  # as if there were none
        path.unlink()
        return
    with pytest.raises(AdcbenchError, match=kind.name.replace(".", r"\.")):
        kind.read(path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_whole_one_is_read(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "whole" / kind.name
    path.parent.mkdir()
    path.write_bytes(kind.make(tmp_path))
    if kind.name in ("vocab.json", "merges.txt"):  # CLIP's own are large, and not here
        return
    kind.read(path)
