"""Debian packages: downloaded by ``apt-get``, read without being installed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import check_regular
from adcbench.core.offline import need_network

_MAGIC = b"!<arch>\n"
_LARGEST, _LARGEST_PART = 1 << 30, 1 << 28  # bytes that are read of an archive of files; at a time
_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".xz": lzma.open,
    ".lzma": lzma.open,
    ".gz": lambda packed: cast(IO[bytes], gzip.GzipFile(fileobj=packed)),
    ".bz2": bz2.open,
    "": lambda plain: plain,
}
_HEAD = 60  # bytes of a member's head: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2


def download_package(package: str, folder: Path) -> Path:
    """``apt-get download`` of a package (any version) into a folder; needs no root and installs nothing.

    Raises:
        Blocked: no ``apt-get``, it does not know or get the package, or no connection may be opened.
    """
    need_network(f"Debian package {package}")
    remedy = f"download {package} from https://packages.debian.org/{package}, then: adcbench fetch photographs --from ."
    if not shutil.which("apt-get"):
        raise Blocked("apt-get (this is no Debian or Ubuntu)", remedy)
    folder.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True, check=False)
    packages = sorted(folder.glob(f"{package}_*.deb"))
    if run.returncode or not packages:
        reason = (run.stderr.strip() or "it is not there afterwards").splitlines()[-1]
        raise Blocked(f"Debian package {package} ({reason})", f"apt-get update; if that does not help, {remedy}")
    return packages[-1]


def read_package(path: Path, files: Mapping[str, int]) -> dict[str, bytes]:
    """Contents of some files of a ``.deb``, by path; those that it lacks, or has at another size, are left out.

    Args:
        files: size in bytes by path without the leading ``./``.

    Raises:
        AdcbenchError: it is not a Debian package, is cut off, claims what it can't have, or is compressed by zstd
            and ``dpkg-deb`` is not here.
    """
    check_regular(path)
    try:
        with _data(path) as data, tarfile.open(fileobj=cast(IO[bytes], _Bounded(data)), mode="r:") as tar:
            return dict(_members(tar, files))
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise AdcbenchError(f"{path}: not a whole Debian package ({error}); download it again") from error


def _members(tar: tarfile.TarFile, files: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    before = -1
    for member in tar:
        if member.offset <= before:  # a negative size leads back to where the reader was
            raise ValueError("its members lead back to each other")
        before = member.offset
        name = member.name.removeprefix("./")
        stream = tar.extractfile(member) if member.isreg() and member.size == files.get(name) else None
        if stream:
            yield name, stream.read()


class _Bounded:
    """A stream as ``tarfile`` reads it, which believes every size that it finds: these stay within limits."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LARGEST_PART:
            raise ValueError(f"a part of it claims {size:,} bytes")
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        if not 0 <= place <= _LARGEST:
            raise ValueError(f"it claims {place:,} bytes")
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def _data(path: Path) -> Iterator[IO[bytes]]:
    """The archive of a package's files, unpacked as it is read."""
    with path.open("rb") as file:
        name, start, size = _find_data(file, path.stat().st_size)
        file.seek(start)
        if name.endswith(".zst"):  # Ubuntu compresses by zstd, which Python reads from 3.14 on only
            with TemporaryFile() as unpacked:
                _unpack(path, unpacked)
                yield unpacked
            return
        with _OPENERS[name.removeprefix("data.tar")](io.BytesIO(file.read(size))) as stream:
            yield stream


def _find_data(file: BinaryIO, whole: int) -> tuple[str, int, int]:
    """Name, place and size in bytes of the archive of files among a package's members."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("no ar archive")
    place = len(_MAGIC)
    while len(head := file.read(_HEAD)) == _HEAD:
        place += _HEAD
        name, size = head[:16].decode("ascii").strip().rstrip("/"), int(head[48:58])
        if not 0 <= size <= whole - place:
            raise ValueError(f"{name!r} claims {size:,} bytes")
        if name in {f"data.tar{suffix}" for suffix in (*_OPENERS, ".zst")}:
            return name, place, size
        place += size + size % 2  # members begin at even offsets
        file.seek(place)
    raise ValueError("no data.tar in it")


def _unpack(path: Path, into: IO[bytes]) -> None:
    """Unpack by ``dpkg-deb``, at most as much as is read of any package."""
    if not shutil.which("dpkg-deb"):
        raise AdcbenchError(f"{path}: compressed by zstd, and dpkg-deb is not here; take Debian's package instead")
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout
        assert run.stderr
        while chunk := run.stdout.read(1 << 20):
            into.write(chunk)
            if into.tell() > _LARGEST:
                run.kill()
                raise ValueError(f"it unpacks to more than {_LARGEST:,} bytes")
        problem = run.stderr.read().decode(errors="replace").strip()
    if run.returncode:
        raise ValueError(problem)
    into.seek(0)
