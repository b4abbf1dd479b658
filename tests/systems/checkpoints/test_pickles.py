"""Tiny checkpoints that claim gigabytes: one line each, and no memory."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.pickles import read_checkpoint
from adcbench.systems.checkpoints.weights import state_dict

GIGABYTES = 5_000_000_000
MAGIC = pickle.dumps(torch.serialization.MAGIC_NUMBER, protocol=2)


def archive(path: Path, data: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """A checkpoint as torch writes it, with this pickle."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in (("data.pkl", data), ("version", b"3\n"), ("byteorder", b"little")):
            file.writestr(f"archive/{name}", content)


def repeated(path: Path) -> None:
    torch.save({"a.weight": torch.ones(1).expand(20_000, GIGABYTES // 80_000)}, path)


def views(path: Path) -> None:
    """Overlapping, each a little further on: the same numbers at another place."""
    row = torch.ones(4_000_000)
    torch.save({f"{i}": row[i : i + 3_900_000] for i in range(40)}, path)


def nested(path: Path) -> None:
    torch.save({"unet": {"deep": [torch.ones(1, 1).expand(60_000, 60_000)]}}, path)


def legacy(path: Path) -> None:
    torch.save({"a": torch.ones(1).expand(GIGABYTES)}, path, _use_new_zipfile_serialization=False)


def memo(path: Path) -> None:
    """LONG_BINPUT at a far place: the unpickler's table grows to it."""
    archive(path, b"\x80\x02cfoo\nBar\n0]r\x00\x00\x00\x10.")


def memo_legacy(path: Path) -> None:
    path.write_bytes(MAGIC + b"\x80\x02]r\x00\x00\x00\x10.")


def memo_raw(path: Path) -> None:
    path.write_bytes(b"\x80\x02cfoo\nBar\n0]r\x00\x00\x00\x10.")


def long_bytes(path: Path) -> None:
    archive(path, b"\x80\x05\x96" + struct.pack("<Q", GIGABYTES) + b".")


def called(path: Path) -> None:
    """bytearray(5e9), which torch's own weights-only unpickler calls."""
    archive(path, b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + GIGABYTES.to_bytes(5, "little") + b"\x85R.")


def tar(path: Path) -> None:
    """The format before the one before: torch unpacks its members to the disk."""
    with tarfile.open(path, "w") as file:
        file.add(__file__, "storages")


def torchscript(path: Path) -> None:
    module = nn.Module()
    module.register_buffer("a", torch.ones(1).expand(GIGABYTES // 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is leaving TorchScript
        torch.jit.script(module).save(str(path))  # type: ignore[no-untyped-call]


def header(path: Path) -> None:
    """safetensors whose head claims a tensor that is not there."""
    head = json.dumps({"a": {"dtype": "F32", "shape": [GIGABYTES // 4], "data_offsets": [0, GIGABYTES]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)


def header_length(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", GIGABYTES) + b"{}")


def array(path: Path) -> None:
    """An .npy head that claims gigabytes, inside an archive."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (36, 17361111), }".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("mu_pris_param", "cov_pris_param"):
            file.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)


def zeros(path: Path) -> None:
    """Zeros packed to a thousandth."""
    np.savez_compressed(path, mu_pris_param=np.zeros((36, 300_000)))


PICKLES = (repeated, nested, legacy, memo, memo_legacy, memo_raw, long_bytes, called, tar)
OTHERS = {"torchscript.pt": torchscript, "a.safetensors": header, "b.safetensors": header_length, "c.npz": array,
          "d.npz": zeros}  # fmt: skip
_READ = """
import resource, sys
from pathlib import Path
from adcbench.core.errors import AdcbenchError
from adcbench.metrics.image import niqe
from adcbench.metrics.image.clipiqa import read_clip
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.checkpoints.weights import state_dict
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
readers = {".pt": (read_clip,), ".safetensors": (library_tensors,), ".npz": (lambda path: niqe._read(path, 0),)}
for path in map(Path, sys.argv[1:]):
    for read in readers.get(path.suffix, (state_dict, converted)):
        try:
            read(path)
            print(f"{path}: read")
        except AdcbenchError as error:
            print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_none_takes_memory_and_each_is_one_line(tmp_path: Path) -> None:
    bombs = {f"{one.__name__}.pth": one for one in PICKLES} | OTHERS
    expected = []
    for name, make in bombs.items():
        make(tmp_path / name)
        assert (tmp_path / name).stat().st_size < 100_000
        expected += [tmp_path / name] * (2 if name.endswith(".pth") else 1)
    paths = map(str, dict.fromkeys(expected))
    ran = subprocess.run([sys.executable, "-c", _READ, *paths], capture_output=True, text=True, check=True)
    *lines, megabytes = ran.stdout.splitlines()
    for line, path in zip(lines, expected, strict=True):
        assert line.startswith(f"{path}: ") and not line.endswith(": read"), line
    assert int(megabytes) < 200
    assert not (cache_dir() / "safetensors").exists()


def test_views_may_share_numbers_but_not_without_end(tmp_path: Path) -> None:
    """A fused projection and its parts twice: fine. Forty views of nearly all of it: 624 MB."""
    fused = torch.arange(3000.0)
    torch.save({"qkv": fused, "q": fused[:1000], "again": fused[:2999]}, tmp_path / "fine.pth")
    assert converted(tmp_path / "fine.pth").keys() == {"qkv", "q", "again"}
    views(tmp_path / "views.pth")
    with pytest.raises(AdcbenchError, match=r"views\.pth: its tensors claim 624,000,000 bytes, the file has 16,"):
        state_dict(tmp_path / "views.pth")


def test_a_small_repeated_tensor_is_no_bomb(tmp_path: Path) -> None:
    torch.save({"positions": torch.arange(77)[None].expand(4, -1)}, tmp_path / "x.pth")
    assert state_dict(tmp_path / "x.pth")["positions"].shape == (4, 77)


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adcbench.core.files.UNPACKED_MORE", 1000)
    archive(tmp_path / "x.pth", b"\x80\x02" + b"N0" * 20_000 + b"}.", zipfile.ZIP_DEFLATED)
    with pytest.raises(AdcbenchError, match=r"x\.pth: not a readable torch checkpoint .* bytes that unpack to 40,0"):
        state_dict(tmp_path / "x.pth")


def test_a_pickle_can_not_change_what_builds_the_next_one_s_tensors(tmp_path: Path) -> None:
    """BUILD sets attributes of anything that a pickle can name."""
    named = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x06\x00\x00\x00markedK\x01sb0}."
    archive(tmp_path / "x.pth", named)
    assert read_checkpoint(tmp_path / "x.pth") == {}
    assert not hasattr(torch._utils._rebuild_tensor_v2, "marked")


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_is_one_line_or_harmless(seed: int, tmp_path: Path) -> None:
    """Bytes flipped, cut out and doubled in both formats."""
    random = np.random.default_rng(seed)
    path = tmp_path / "x.pth"
    content = {"state_dict": {"a": torch.ones(3, 4), "b": torch.zeros(2).half()}, "epoch": 3, "name": "x"}
    torch.save(content, path, _use_new_zipfile_serialization=bool(seed % 2))
    data = bytearray(path.read_bytes())
    for _ in range(random.integers(1, 4)):
        at = int(random.integers(len(data)))
        if random.random() < 0.7:
            data[at] = int(random.integers(256))
        else:
            data[at : at + int(random.integers(1, 60))] = data[:at][-int(random.integers(1, 60)) :] * (seed % 3)
    path.write_bytes(data)
    try:
        converted(path)
    except AdcbenchError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)
