"""The photographs of the mini scale: 37 from four Debian packages of wallpapers, all under free licences.

Chosen by eye, whole and at full size: photographs only. Drawn, rendered, painted and abstract wallpapers of the
same packages are left out (plasma's Autumn, a painting, and lomiri's analogpattern, a tinted texture, too).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.files import check_regular, read_whole, write_whole
from adcbench.core.keys import file_hash
from adcbench.core.settings import data_dir
from adcbench.data.test_sets.manifest import broken, read_rows
from adcbench.data.training.debian import download_package, read_package

COMMAND = "adcbench fetch photographs"
_MANIFEST = Path(__file__).parents[1] / "test_sets" / "manifests" / "photographs.csv"


class Photo(NamedTuple):
    """One line of the manifest.

    Args:
        name: its file name here.
        package, version: the Debian package it was taken from; other versions will do, as each file is verified.
        file: its path in the package.
        size: in bytes.
        sha256: in hex.
        width, height: in pixels, as stored.
        licence: SPDX identifier, from the package's debian/copyright.
        author: copyright holders, from there; for plasma's, from each wallpaper's metadata.
    """

    name: str
    package: str
    version: str
    file: str
    size: int
    sha256: str
    width: int
    height: int
    licence: str
    author: str


@lru_cache
def photos() -> tuple[Photo, ...]:
    """The manifest, sorted by name."""
    return read_photos(_MANIFEST)


def read_photos(path: Path) -> tuple[Photo, ...]:
    """The photographs of a manifest.

    Raises:
        AdcbenchError: it is damaged; names the line.
    """
    return tuple(_parse(path, number, row) for number, row in read_rows(path, Photo._fields))


def _parse(path: Path, number: int, row: list[str]) -> Photo:
    name, package, version, file, size, sha256, width, height, licence, author = row
    if not all(re.fullmatch("[0-9]{1,12}", value) for value in (size, width, height)):
        raise broken(path, f"line {number}: size, width and height are whole numbers")
    return Photo(name, package, version, file, int(size), sha256, int(width), int(height), licence, author)


def attributions() -> list[str]:
    """One line per photograph for a model card: file, author, licence, package."""
    return [f"{photo.name}: {photo.author}, {photo.licence}, Debian {photo.package}" for photo in photos()]


def photographs_dir(full: bool = False) -> Path:
    """The folder of the photographs, complete.

    Args:
        full: compare sha256 too, not only sizes.

    Raises:
        Blocked: some are missing or changed.
    """
    folder = data_dir() / "photographs"
    missing = [photo.name for photo in photos() if not _is_here(folder / photo.name, photo, full)]
    if missing:
        raise Blocked(f"{len(missing)} of {len(photos())} training photographs in {folder}: {listed(missing)}", COMMAND)
    return folder


def fetch_photographs(source: Path | None = None) -> Path:
    """Bring the photographs to ``data_dir()/photographs``. Those that are there with the right sha256 stay.

    Args:
        source: folder that has the packages (``.deb``) or their files, at any depth and under any names; empty:
            the packages are downloaded by ``apt-get``, used and removed.

    Returns:
        Their folder.

    Raises:
        Blocked: ``apt-get`` can't get a package.
        AdcbenchError: some are not in the source, or have another sha256 than the manifest.
    """
    folder = data_dir() / "photographs"
    missing = [photo for photo in photos() if not _is_here(folder / photo.name, photo, full=True)]
    if source is None:
        failed = _from_apt(missing, folder)
    elif source.is_dir():
        failed = _from_folder(missing, source, folder)
    else:
        raise AdcbenchError(f"{source}: no such folder; name the one with the Debian packages or their files")
    if failed:
        raise AdcbenchError(
            f"{len(failed)} of {len(photos())} photographs are not in {source or 'the packages'} with the sha256 of "
            f"the manifest: {listed(photo.name for photo in failed)}. The other {len(photos()) - len(failed)} are in "
            f"{folder}. Take the versions of the manifest: "
            + ", ".join(sorted({f"{photo.package} {photo.version}" for photo in failed}))
        )
    return folder


def _is_here(path: Path, photo: Photo, full: bool) -> bool:
    return path.is_file() and path.stat().st_size == photo.size and not (full and file_hash(path) != photo.sha256)


def _from_apt(missing: list[Photo], folder: Path) -> list[Photo]:
    with TemporaryDirectory(prefix="adcbench-debs-") as work:
        for package in sorted({photo.package for photo in missing}):
            missing = _keep(missing, _contents(download_package(package, Path(work)), missing), folder)
    return missing


def _from_folder(missing: list[Photo], source: Path, folder: Path) -> list[Photo]:
    sizes = {photo.size for photo in missing}
    for parent, _, names in os.walk(source):  # what can't be read may have nothing of ours: what is missing is said
        paths = [path for path in (Path(parent, name) for name in sorted(names)) if _size(path) is not None]
        plain = (content for path in paths if _size(path) in sizes for content in _bytes(path))
        missing = _keep(missing, plain, folder)
        for path in (path for path in paths if missing and path.suffix == ".deb"):
            missing = _keep(missing, _contents(path, missing), folder)
    return missing


def _size(path: Path) -> int | None:
    """Of a regular file that can be looked at; None for anything else."""
    try:
        return check_regular(path).st_size
    except AdcbenchError:
        return None


def _bytes(path: Path) -> Iterator[bytes]:
    with suppress(AdcbenchError):
        yield read_whole(path)


def _contents(package: Path, missing: Iterable[Photo]) -> Iterator[bytes]:
    yield from read_package(package, {photo.file: photo.size for photo in missing}).values()


def _keep(missing: list[Photo], contents: Iterable[bytes], folder: Path) -> list[Photo]:
    """Write the contents that are missing photographs; what is still missing."""
    by_hash = {photo.sha256: photo for photo in missing}
    for content in contents:
        photo = by_hash.pop(hashlib.sha256(content).hexdigest(), None)
        if photo:
            write_whole(folder / photo.name, content)
    return list(by_hash.values())
