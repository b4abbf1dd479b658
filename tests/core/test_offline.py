"""ADCBENCH_OFFLINE=1: nothing opens a connection, and what needs one says so at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.core import offline
from adcbench.core.errors import Blocked
from adcbench.core.settings import PACKAGE
from adcbench.data.download import remote_size

NETWORK = {  # what opens connections, and where it may be imported
    "requests": ["data/download.py"],
    "datasets": ["data/training/hub.py"],
    "huggingface_hub": ["report/exports/hf_eval_results.py"],  # for its file format alone
    **{name: [] for name in ("urllib", "urllib3", "http", "socket", "ftplib", "httpx", "aiohttp")},
}
TEXT_ONLY = ("urllib.parse",)  # of these, what opens none
DOWNLOADERS = ("urlretrieve", "load_state_dict_from_url", "hf_hub_download", "snapshot_download", "retrieve")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is here, and nobody may connect or start a program that would."""
    monkeypatch.setenv("ADCBENCH_OFFLINE", "1")
    for name in ("ADCBENCH_DATA", "ADCBENCH_WEIGHTS", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in offline._LIBRARIES:  # as it was afterwards
        monkeypatch.setenv(name, "")
    for module in offline._READ_ALREADY & sys.modules.keys():
        monkeypatch.setattr(sys.modules[module], "HF_HUB_OFFLINE", False)

    def forbidden(*arguments: Any, **options: Any) -> Any:
        pytest.fail(f"connects: {arguments}")

    for place in ("socket.socket.connect", "socket.socket.connect_ex", "socket.getaddrinfo"):
        monkeypatch.setattr(place, forbidden)
    monkeypatch.setattr("adcbench.data.training.debian.subprocess", None)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("fetch drealsr", "from https://raw.githubusercontent.com"),
        ("fetch realsr", "from https://raw.githubusercontent.com"),
        ("fetch photographs", "Debian package"),
        ("weights fetch adcsr --yes", "adcsr/net_params_200.pkl"),
        ("weights fetch osediff", "osediff/osediff.pkl"),
        ("weights fetch --for adcsr/table1 --yes", "weight files"),
        ("weights fetch adcsr-training --yes", "weight files"),
        ("weights fetch musiq raft --yes", "musiq_koniq_ckpt"),
    ],
)
def test_what_needs_a_connection_says_so(command: str, what: str) -> None:
    result = CliRunner().invoke(cli, command.split())
    assert isinstance(result.exception, Blocked), result.output
    text = str(result.exception)
    assert "ADCBENCH_OFFLINE" in text and what in text and "\n" not in text


def test_a_dataset_of_the_hub_that_is_not_in_the_cache() -> None:
    pytest.importorskip("datasets")  # imported before anything said that there is no network
    import huggingface_hub  # noqa: F401

    from adcbench.data.training.hub import HubImages

    with pytest.raises(Blocked, match=r"the dataset nobody/nothing.*ADCBENCH_OFFLINE"):
        HubImages("nobody/nothing")


@pytest.mark.parametrize("command", ["weights list", "weights check adcsr", "fetch embedded"])
def test_what_needs_none_works(command: str) -> None:
    result = CliRunner().invoke(cli, command.split())
    assert result.exit_code in (0, 1) and not isinstance(result.exception, Blocked), result.output


def test_sizes_are_not_asked_for() -> None:
    assert remote_size("https://huggingface.co/x") == 0


@pytest.mark.parametrize("value", ["", "0"])
def test_it_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_OFFLINE", value)
    offline.need_network("a file")


def test_any_library_s_connection_is_refused_and_this_machine_s_is_not() -> None:
    """In a process of its own: Python's hooks stay for good."""
    ran = subprocess.run([sys.executable, "-c", _CONNECTS], capture_output=True, text=True, check=True)
    name, number, local = ran.stdout.splitlines()
    assert "example.org: ADCBENCH_OFFLINE forbids it" in name and "192.0.2.1" in number
    assert local == "hello"


_CONNECTS = """
import os, socket, threading, urllib.request
import adcbench
from adcbench.core.errors import Blocked
assert os.environ["HF_HUB_OFFLINE"] == os.environ["UV_OFFLINE"] == "1"
for connect in (
    lambda: urllib.request.urlopen("http://example.org/"),
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
):
    try:
        connect()
    except Blocked as error:
        print(error)
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"hello"), daemon=True).start()
with socket.create_connection(server.getsockname()) as client:
    print(client.recv(5).decode())
"""


def test_only_known_places_can_connect() -> None:
    """A new one asks ``need_network`` first, and is listed here with a test above."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [
                f"{here}: {name}"
                for name in names
                if name not in TEXT_ONLY and here not in NETWORK.get(name.partition(".")[0], [here])
            ]
            called = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            found += [f"{here}: {called}"] if called in DOWNLOADERS else []
    assert found == []
