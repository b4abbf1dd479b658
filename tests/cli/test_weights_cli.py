"""``adcbench weights``: the list, the download with its questions, the check."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from commands import message
from webserver import Web, web  # noqa: F401  (a fixture)

from adcbench.cli import cli
from adcbench.cli import options as commands
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import weights_dir
from adcbench.core.weight_files import WeightFile
from adcbench.data.weight_downloads import SUMS
from adcbench.inference.folder import with_weights
from adcbench.metrics import METRICS
from adcbench.systems.system import System, Upscaler
from adcbench.workflows import catalogue

BASE, LORA = b"the base model" * 1000, b"the small part" * 10


@dataclass(frozen=True)
class _Config:
    width: int = 1


def _load(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    assert weights
    if weights["lora.pkl"].read_bytes() != LORA:
        raise AdcbenchError("lora.pkl holds something else")
    return lambda lr: lr


def _system(name: str, *files: WeightFile) -> System:
    get = f"adcbench weights fetch {name}"
    return System(name, "1", "full", _Config(), ("adcbench.core.errors",), _load, files, get=get)


@pytest.fixture
def shop(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:  # noqa: F811
    """Two systems on one base model, and a table that runs both."""
    web.files |= {"/base.safetensors": BASE, "/lora.pkl": LORA}
    url = f"{web.url}/base.safetensors"
    base = WeightFile("base.safetensors", url, size=len(BASE), licence="OpenRAIL", folder="base")
    lora = WeightFile("lora.pkl", f"{web.url}/lora.pkl", size=len(LORA), licence="S-Lab 1.0", non_commercial=True)
    files = {"one": (base, lora), "two": (base, replace(lora, size=0)), "none": ()}
    systems = {name: _system(name, *needed) for name, needed in files.items()}
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("adcbench.systems.find_system", systems.__getitem__)
    monkeypatch.setattr(catalogue, "users_of_table", lambda table: ("one", "none", "two"))
    return web


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["weights", *arguments])


def error(*arguments: str) -> str:
    return message(run(*arguments))


def test_list_says_what_is_known_of_each_file(shop: Web) -> None:
    text = run("list", "one").output
    base, lora = text.split("base.safetensors", 1)[1].split("lora.pkl", 1)
    assert all(part in base for part in ("14 kB", "OpenRAIL", "none", "missing", "one", shop.url))
    assert all(part in lora for part in ("140 B", "S-Lab 1.0 [NON-COMMERCIAL]"))
    run("fetch", "one", "--yes")
    assert run("list", "one").output.count("recorded  here") == 2


def test_fetch_for_a_table_brings_shared_files_once(shop: Web) -> None:
    result = run("fetch", "--for", "any/table", "--yes")
    assert result.exit_code == 0, result.exception
    assert sorted(shop.paths()) == ["/base.safetensors", "/lora.pkl", "/lora.pkl"]
    found = {p.relative_to(weights_dir()).as_posix() for p in weights_dir().glob("*/*.[ps]*")}
    assert found == {"base/base.safetensors", "one/lora.pkl", "two/lora.pkl"}
    assert "3 files to download, 14.1 kB, and 1 of unknown size" in result.output
    assert "For non-commercial use only: one/lora.pkl, two/lora.pkl" in result.output
    shop.asked.clear()
    assert "to download" not in run("fetch", "--for", "any/table").output
    assert shop.asked == []


def test_sizes_that_nobody_wrote_down_are_asked_for(shop: Web) -> None:
    shop.heads = True
    result = run("fetch", "two")
    assert "2 files to download, 14.1 kB:\n" in result.output
    assert shop.asked == []


def test_nothing_is_downloaded_before_somebody_agrees(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "add --yes" in error("fetch", "one")
    monkeypatch.setattr(commands, "sys", _Terminal())
    refused = CliRunner().invoke(cli, ["weights", "fetch", "one"], input="n\n")
    assert refused.exit_code == 1 and "Download?" in refused.output
    assert shop.asked == []
    assert CliRunner().invoke(cli, ["weights", "fetch", "one"], input="y\n").exit_code == 0
    assert len(shop.asked) == 2


class _Terminal:
    class stdin:
        @staticmethod
        def isatty() -> bool:
            return True


def test_a_file_that_fails_does_not_stop_the_others(shop: Web) -> None:
    del shop.files["/base.safetensors"]
    message = error("fetch", "one", "--yes")
    assert message.startswith("1 of 2 weight files are not here yet:\n- one: base.safetensors: 404")
    assert (weights_dir() / "one/lora.pkl").read_bytes() == LORA


def test_files_by_hand_say_where_from_and_where_to(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    system = _system("one", WeightFile("unet.pth", "", licence="Apache-2.0", by_hand="Google Drive of the authors"))
    monkeypatch.setattr("adcbench.systems.find_system", lambda name: system)
    message = error("fetch", "one")
    assert "Google Drive of the authors" in message
    assert f"put the file at {weights_dir() / 'one/unet.pth'}" in message


def test_no_space_is_said_before_the_download(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: _Disk())
    assert "has 1 kB free, the files need 14.1 kB" in error("fetch", "one", "--yes")
    assert shop.asked == []


class _Disk:
    free = 1000


def test_check_compares_hashes_and_loads(shop: Web) -> None:
    missing = run("check", "one")
    assert missing.exit_code == 1
    assert missing.output.count("missing. To get it: adcbench weights fetch one") == 2
    run("fetch", "one", "--yes")
    good = run("check", "one", "--load")
    assert good.exit_code == 0, good.output
    assert good.output.splitlines()[-1] == "ok   one loads: all its tensors, strictly"
    path = weights_dir() / "one/lora.pkl"
    path.write_bytes(b"damaged")
    bad = run("check", "one", "--load")
    assert bad.exit_code == 1
    found, recorded = (hashlib.sha256(data).hexdigest() for data in (b"damaged", LORA))
    assert f"BAD  one/lora.pkl: its sha256 is {found}, not the recorded {recorded}" in bad.output
    assert f"BAD  one loads: {path}: not the file lora.pkl of one: its sha256 is {found}" in bad.output
    (weights_dir() / "one" / SUMS).unlink()
    path.write_bytes(b"x" * len(LORA))  # the size that is known
    assert "nobody published its sha256" in run("check", "one").output
    assert "BAD  one loads: lora.pkl holds something else" in run("check", "one", "--load").output


PAGE, POINTER = b"<!DOCTYPE html><html>Sign in</html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:"


@pytest.mark.parametrize("content", [PAGE, b"\n" + PAGE * 100, POINTER, b""])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("fid", "metrics/weights-inception-2015-12-05-6726825d.pth"),  # the digits in its name are known, and its size
        ("raft", "metrics/raft_large_C_T_V1-22a6c225.pth"),  # its size is known to three digits
        ("osediff", "osediff/osediff.pkl"),
        ("sinsr", "sinsr/SinSR_v1.pth"),  # nothing is known
    ],
)
def test_check_and_loading_refuse_what_a_server_put_in_a_file_s_place(
    content: bytes, name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    users = catalogue.chosen((name,))
    for entry in catalogue.entries(users):
        entry.path.parent.mkdir(exist_ok=True)
        entry.path.write_bytes(content)
    result = run("check", name)
    assert result.exit_code == 1
    words = {PAGE: "a web page", POINTER: "a git-lfs pointer", b"": "an empty file"}.get(content, "a web page")
    assert f"BAD  {file}: {words}" in result.output
    with pytest.raises(AdcbenchError, match=f"{words}.*Delete it, then run: adcbench weights fetch"):
        users[0].find_weights()  # type: ignore[attr-defined]


def test_a_size_alone_is_compared_as_far_as_it_is_known(shop: Web) -> None:
    path = weights_dir() / "one" / "lora.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(LORA)
    assert (
        f"ok   one/lora.pkl: size alone; nobody published its sha256 and none is recorded; it is {_sha256(LORA)}"
        in (run("check", "one").output)
    )
    path.write_bytes(LORA + bytes(11))
    assert "BAD  one/lora.pkl: it has 151 bytes, not 140; truncated, or another file" in run("check", "one").output
    path.write_bytes(LORA + bytes(10))  # 140 may be a rounded 150
    assert "ok   one/lora.pkl" in run("check", "one").output


def test_a_user_s_own_weights_may_have_any_size(tmp_path: Path) -> None:
    (tmp_path / "lora.pkl").write_bytes(LORA)
    system = _system("one", WeightFile("lora.pkl", "", sha256="0" * 64, size=5))
    assert with_weights(system, tmp_path).find_weights() == {"lora.pkl": tmp_path / "lora.pkl"}


def test_what_nobody_knows_is_not_called_ok(shop: Web) -> None:
    path = weights_dir() / "two" / "lora.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights?")
    result = run("check", "two")
    assert (
        f"not verified two/lora.pkl: nobody published its sha256 and none is recorded; it is {_sha256(b'weights?')}"
        in (result.output)
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["os:getcwd", "builtins:object", "json:loads", ":x", ".mod:good", "../x:y", "a" * 300])
def test_what_is_no_system_is_one_line(name: str) -> None:
    for command in (("check",), ("list",), ("fetch", "--yes")):
        text = error(*command, name)
        assert text.startswith((f"system {name!r}: ", f"unknown system {name!r}")) and "\n" not in text


def test_what_can_not_be_meant_is_named(shop: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "name systems" in error("fetch")
    assert "name systems" in error("check")
    assert "none has no weight files" in error("fetch", "none")
    other = _system("two", WeightFile("base.safetensors", "https://x.org/other", folder="base"))
    systems: dict[str, Any] = {"one": _system("one", WeightFile("base.safetensors", "", folder="base")), "two": other}
    monkeypatch.setattr("adcbench.systems.find_system", systems.__getitem__)
    assert "two and one mean different files by" in error("list", "one", "two")


def test_the_catalogue_of_the_built_in_systems() -> None:
    result = run("list")
    assert result.exit_code == 0, result.exception
    for name in ("net_params_200.pkl", "osediff.pkl", "unet.safetensors", "realesrgan-x4plus.bin"):
        assert name in result.output
    assert "net_params_200.pkl" in run("list", "--for", "adcsr/table1").output
    assert max(map(len, result.output.splitlines())) <= 180  # to be read in a terminal; addresses are the longest


def test_a_checkpoint_that_is_another_s_is_found_by_the_digits_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    path = tmp_path / "metrics" / "musiq_koniq_ckpt-e95806b9.pth"
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    with pytest.raises(AdcbenchError, match=r"not e95806b9; truncated, or another file.*adcbench weights fetch musiq"):
        METRICS["musiq"].find_weights()
