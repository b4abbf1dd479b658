"""One file from the web: verified by sha256, continued where it was cut off (HTTP ranges).

Bytes go to ``.<file>.part``; beside it, ``.<file>.part.id`` says which remote file they belong to (its
address, size and ETag), so that a file that changed meanwhile, or comes from another mirror, starts again.
Only a complete file whose hash is right gets its name; what nobody went on with is removed after a week.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import requests

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import file_hash
from adcbench.core.offline import need_network
from adcbench.core.settings import offline

Report = Callable[[int, int], None]  # bytes there, bytes in all (0: the server does not say)

TRIES = 4
BACKOFF_S = 0.5  # doubled after each try
TIMEOUT_S = (10.0, 60.0)  # to connect; between two packets
_CHUNK = 1 << 16
_STALE_S = 7 * 24 * 3600.0
_BUSY = (429, 500, 502, 503, 504)
_CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class NotServed(AdcbenchError):
    """The address does not give the file (such as 404); another address may."""


class FetchStopped(AdcbenchError):
    """No other file can be fetched from there either: there is no connection, or the folder can't be written."""


class CannotWrite(FetchStopped):
    """The folder can't be written; another address would not help."""


def download(
    url: str,
    path: Path,
    sha256: str = "",
    report: Report | None = None,
    refuse: Callable[[Path], str] | None = None,
    at_most: int = 0,
) -> None:
    """Make ``path`` the file at ``url``. A file with the right hash, or that ``refuse`` does not refuse, stays.

    Args:
        url: http or https.
        path: the file to make; its folder is made if needed.
        sha256: in hex; empty if it is not known.
        report: called while bytes arrive.
        refuse: says why a file is not the one that is wanted, or nothing; asked where ``sha256`` is not known.
        at_most: more bytes are not taken; 0: any number.

    Raises:
        Blocked: connections are forbidden (``ADCBENCH_OFFLINE``).
        FetchStopped: no connection after several tries, or (``CannotWrite``) the file can't be written.
        NotServed: the server refuses (such as 404), sends something else, or can't say whether that is complete.
        AdcbenchError: the content's hash is wrong; that content is removed.
    """

    def is_wrong(candidate: Path) -> str:
        if sha256:
            return "" if file_hash(candidate) == sha256 else "content with an unexpected sha256"
        return refuse(candidate) if refuse else ""

    if path.is_file() and not is_wrong(path):
        remove_unfinished(path)
        return
    need_network(f"{path.name} from {url}")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(BACKOFF_S * 2 ** (attempt - 1))
        try:
            part = _brought(url, path, bool(sha256), report or (lambda done, total: None), at_most)
            if what := is_wrong(part):
                remove_unfinished(path)
                text = f"{path.name}: {url} sends {what}; it was removed"
                raise AdcbenchError(text) if sha256 else NotServed(text)
            part.replace(path)
            remove_unfinished(path)
            return
        except (requests.RequestException, OSError, ValueError) as error:  # the first two are kin
            failure = _explain(error, url, path)
            if not _is_passing(error):
                raise failure from error
    raise failure


def remove_unfinished(path: Path) -> None:
    """Remove what downloads of a file left, which is whole now or was another one."""
    for left in (_part(path), _mark(_part(path))):
        with suppress(OSError):
            left.unlink(missing_ok=True)


def unfinished_size(path: Path) -> int:
    """Bytes that a download of a file which was cut off has brought already."""
    part = _part(path)
    return part.stat().st_size if part.is_file() and _mark(part).is_file() else 0


def remote_size(url: str) -> int:
    """Bytes of the file at ``url`` as its server says, without fetching it; 0 where that can't be known."""
    if offline():
        return 0
    try:
        headers = {"Accept-Encoding": "identity"}
        response = requests.head(url, headers=headers, allow_redirects=True, timeout=TIMEOUT_S[0])
        return int(_size(response) or 0) if response.ok else 0
    except (requests.RequestException, ValueError):
        return 0


def _is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    response = getattr(error, "response", None)
    return isinstance(error, _CUT) or (response is not None and response.status_code in _BUSY)


