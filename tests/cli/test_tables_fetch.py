"""``adcbench reproduce TABLE --fetch``: what it says and asks, what goes wrong with servers and disks, going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from commands import message
from toy_tables import use_tables
from webserver import Web, web  # noqa: F401  (a fixture)

from adcbench.cli import cli
from adcbench.cli import options as cli_options
from adcbench.core.cells import Cell
from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.data import download
from adcbench.data.media.images import resize, write_png
from adcbench.data.test_sets import registry
from adcbench.data.test_sets.manifest import scan_folder, write_manifest
from adcbench.data.test_sets.test_set import TestSet
from adcbench.report.files import read_cells
from adcbench.systems.system import System, Upscaler

WEIGHTS = b"factor of four" * 20_000
COMMIT = "c0ffee"
SET = TestSet(
    "Small", "small", 2, repository="owner/name", commit=COMMIT, licence="CC0",
    upstream=(("LR", "lr"), ("HR", "hr")),
)  # fmt: skip
TABLE = """from adcbench.tables import Column, Infer, Table
TABLE = Table("toy", "toys", "1", "ours", "Toy", ("A",), (Column("Small", "PSNR", "dB", "higher", scored_by="psnr"),),
              jobs=(Infer("A", "Small", "one", {"PSNR": "psnr"}),))
