"""``ADCBENCH_OFFLINE=1``: no connection is opened, and what needs one says so at once.

What downloads asks ``need_network`` first. Behind it stand the libraries' own switches and, for what neither knows,
a hook of Python's that sees every connection that Python code opens.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import sys
from functools import lru_cache
from typing import Any

from adcbench.core.errors import Blocked
from adcbench.core.settings import OFFLINE, offline

_LIBRARIES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "DIFFUSERS_OFFLINE", "UV_OFFLINE")

_READ_ALREADY = {"huggingface_hub.constants", "datasets.config"}  # what reads them when it is imported


def need_network(what: str) -> None:
    """Refuse what needs a connection where none may be opened.

    Raises:
        Blocked: ``ADCBENCH_OFFLINE`` is set; names it and ``what``.
    """
    if offline():
        raise Blocked(f"a connection, for {what}: {OFFLINE} forbids it", f"unset {OFFLINE}, and run the same command")


def stay_offline() -> None:
    """If ``ADCBENCH_OFFLINE`` is set, keep libraries and all other code, and their children, from connecting."""
    if offline():
        os.environ.update(dict.fromkeys(_LIBRARIES, "1"))
        for module in _READ_ALREADY & sys.modules.keys():
            sys.modules[module].HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
        _watch()


@lru_cache
def _watch() -> None:
    sys.addaudithook(_refuse)  # stays for good, so once a process


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse connections and look-ups of names other than this machine's."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):  # else a socket in the file system
        _check_host(arguments[1][0])
    elif event == "socket.getaddrinfo":
        _check_host(arguments[0])


def _check_host(host: Any) -> None:
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "localhost")
    try:
        address = ipaddress.ip_address(name)
        local = address.is_loopback or address.is_unspecified
    except ValueError:
        local = name in ("localhost", platform.node())
    if not local:
        need_network(name)
