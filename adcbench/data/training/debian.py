"""Debian packages: downloaded by ``apt-get``, read without being installed."""

from __future__ import annotations

import io
import lzma
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import check_regular

_MAGIC = b"!<arch>\n"
_LARGEST = 100_000_000  # bytes of a file that is unpacked: a photograph
_HEAD = 60  # bytes of a member's head: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2


def download_package(package: str, folder: Path) -> Path:
    """``apt-get download`` of a package (any version) into a folder; needs no root and installs nothing.

    Raises:
        Blocked: no ``apt-get``, or it does not know or get the package.
    """
    remedy = f"download {package} from https://packages.debian.org/{package}, then: adcbench fetch photographs --from ."
    if not shutil.which("apt-get"):
        raise Blocked("apt-get (this is no Debian or Ubuntu)", remedy)
    folder.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True, check=False)
    found = sorted(folder.glob(f"{package}_*.deb"))
    if run.returncode or not found:
        reason = (run.stderr.strip() or "it is not there afterwards").splitlines()[-1]
        raise Blocked(f"Debian package {package} ({reason})", f"apt-get update; if that does not help, {remedy}")
    return found[-1]


def read_package(path: Path, files: Collection[str]) -> dict[str, bytes]:
    """Contents of some files of a ``.deb``, by path without the leading ``./``; those it lacks are left out.

    Raises:
        AdcbenchError: it is not a Debian package, is cut off, or is compressed by zstd and ``dpkg-deb`` is not here.
    """
    wanted = set(files)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=_data(path)) as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if name in wanted and member.size > _LARGEST:
                    raise ValueError(f"{name} would have {member.size:,} bytes")
                stream = tar.extractfile(member) if name in wanted and member.isfile() else None
                if stream:
                    found[name] = stream.read()
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError) as error:
        raise AdcbenchError(f"{path}: not a whole Debian package ({error}); download it again") from error
    return found


def _data(path: Path) -> BinaryIO:
    """The archive of a package's files: compressed as ``tarfile`` reads it, or plain."""
    whole = check_regular(path).st_size
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("no ar archive")
        while head := file.read(_HEAD):
            name, size = head[:16].decode("ascii").strip().rstrip("/"), int(head[48:58])
            if not 0 <= size <= whole - file.tell():  # a negative one would lead back, for ever
                raise ValueError(f"{name} has {size} bytes by its head, and the file {whole} in all")
            if name.startswith("data.tar"):
                return _unpacked(path) if name.endswith(".zst") else io.BytesIO(file.read(size))
            file.seek(size + size % 2, io.SEEK_CUR)  # members begin at even offsets
    raise ValueError("no data.tar in it")


def _unpacked(path: Path) -> BinaryIO:
    """Ubuntu compresses by zstd, which Python reads from 3.14 on only."""
    if not shutil.which("dpkg-deb"):
        raise AdcbenchError(f"{path}: compressed by zstd, and dpkg-deb is not here; take Debian's package instead")
    run = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], capture_output=True, check=False)
    if run.returncode:
        raise ValueError(run.stderr.decode(errors="replace").strip())
    return io.BytesIO(run.stdout)
