"""The photographs of the mini scale: fetched from Debian packages made here; and the real manifest."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import data_dir
from adcbench.data.training import debian, photographs
from adcbench.data.training.debian import read_package
from adcbench.data.training.photographs import Photo, attributions, fetch_photographs, photographs_dir, photos
from adcbench.data.training.sources import open_images

Pack = Callable[[bytes], bytes]
PACKINGS: dict[str, Pack] = {".xz": lzma.compress, ".gz": gzip.compress, "": bytes}


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


FILES = {f"usr/share/backgrounds/{shade}.png": png(shade) for shade in (1, 2, 3)}
SIZES = {path: len(data) for path, data in FILES.items()}
PHOTOS = tuple(
    Photo(f"{n}.png", "walls", "1-1", path, len(data), hashlib.sha256(data).hexdigest(), 8, 6, "CC0-1.0", "A. Nobody")
    for n, (path, data) in enumerate(FILES.items())
)


def deb(files: dict[str, bytes], suffix: str = ".xz") -> bytes:
    """A Debian package: an ar archive of debian-binary, control.tar and data.tar."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    control = gzip.compress(empty.getvalue())
    members = {"debian-binary": b"2.0\n", "control.tar.gz": control + b"x" * (1 - len(control) % 2)}  # odd, so padded
    members[f"data.tar{suffix}"] = PACKINGS[suffix](data.getvalue())
    whole = b"!<arch>\n"
    for name, content in members.items():
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        whole += head + content + b"\n" * (len(content) % 2)
    return whole


@pytest.fixture(autouse=True)
def _own_manifest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    if "real" not in request.node.name:
        monkeypatch.setattr(photographs, "photos", lambda: PHOTOS)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ``apt-get`` that copies the package of its folder, and counts how often."""
    folder = tmp_path / "apt"
    folder.mkdir()
    script = (
        f'#!/bin/sh\necho "$2" >> {folder}/calls\ncp {folder}/"$2"_*.deb . || {{ echo "E: no $2" >&2; exit 100; }}\n'
    )
    (folder / "apt-get").write_text(script)
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize("suffix", PACKINGS)
def test_fetched_by_apt_verified_and_readable(suffix: str, apt: Path) -> None:
    (apt / "walls_2%3a7-1_all.deb").write_bytes(deb({**FILES, "usr/share/doc/other.png": png(9)}, suffix))
    folder = fetch_photographs()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == dict(
        zip(("0.png", "1.png", "2.png"), FILES.values(), strict=True)
    )
    assert photographs_dir(full=True) == folder == data_dir() / "photographs"
    assert open_images("photographs").read(1)[0, 0].tolist() == [2, 0, 0]
    assert open_images("photographs@2").read(1).shape == (3, 4, 3)
    with pytest.raises(AdcbenchError, match="whole number"):
        open_images("photographs@half")


def test_what_is_there_is_not_fetched_again_and_what_changed_is(apt: Path) -> None:
    (apt / "walls_1_all.deb").write_bytes(deb(FILES))
    folder = fetch_photographs()
    fetch_photographs()
    assert (apt / "calls").read_text() == "walls\n"
    changed = folder / "1.png"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")  # the same size
    assert photographs_dir() == folder
    with pytest.raises(Blocked, match=r"1\.png"):
        photographs_dir(full=True)
    changed.write_bytes(changed.read_bytes()[:-1])
    with pytest.raises(Blocked, match=r"1\.png"):
        photographs_dir()
    fetch_photographs()
    assert (apt / "calls").read_text() == "walls\nwalls\n"
    assert changed.read_bytes() == png(2)


def test_other_contents_are_named_and_the_rest_is_kept(apt: Path) -> None:
    (apt / "walls_1_all.deb").write_bytes(deb(FILES | {"usr/share/backgrounds/2.png": png(77)}))
    with pytest.raises(AdcbenchError, match=r"1 of 3 photographs .* 1\.png\. The other 2 .* walls 1-1"):
        fetch_photographs()
    with pytest.raises(Blocked, match=r"1 of 3 .*: 1\.png"):
        photographs_dir()


def test_a_package_that_apt_does_not_know(apt: Path) -> None:
    with pytest.raises(Blocked, match=r"Debian package walls \(E: no walls\)") as caught:
        fetch_photographs()
    assert "apt-get update" in caught.value.command


def test_without_apt_the_packages_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)
    with pytest.raises(Blocked, match="apt-get") as caught:
        fetch_photographs()
    assert "--from" in caught.value.command


@pytest.mark.parametrize("packed", [True, False])
def test_from_a_folder_of_packages_or_of_files_under_any_names(packed: bool, tmp_path: Path) -> None:
    source = tmp_path / "given" / "deep"
    source.mkdir(parents=True)
    if packed:
        (source / "any.deb").write_bytes(deb(FILES))
    else:
        for number, content in enumerate(FILES.values()):
            (source / f"renamed{number}").write_bytes(content)
    ran = CliRunner().invoke(cli, ["fetch", "photographs", "--from", str(source.parent)])
    assert ran.exit_code == 0, ran.output
    assert photographs_dir(full=True)


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


def test_the_real_manifest() -> None:
    assert len(photos()) == len({photo.sha256 for photo in photos()}) == 37
    assert [photo.name for photo in photos()] == sorted({photo.name for photo in photos()})
    free = {"CC0-1.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-2.0-or-later"}
    assert {photo.licence for photo in photos()} == free
    assert all(photo.author and photo.author in line for photo, line in zip(photos(), attributions(), strict=True))
    assert sum((photo.width // 512) * (photo.height // 512) for photo in photos()) == 715


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


def test_what_cannot_be_read_beside_the_photographs_does_not_end_the_search(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, data in enumerate(FILES.values()):
        (folder / f"{number}").write_bytes(data)
    (folder / "gone").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.deb")
    assert fetch_photographs(folder) == data_dir() / "photographs"
