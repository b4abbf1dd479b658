"""Debian packages of photographs, for the tests: made here."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable

from PIL import Image

Pack = Callable[[bytes], bytes]
PACKINGS: dict[str, Pack] = {".xz": lzma.compress, ".gz": gzip.compress, "": bytes}


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


FILES = {f"usr/share/backgrounds/{shade}.png": png(shade) for shade in (1, 2, 3)}
SIZES = {path: len(data) for path, data in FILES.items()}


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
