"""One file from the web: verified by sha256 (pooch), continued where it was cut off (HTTP ranges).

Bytes go to ``.<file>.part``; beside it, ``.<file>.part.id`` says which remote file they belong to (its
address, size and ETag), so that a file that changed meanwhile, or comes from another mirror, starts again.
Only a complete file whose hash is right gets its name.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import requests

from adcbench.core.errors import AdcbenchError

Report = Callable[[int, int], None]  # bytes there, bytes in all (0: the server does not say)

TRIES = 4
BACKOFF_S = 0.5  # doubled after each try
TIMEOUT_S = (10.0, 60.0)  # to connect; between two packets
_CHUNK = 1 << 16
_BUSY = (429, 500, 502, 503, 504)
_CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class NotServed(AdcbenchError):
    """The address does not give the file (such as 404); another address may."""


class FetchStopped(AdcbenchError):
    """No other file can be fetched from there either: there is no connection, or the folder can't be written."""


class CannotWrite(FetchStopped):
    """The folder can't be written; another address would not help."""


def download(url: str, path: Path, sha256: str = "", report: Report | None = None) -> None:
    """Make ``path`` the file at ``url``. A file with the right hash, or with no known hash, stays as it is.

    Args:
        url: http or https.
        path: the file to make; its folder is made if needed.
        sha256: in hex; empty if it is not known.
        report: called while bytes arrive.

    Raises:
        FetchStopped: no connection after several tries, or (``CannotWrite``) the file can't be written.
        NotServed: the server refuses (such as 404), or can't say whether what it sent is complete.
        AdcbenchError: the content's hash is wrong; that content is removed.
    """
    for attempt in range(TRIES):
        if attempt:
            time.sleep(BACKOFF_S * 2 ** (attempt - 1))
        try:
            _retrieve(url, path, sha256, report)
            return
        except (requests.RequestException, OSError, ValueError) as error:  # the first two are kin
            failure = _explain(error, url, path)
            if not _is_passing(error):
                raise failure from error
    raise failure


def remote_size(url: str) -> int:
    """Bytes of the file at ``url`` as its server says, without fetching it; 0 where it does not say."""
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
    if isinstance(error, requests.RequestException):
        return NotServed(f"{path.name}: {url} can't be fetched ({error})")
    if isinstance(error, OSError):
        return CannotWrite(f"{path} can't be written ({error}); free space or name another folder")
    return AdcbenchError(f"{path.name}: {url} sends content with an unexpected sha256; it was removed")


def _retrieve(url: str, path: Path, sha256: str, report: Report | None) -> None:
    part = path.with_name(f".{path.name}.part")

    def into(source: str, target: str, _pooch: Any) -> None:
        _continue(source, part, report or (lambda done, total: None), bool(sha256))
        _mark(part).unlink(missing_ok=True)
        part.replace(target)

    pooch.get_logger().setLevel(logging.WARNING)
    pooch.retrieve(url, sha256 or None, fname=path.name, path=path.parent, downloader=into)


def _mark(part: Path) -> Path:
    return part.with_name(f"{part.name}.id")


def _continue(url: str, part: Path, report: Report, verified: bool) -> None:
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
            _continue(url, part, report, verified)
            return
        response.raise_for_status()
        if problem := _doubt(response, verified):
            raise requests.exceptions.InvalidHeader(problem, response=response)
        if not same:
            part.unlink(missing_ok=True)
            mark.write_text(_identity(url, response), encoding="utf-8")
        _append(response, part, report)


def _doubt(response: requests.Response, verified: bool) -> str:
    """Why the body can't be trusted to be the whole file, from its headers; empty if it can."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        return "the server sends a web page instead of the file"
    if verified or _size(response) or response.headers.get("Transfer-Encoding") == "chunked":
        return ""
    return "the server does not say how long the file is, so it could be cut off unnoticed"


def _append(response: requests.Response, part: Path, report: Report) -> None:
    total = int(_size(response) or 0)
    with part.open("ab") as file:
        done = file.tell()
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            report(done, total)
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
