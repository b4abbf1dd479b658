"""A local HTTP server whose failures a test can choose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adcbench.data import download

_PATIENCE_S = 60.0


@dataclass
class Web:
    """What the server serves, how it fails, and what it was asked.

    Args:
        files: content by path.
        ranges: answer byte ranges; else ignore the header, as some servers do.
        etags: ETag by path.
        cut: bytes after which the connection is cut, by path; once for each entry of the list.
        status: answer this status instead, by path; once for each entry of the list.
        length: say how long each file is.
        declared: length to announce, by path, where that is more than is sent; the connection then stays open.
        heads: answer HEAD requests (they are not noted in ``asked``).
        types: Content-Type by path.
        encodings: Content-Encoding by path.
        asked: (path, Range header) of each request.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etags: dict[str, str] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    status: dict[str, list[int]] = field(default_factory=dict)
    length: bool = True
    types: dict[str, str] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)
    heads: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_HEAD(self) -> None:
        content = self.web.files.get(self.path)
        self.send_response(501 if not self.web.heads else 200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        web, path, wanted = self.web, self.path, self.headers.get("Range", "")
        web.asked.append((path, wanted))
        if web.status.get(path):
            self.send_error(web.status[path].pop(0))
        elif path not in web.files:
            self.send_error(404)
        else:
            self._send(web.files[path], int(wanted[6:-1]) if wanted and web.ranges else 0)

    def _send(self, content: bytes, start: int) -> None:
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.path in self.web.etags:
            self.send_header("ETag", self.web.etags[self.path])
        if self.path in self.web.types:
            self.send_header("Content-Type", self.web.types[self.path])
        if self.path in self.web.encodings:
            self.send_header("Content-Encoding", self.web.encodings[self.path])
        if self.web.length:
            self.send_header("Content-Length", str(self.web.declared.get(self.path, len(content)) - start))
        self.end_headers()
        cuts = self.web.cut.get(self.path)
        self.wfile.write(content[start:][: cuts.pop(0)] if cuts else content[start:])
        if self.path in self.web.declared:
            self.wfile.flush()
            self.connection.settimeout(_PATIENCE_S)
            with suppress(OSError):
                self.connection.recv(1)  # until the other side is gone

    def log_message(self, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server on a free local port; nobody waits between tries."""
    monkeypatch.setattr(download, "BACKOFF_S", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.web = Web(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield handler.web
    server.shutdown()
    server.server_close()
    thread.join()
