"""Debian packages are read without dpkg, and damaged ones are named."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from debian_files import FILES, SIZES, deb

from adcbench.core.errors import AdcbenchError
from adcbench.data.training import debian
from adcbench.data.training.debian import read_package


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not here")
def test_packages_compressed_by_zstd_are_read_by_dpkg(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: walls\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: none\n"
    )
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for kind in ("xz", "zstd"):
        package = tmp_path / f"{kind}.deb"
        subprocess.run(["dpkg-deb", f"-Z{kind}", "--build", root, package], check=True, capture_output=True)
        assert read_package(package, SIZES) == FILES


def spoilt(package: bytes, at: int) -> bytes:
    return package[:at] + bytes(50) + package[at + 50 :]


@pytest.mark.parametrize(
    "content",
    [b"no package", b"!<arch>\n", deb(FILES)[:-80], spoilt(deb(FILES), -120)],
)
def test_damaged_packages_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(content)
    with pytest.raises(AdcbenchError, match=r"x\.deb: not a whole Debian package"):
        read_package(tmp_path / "x.deb", SIZES)


def ar(name: str, size: object, content: bytes = b"") -> bytes:
    """A package of one member that claims ``size``."""
    return b"!<arch>\n" + f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n".encode() + content


def sized(size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive whose only member claims ``size``, which may be negative."""
    member = tarfile.TarInfo("./usr/share/backgrounds/1.png")
    member.type = kind
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = (size % (1 << 96) | (0xFF if size < 0 else 0x80) << 88).to_bytes(12, "big")
    total = sum(head[:148]) + 8 * 32 + sum(head[156:])
    head[148:156] = b"%06o\0 " % total
    return bytes(head) + bytes(1024)


@pytest.mark.parametrize(
    "content",
    [
        ar("control.tar.gz", -60),  # leads back to itself for ever
        ar("control.tar.gz", 10**9),
        ar("data.tar", 10**9),
        ar("data.tar.xz", "many"),
        ar("data.tar", len(sized(-1024)), sized(-1024)),
        ar("data.tar", len(sized(1 << 40)), sized(1 << 40)),
        *(ar("data.tar", 1536, sized(size, kind)) for size in (-1024, 1 << 34) for kind in (b"L", b"x")),
    ],
)
def test_sizes_that_can_not_be_end_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(content)
    with pytest.raises(AdcbenchError, match=r"x\.deb: not a whole Debian package") as caught:
        read_package(tmp_path / "x.deb", SIZES)
    assert "\n" not in str(caught.value)


def test_contents_of_another_size_are_not_unpacked(tmp_path: Path) -> None:
    bomb = {path: bytes(50_000_000) for path in list(FILES)[:1]} | dict(list(FILES.items())[1:])
    (tmp_path / "x.deb").write_bytes(deb(bomb))
    assert read_package(tmp_path / "x.deb", SIZES) == dict(list(FILES.items())[1:])


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.deb")
    with pytest.raises(AdcbenchError, match=r"x\.deb: a pipe"):
        read_package(tmp_path / "x.deb", SIZES)


def test_a_member_of_negative_size_ends_the_reading(tmp_path: Path) -> None:
    """Its head leads back to itself: the walk over members would never end."""
    path = tmp_path / "x.deb"
    path.write_bytes(b"!<arch>\n" + b"control         0           0     0     100644  -60       `\n")
    with pytest.raises(AdcbenchError, match=r"x\.deb: not a whole Debian package \('control' claims -60 bytes"):
        read_package(path, {"a"})


def test_a_file_far_larger_than_a_photograph_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_LARGEST", 50)
    path = tmp_path / "x.deb"
    path.write_bytes(deb(FILES))
    with pytest.raises(AdcbenchError, match=r"x\.deb: not a whole Debian package \(it claims [\d,]+ bytes"):
        read_package(path, FILES)
