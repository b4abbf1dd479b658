"""Files: written whole or not at all, read only where they are regular files, locked between processes.

Everything that writes a file a person or a later run reads goes through ``write_whole`` or ``writing``; everything
that reads a file somebody else made goes through ``read_whole`` or ``check_regular``.
"""

from __future__ import annotations

import errno
import os
import stat
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from adcbench.core.errors import AdcbenchError

_PART = ".adcbench-{}.part"  # 30 bytes, whatever the file's own name: a legal name stays one
UNPACKED_MORE = 64 << 20  # bytes by which what is read from a file may exceed the file itself
_STALE_S = 24 * 3600.0  # a temporary file this old has no writer any more
_REMEDIES = {
    errno.ENAMETOOLONG: "shorten the name",
    errno.EINVAL: "name it otherwise",
    errno.EILSEQ: "name it otherwise",
    errno.EISDIR: "a folder has that name: move it away",
    errno.EROFS: "name a folder that you can write",
    errno.EACCES: "name a folder that you can write",
    errno.EPERM: "name a folder that you can write",
}  # the others: free space or name another folder
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL, errno.EILSEQ)


class FolderNotWritable(AdcbenchError):
    """No file can be written in that folder, whatever its name: the disk is full, or the folder is read-only."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a temporary one beside it; makes its folder if needed.

    Raises:
        AdcbenchError: it can't be written (no space left, read-only folder, a name too long).
    """
    with writing(path) as part:
        part.write_bytes(data)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, for libraries that write by themselves; takes its name at the end.

    After an error there is neither the temporary file nor a changed ``path``. What killed processes left behind
    in the folder is removed a day later. A pipe or a device, such as /dev/stdout, is written as it is.

    Raises:
        FolderNotWritable: no file can be written there (no space left, read-only folder).
        AdcbenchError: this one can't (a name too long, or that of a folder).
    """
    with write_errors(path):
        if _special(path):
            yield path
            return
        part = _part(path)
        remove_leftovers(path.parent)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Find out, before work begins, whether a file can be written later; makes its folder.

    Raises:
        AdcbenchError: as ``writing``.
    """
    with write_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not _special(path):
            part = _part(path)
            part.touch()
            part.unlink()


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """For what writes in another way (files that grow, folders): its errors name ``path`` and the remedy.

    Raises:
        FolderNotWritable, AdcbenchError: as ``writing``.
    """
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "free space or name another folder")
        kind = AdcbenchError if error.errno in _OF_THE_NAME else FolderNotWritable
        raise kind(f"{path}: can't be written ({error.strerror or error}); {remedy}") from error


def _special(path: Path) -> bool:
    """A pipe, a device, or what is open already: /dev/stdout leads to /proc, even where it goes to a file."""
    if not path.exists():
        return False
    places = [path, *([path.parent / path.readlink()] if path.is_symlink() else [])]
    open_already = any(place.parent.resolve().is_relative_to("/proc") for place in places)
    return open_already or not (path.is_file() or path.is_dir())


def _part(path: Path) -> Path:
    """A temporary path beside a file, whose folder is made."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a null byte in its name")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(_PART.format(uuid.uuid4().hex[:14]))


@lru_cache(maxsize=256)
def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of ours in a folder whose writers are gone; looks once a process and folder."""
    with suppress(OSError):
        for path in folder.glob(_PART.format("*")):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()


def check_regular(path: Path) -> os.stat_result:
    """What the system says of a file, if it is a regular one: a pipe or a device would hang, or never end.

    Raises:
        AdcbenchError: it is missing, can't be looked at, or is a folder, pipe, socket or device.
    """
    try:
        state = path.stat()
    except FileNotFoundError as error:
        what = "a link to a file that is not there" if path.is_symlink() else "no such file"
        raise AdcbenchError(f"{path}: {what}") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise AdcbenchError(f"{path}: can't be read ({getattr(error, 'strerror', None) or error})") from error
    if not stat.S_ISREG(state.st_mode):
        kind = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe, socket or device"
        raise AdcbenchError(f"{path}: {kind}, not a regular file")
    return state


def identity(state: os.stat_result) -> tuple[int, int, int, int, int]:
    """What stays equal while nobody touches a file, for memos: device, inode, size, times of content and of change.

    The last of them nobody can set: a file that was replaced under the same size and time is seen.
    """
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def read_whole(path: Path, at_most: int = 0) -> bytes:
    """All bytes of a regular file.

    Args:
        at_most: the largest size in bytes that is read; 0: any.

    Raises:
        AdcbenchError: see ``check_regular``; it can't be read, or it is larger than ``at_most``.
    """
    size = check_regular(path).st_size
    if at_most and size > at_most:
        raise AdcbenchError(f"{path}: has {size:,} bytes, more than the {at_most:,} such a file can have")
    try:
        return path.read_bytes()
    except OSError as error:
        raise AdcbenchError(f"{path}: can't be read ({error.strerror or error})") from error


def read_text(path: Path, at_most: int = 0) -> str:
    """The UTF-8 text of a regular file; ``at_most`` as for ``read_whole``.

    Raises:
        AdcbenchError: see ``read_whole``; or it is not UTF-8.
    """
    try:
        return read_whole(path, at_most).decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 text (byte {error.start}): damaged or another file, get it again"
        raise AdcbenchError(f"{path}: {reason}") from error


def check_unpacked(path: Path) -> None:
    """Refuse a zip archive whose members say that they unpack to far more than the file itself has.

    Raises:
        ValueError: they do, or it is no whole archive; the caller knows what the file should be.
    """
    size = check_regular(path).st_size
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ValueError(f"no whole zip archive: {error}") from error
    if claimed > size + UNPACKED_MORE:
        raise ValueError(f"{size:,} bytes that unpack to {claimed:,}: damaged, or made to fill the memory")


@contextmanager
def locked(path: Path, wait_s: float = 600.0) -> Iterator[None]:
    """Hold a lock that stands for ``path`` among all processes; a killed process leaves none behind.

    Args:
        path: what is locked; the lock's file lies beside it, as ``.<name>.lock``.
        wait_s: how long to wait for another process.

    Raises:
        AdcbenchError: another process holds it for longer, or the lock's file can't be made.
    """
    own = path.with_name(f".{path.name}.lock")
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(own).acquire(timeout=wait_s)
    except Timeout as error:
        raise AdcbenchError(f"{path}: another adcbench has worked on it for {wait_s:g} s; wait or stop it") from error
    except OSError as error:
        reason = error.strerror or error
        raise AdcbenchError(f"{path}: can't be locked ({reason}); name a folder that you can write") from error
    with lock:
        yield
