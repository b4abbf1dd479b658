"""Manifests: path, size and sha256 of every file of a folder, as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import read_text, write_whole
from adcbench.core.keys import file_hash
from adcbench.core.settings import PACKAGE
from adcbench.data.media.images import IMAGE_SUFFIXES

_LARGEST = 64 << 20  # bytes
_SIZE, _SHA256 = re.compile("[0-9]{1,15}"), re.compile("[0-9a-f]{64}")


class ManifestFile(NamedTuple):
    """One file: its path below the folder (with ``/``), its size in bytes, its sha256 in hex."""

    path: str
    size: int
    sha256: str


def scan_folder(folder: Path) -> tuple[ManifestFile, ...]:
    """The manifest of the images, logs and other visible files below a folder, sorted by path.

    Raises:
        AdcbenchError: the folder is missing or empty, or a file can't be read.
    """
    paths = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    if not paths:
        raise AdcbenchError(f"{folder}: missing or empty; name a folder with files")
    try:
        bar = tqdm(paths, desc="hashing", unit="file", delay=2, leave=False)
        return tuple(sorted(_describe(folder, path) for path in bar))
    except OSError as error:
        raise AdcbenchError(f"{folder}: {error}") from error


def _describe(folder: Path, path: Path) -> ManifestFile:
    return ManifestFile(path.relative_to(folder).as_posix(), path.stat().st_size, file_hash(path))


def read_manifest(path: Path) -> tuple[ManifestFile, ...]:
    """Read a manifest file.

    Raises:
        AdcbenchError: it is missing, names no file, or a line is malformed; the message names the line.
    """
    files = tuple(_parse(path, number, row) for number, row in read_rows(path, ManifestFile._fields))
    if len({file.path for file in files}) < len(files):
        raise broken(path, "names a file twice")
    return files


def read_rows(path: Path, fields: Sequence[str]) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file below its head, which has these fields, each with the number of its line.

    Raises:
        AdcbenchError: it is missing, no CSV, has another head, no rows, or a row with another number of fields.
    """
    try:
        head, *rows = list(csv.reader(io.StringIO(read_text(path, _LARGEST), newline=""), strict=True)) or [[]]
    except csv.Error as error:
        raise broken(path, f"not CSV ({error})") from error
    if tuple(head) != tuple(fields):
        raise broken(path, f"line 1 must be {','.join(fields)}")
    if not rows:
        raise broken(path, "lists no file")
    for number, row in enumerate(rows, 2):
        if len(row) != len(fields):
            raise broken(path, f"line {number} is not {','.join(fields)}")
    return list(enumerate(rows, 2))


def broken(path: Path, what: str) -> AdcbenchError:
    """The error of a damaged manifest: what is wrong, and what to do."""
    ours = path.resolve().is_relative_to(PACKAGE)
    remedy = "install adcbench again" if ours else "delete it, and record it anew: adcbench fetch and the set's name"
    return AdcbenchError(f"{path}: {what}; {remedy}")


def _parse(path: Path, number: int, row: Sequence[str]) -> ManifestFile:
    if not _SIZE.fullmatch(row[1]) or not _SHA256.fullmatch(row[2]) or not _is_below(row[0]):
        raise broken(path, f"line {number} is not {','.join(ManifestFile._fields)}")
    return ManifestFile(row[0], int(row[1]), row[2])


def _is_below(path: str) -> bool:
    """Whether a path stays in the manifest's folder, and can be a path at all."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts and "\0" not in path


def write_manifest(files: Iterable[ManifestFile], path: Path) -> None:
    """Write a manifest file, whole or not at all.

    Raises:
        AdcbenchError: it can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ManifestFile._fields)
    writer.writerows(files)
    write_whole(path, text.getvalue().encode())


def differences(folder: Path, files: Sequence[ManifestFile], full: bool = False) -> list[str]:
    """How a folder differs from its manifest, one line a kind; empty if it does not.

    Extra files count only if they are images in the manifest's own sub-folders, so that other
    outputs and logs can lie beside them.

    Args:
        folder: the folder the manifest's paths are below.
        files: the manifest.
        full: compare sha256 too, not only names and sizes.
    """
    sizes = _sizes(folder, {Path(file.path).parent for file in files})
    here = [file for file in files if file.path in sizes]
    extra = sizes.keys() - {file.path for file in files}
    by_kind = {
        "missing": [file.path for file in files if file.path not in sizes],
        "extra": sorted(path for path in extra if Path(path).suffix.lower() in IMAGE_SUFFIXES),
        "changed": [file.path for file in here if _changed(folder, file, sizes[file.path], full)],
    }
    return [f"{len(paths)} {kind}: {listed(paths)}" for kind, paths in by_kind.items() if paths]


def _sizes(folder: Path, parents: Iterable[Path]) -> dict[str, int]:
    """Sizes of the visible files directly in some sub-folders, by path below the folder."""
    paths = [path for parent in parents for path in (folder / parent).glob("[!.]*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}


def _changed(folder: Path, file: ManifestFile, size: int, full: bool) -> bool:
    return size != file.size or (full and file_hash(folder / file.path) != file.sha256)