"""


@dataclass(frozen=True)
class _Config:
    width: int = 1


def _load(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    assert weights and weights["one.pth"].read_bytes() == WEIGHTS
    return lambda lr: torch.nn.functional.interpolate(lr, scale_factor=4)


def one(server: str, sha: str = "") -> System:
    """A system whose only file two addresses serve."""
    file = WeightFile(
        "one.pth", f"{server}/first/one.pth", (f"{server}/second/one.pth",), sha or sha256(WEIGHTS).hexdigest(),
        len(WEIGHTS), "S-Lab 1.0", non_commercial=True,
    )  # fmt: skip
    get = "adcbench weights fetch one"
    return System("one", "1", "full", _Config(), ("adcbench.core.errors",), _load, (file,), get=get)


def prepare(root: Path, server: str) -> None:
    """A table that runs the system on a test set, none of which is here, as a child process makes it too."""
    os.environ |= {
        "ADCBENCH_WEIGHTS": str(root / "weights"),
        "ADCBENCH_DATA": str(root / "data"),
        "ADCBENCH_TABLES": str(root / "tables"),
        "ADCBENCH_GITHUB_RAW": server,
    }
    import adcbench.systems
    from adcbench.tables import loading

    adcbench.systems.find_system = {"one": one(server)}.__getitem__  # type: ignore[assignment]
    loading.reproductions_dir = lambda: root / "reproductions"
    registry.TEST_SETS["Small"] = SET
    registry.manifest_path = lambda test_set: root / "small.csv"


@pytest.fixture
def shop(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:  # noqa: F811
    """A server with the checkpoint at both addresses and the test set."""
    for kind, factor in (("hr", 1), ("lr", 4)):
        for name in ("a", "b"):
            hr = np.random.default_rng(ord(name)).integers(0, 256, (16, 24, 3), np.uint8)
            path = tmp_path / "origin" / kind.upper() / f"{name}.png"
            write_png(path, resize(hr, 16 // factor, 24 // factor))
            web.files[f"/owner/name/{COMMIT}/{kind}/{name}.png"] = path.read_bytes()
    write_manifest(scan_folder(tmp_path / "origin"), tmp_path / "small.csv")
    web.files |= {"/first/one.pth": WEIGHTS, "/second/one.pth": WEIGHTS}
    (tmp_path / "reproductions").mkdir()
    (tmp_path / "reproductions" / "toy.py").write_text(TABLE)
    for variable in ("ADCBENCH_WEIGHTS", "ADCBENCH_DATA", "ADCBENCH_TABLES", "ADCBENCH_GITHUB_RAW"):
        monkeypatch.setenv(variable, "")
    for place in ("adcbench.systems.find_system", "adcbench.tables.loading.reproductions_dir"):
        monkeypatch.setattr(place, None)
    monkeypatch.setattr(registry, "manifest_path", None)
    monkeypatch.setitem(registry.TEST_SETS, "Small", SET)
    use_tables(tmp_path, monkeypatch)
    prepare(tmp_path, web.url)
    return web


def reproduce(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["reproduce", "toy", "--fetch", *arguments])


def cell() -> Cell:
    (found,) = read_cells("toy")
    return found


def test_it_says_sizes_licences_and_time_then_fetches_and_measures(shop: Web, tmp_path: Path) -> None:
    result = reproduce("--yes")
    assert result.exit_code == 0, result.output
    expected = (
        "test set Small: 4 files to download", "CC0", "1 files to download, 280 kB", "one/one.pth", "S-Lab 1.0",
        "For non-commercial use only: one/one.pth", "In all", "under a minute",
        "one: 2 images of Small: nobody timed it on this device",
    )  # fmt: skip
    assert all(part in result.output for part in expected), result.output
    measured = cell().measured
    assert measured and [name for name, _ in measured.samples] == ["a", "b"]
    shop.asked.clear()
    again = reproduce()  # all is here: nothing is asked
    assert again.exit_code == 0 and shop.asked == []


def test_without_consent_nothing_moves(shop: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "add --yes. Nothing was downloaded" in message(reproduce())

    class Terminal:
        class stdin:
            @staticmethod
            def isatty() -> bool:
                return True

    monkeypatch.setattr(cli_options, "sys", Terminal())
    refused = CliRunner().invoke(cli, ["reproduce", "toy", "--fetch"], input="n\n")
    assert refused.exit_code == 1 and "Download?" in refused.output
    assert shop.asked == [] and not (tmp_path / "tables").exists() and not (tmp_path / "weights").exists()
    assert CliRunner().invoke(cli, ["reproduce", "toy", "--fetch"], input="y\n").exit_code == 0


def test_a_mirror_serves_where_an_address_is_down(shop: Web) -> None:
    shop.status["/first/one.pth"] = [503] * download.TRIES
    assert reproduce("--yes").exit_code == 0
    assert "/second/one.pth" in shop.paths() and cell().measured


def test_a_file_with_another_hash_is_refused_and_the_rest_goes_on(shop: Web, tmp_path: Path) -> None:
    shop.files["/first/one.pth"] = WEIGHTS[:-1] + b"?"
    text = message(reproduce("--yes"))
    assert "unexpected sha256" in text and "published sha256" in text
    assert not (tmp_path / "weights/one/one.pth").exists() and (tmp_path / "data/small/LR/a.png").is_file()
    assert cell().command == "adcbench weights fetch one"
    shop.files["/first/one.pth"] = WEIGHTS
    assert reproduce("--yes").exit_code == 0 and cell().measured


def test_a_disk_too_small_is_said_before_anything_comes(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        free = 280_000  # enough for the checkpoint, not for the images too

    monkeypatch.setattr("shutil.disk_usage", lambda folder: Disk())
    text = message(reproduce("--yes"))
    assert "has 280 kB free, the files need 28" in text and "another disk" in text
    assert shop.asked == []


def test_offline_says_so_before_anything_comes(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_OFFLINE", "1")
    assert "ADCBENCH_OFFLINE forbids it" in message(reproduce("--yes"))


_CHILD = """
import json, sys
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from test_tables_fetch import prepare
prepare(Path(sys.argv[2]), sys.argv[3])
from adcbench.cli import cli
cli.main(["reproduce", "toy", "--fetch", "--yes"], standalone_mode=False)
"""


def test_killed_in_a_download_it_goes_on_where_it_was(shop: Web, tmp_path: Path) -> None:
    whole = shop.files["/first/one.pth"]
    shop.files["/first/one.pth"] = whole[:200_000]  # the rest never comes
    shop.declared["/first/one.pth"] = len(whole)
    arguments = (json.dumps(sys.path), str(tmp_path), shop.url)
    child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], stderr=subprocess.PIPE, text=True)
    part = tmp_path / "weights/one/.one.pth.part"
    for _ in range(1200):
        if child.poll() is not None or (part.is_file() and part.stat().st_size >= 65_536):
            break
        time.sleep(0.05)
    assert child.poll() is None, child.stderr and child.stderr.read()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    here = part.stat().st_size
    shop.files["/first/one.pth"] = whole
    shop.declared.clear()
    shop.asked.clear()
    assert reproduce("--yes").exit_code == 0
    assert ("/first/one.pth", f"bytes={here}-") in shop.asked
    assert [path for path in shop.paths() if path.startswith("/owner")] == []  # the test set was here
    assert cell().measured


def test_an_unknown_table_is_an_error_before_anything_is_asked(shop: Web) -> None:
    result = CliRunner().invoke(cli, ["reproduce", "no/table", "--fetch", "--yes"])
    assert isinstance(result.exception, AdcbenchError) and "unknown table" in str(result.exception)
    assert shop.asked == []
