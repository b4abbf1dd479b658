"""A server on this machine that stands in for every server of the catalogue: redirects, ranges, versions, failures.

A request for ``https://huggingface.co/a/b`` comes as ``/huggingface.co/a/b`` (see ``replaced.py``). As the real ones,
huggingface.co and github.com do not send a file themselves but say where it is. What is at no known address is not
there, whatever the catalogue says.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_REDIRECTING = ("huggingface.co", "github.com")
_STORES = "stores."  # before the host that a redirection leads to
CHUNK = 1 << 16


@dataclass
class Hub:
    """What is served, how it fails, and what was asked.

    Args:
        files: content by address without ``https://``.
        down: beginnings of addresses that answer 503.
        cut: bytes after which the connection is cut, by address; once for each entry.
        asked: (address, Range header) of each GET that a file was to be sent for.
    """

    url: str
    files: dict[str, Path] = field(default_factory=dict)
    down: list[str] = field(default_factory=list)
    cut: dict[str, list[int]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        address = self.path.lstrip("/")
        host, _, path = address.partition("/")
        if any(address.startswith(one) for one in self.hub.down):
            self._nothing(503)
        elif host in _REDIRECTING and address in self.hub.files:
            self._nothing(302, f"https://{_STORES}{host}/{path}")
        elif file := self.hub.files.get(address.removeprefix(_STORES)):
            self._send(address.removeprefix(_STORES), file, body)
        else:
            self.hub.missing.append(address)
            self._nothing(404)

    def _nothing(self, status: int, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, address: str, file: Path, body: bool) -> None:
        size, wanted = file.stat().st_size, self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if body:
            self.hub.asked.append((address, wanted))
        if start and start >= size:
            self._nothing(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", f'"{hashlib.md5(str(file).encode()).hexdigest()}"')
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        if body:
            self._body(address, file, start)

    def _body(self, address: str, file: Path, start: int) -> None:
        cuts = self.hub.cut.get(address)
        with file.open("rb") as source:
            source.seek(start)
            if cuts:
                self.wfile.write(source.read(cuts.pop(0)))
                self.close_connection = True
            else:
                shutil.copyfileobj(source, self.wfile, CHUNK)

    def log_message(self, *args: Any) -> None:
        """Keep the report clean."""


@contextmanager
def hub() -> Iterator[Hub]:
    """The server, on a free port, for as long as the context lasts."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.hub = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield handler.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