def _explain(error: Exception, url: str, path: Path) -> AdcbenchError:
    """The error to show: what happened to which file, and what to do where that is known."""
    if isinstance(error, requests.HTTPError):
        reason = f"{path.name}: {error}"  # carries status, reason and address
        return FetchStopped(reason) if _is_passing(error) else NotServed(reason)
    if isinstance(error, _CUT):
        return FetchStopped(f"{path.name}: no connection to {url} ({_innermost(error)})")
    if isinstance(error, requests.RequestException | ValueError):  # a ValueError: no address at all
        return NotServed(f"{path.name}: {url} can't be fetched ({error})")
    return CannotWrite(
        f"{path} can't be written ({error}); free space, or name a folder that you can write "
        "(ADCBENCH_DATA for test sets, ADCBENCH_WEIGHTS for checkpoints)"
    )


def _brought(url: str, path: Path, verified: bool, report: Report, at_most: int) -> Path:
    """The whole content under its temporary name."""
    part = _part(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path.parent)
    _continue(url, part, report, verified, at_most)
    return part


@lru_cache(maxsize=256)
def _remove_stale(folder: Path) -> None:
    """Remove downloads that nobody has gone on with for a week; looks once a process and folder."""
    for mark in folder.glob(".*.part.id"):
        part = mark.with_suffix("")
        with suppress(OSError):
            last = max(left.stat().st_mtime for left in (part, mark) if left == mark or left.exists())
            if time.time() - last > _STALE_S:
                part.unlink(missing_ok=True)
                mark.unlink()


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _mark(part: Path) -> Path:
    return part.with_name(f"{part.name}.id")


def _continue(url: str, part: Path, report: Report, verified: bool, at_most: int) -> None:
    """Bring ``part`` to its full length, from where it is if the server allows that.

    Args:
        verified: a known hash tells in the end whether the parts fit together; without one, nothing goes on
            unless the server names the file's version (ETag or date).
    """
    mark = _mark(part)
    start = part.stat().st_size if part.is_file() and mark.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        goes_on = start > 0 and response.status_code == 206
        same = goes_on and mark.read_text("utf-8", "replace") == _identity(url, response)
        same = same and (verified or bool(_version(response)))
        if start and not same and response.status_code in (206, 416):  # the remote file changed
            part.unlink()
            _continue(url, part, report, verified, at_most)
            return
        response.raise_for_status()
        if problem := _doubt(response, verified):
            raise requests.exceptions.InvalidHeader(problem, response=response)
        if not same:
            part.unlink(missing_ok=True)
            mark.write_text(_identity(url, response), encoding="utf-8")
        _append(response, part, report, at_most)


def _doubt(response: requests.Response, verified: bool) -> str:
    """Why the body can't be trusted to be the whole file, from its headers; empty if it can."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        return "the server sends a web page instead of the file"
    if (encoding := response.headers.get("Content-Encoding", "identity")) != "identity":
        return (
            f"the server sends it compressed ({encoding}), which it was asked not to"  # to how much is anyone's guess
        )
    if verified or _size(response) or response.headers.get("Transfer-Encoding") == "chunked":
        return ""
    return "the server does not say how long the file is, so it could be cut off unnoticed"


def _append(response: requests.Response, part: Path, report: Report, at_most: int) -> None:
    total = int(_size(response) or 0)
    with part.open("ab") as file:
        done = file.tell()
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            report(done, total)
            if at_most and done > at_most:
                break
    if at_most and done > at_most:
        part.unlink()
        _mark(part).unlink(missing_ok=True)
        raise requests.exceptions.InvalidHeader(f"it sends more than {at_most:,} bytes", response=response)
    if part.stat().st_size != done:
        part.unlink()
        raise OSError("another process was writing the same file; wait until it ends")
    if total and done != total:
        raise requests.ConnectionError(f"{done} of {total} bytes came")


def _identity(url: str, response: requests.Response) -> str:
    """Which remote file this is: its whole size, version and address, as far as the server says."""
    return f"{_size(response)} {_version(response)} {url}"


def _version(response: requests.Response) -> str:
    return response.headers.get("ETag") or response.headers.get("Last-Modified") or ""


def _size(response: requests.Response) -> str:
    """The whole file's size in bytes, in digits; empty if the server does not say."""
    ranged = response.headers.get("Content-Range", "")
    size = ranged.rpartition("/")[2] if ranged else response.headers.get("Content-Length", "")
    return size if size.isdecimal() else ""


def _innermost(error: BaseException) -> str:
    """The cause a person can read, below urllib3's wrappers."""
    while error.__context__ or error.__cause__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
