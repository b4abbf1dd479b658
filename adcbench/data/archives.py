"""A member of an archive (zip, wheel, sdist), read without unpacking the rest."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_regular

_LARGEST = 1 << 30  # bytes of a member whose size nobody has written down


def read_member(archive: Path, member: str, at_most: int = 0) -> bytes:
    """The bytes of one member of a ``.zip``, ``.whl`` or ``.tar.gz``.

    Args:
        member: its path inside.
        at_most: the most bytes that it may have; 0: 1 GiB.

    Raises:
        AdcbenchError: the archive is damaged, has no such member, or one that is larger.
    """
    check_regular(archive)
    limit = at_most or _LARGEST
    try:
        data = (
            _from_zip(archive, member, limit)
            if archive.suffix in (".zip", ".whl")
            else _from_tar(archive, member, limit)
        )
    except KeyError as error:
        raise AdcbenchError(f"{archive.name}: has no member {member}: another archive than it should be") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise AdcbenchError(f"{archive.name}: a damaged archive ({error})") from error
    if len(data) > limit:
        raise AdcbenchError(f"{archive.name}: its member {member} has more than the {limit:,} bytes it can have")
    return data


def _from_zip(archive: Path, member: str, limit: int) -> bytes:
    with zipfile.ZipFile(archive) as opened, opened.open(member) as file:
        return file.read(limit + 1)


def _from_tar(archive: Path, member: str, limit: int) -> bytes:
    with tarfile.open(archive) as opened:
        file: IO[bytes] | None = opened.extractfile(member)  # None: a folder or a link to nothing
        if file is None:
            raise KeyError(member)
        with file:
            return file.read(limit + 1)
