"""The photographs of the mini scale: fetched from Debian packages made here; and the real manifest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from debian_files import FILES, PACKINGS, deb, png

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import data_dir
from adcbench.data.training import debian, photographs
from adcbench.data.training.photographs import Photo, attributions, fetch_photographs, photographs_dir, photos
from adcbench.data.training.sources import open_images

PHOTOS = tuple(
    Photo(f"{n}.png", "walls", "1-1", path, len(data), hashlib.sha256(data).hexdigest(), 8, 6, "CC0-1.0", "A. Nobody")
    for n, (path, data) in enumerate(FILES.items())
)


@pytest.fixture(autouse=True)
def _own_manifest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    if "real" not in request.node.name:
        monkeypatch.setattr(photographs, "photos", lambda: PHOTOS)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ``apt-get`` that copies the package of its folder, and counts how often."""
    folder = tmp_path / "apt"
    folder.mkdir()
    script = (
        f'#!/bin/sh\necho "$2" >> {folder}/calls\ncp {folder}/"$2"_*.deb . || {{ echo "E: no $2" >&2; exit 100; }}\n'
    )
    (folder / "apt-get").write_text(script)
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize("suffix", PACKINGS)
def test_fetched_by_apt_verified_and_readable(suffix: str, apt: Path) -> None:
    (apt / "walls_2%3a7-1_all.deb").write_bytes(deb({**FILES, "usr/share/doc/other.png": png(9)}, suffix))
    folder = fetch_photographs()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == dict(
        zip(("0.png", "1.png", "2.png"), FILES.values(), strict=True)
    )
    assert photographs_dir(full=True) == folder == data_dir() / "photographs"
    assert open_images("photographs").read(1)[0, 0].tolist() == [2, 0, 0]
    assert open_images("photographs@2").read(1).shape == (3, 4, 3)
    with pytest.raises(AdcbenchError, match="whole number"):
        open_images("photographs@half")


def test_what_is_there_is_not_fetched_again_and_what_changed_is(apt: Path) -> None:
    (apt / "walls_1_all.deb").write_bytes(deb(FILES))
    folder = fetch_photographs()
    fetch_photographs()
    assert (apt / "calls").read_text() == "walls\n"
    changed = folder / "1.png"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")  # the same size
    assert photographs_dir() == folder
    with pytest.raises(Blocked, match=r"1\.png"):
        photographs_dir(full=True)
    changed.write_bytes(changed.read_bytes()[:-1])
    with pytest.raises(Blocked, match=r"1\.png"):
        photographs_dir()
    fetch_photographs()
    assert (apt / "calls").read_text() == "walls\nwalls\n"
    assert changed.read_bytes() == png(2)


def test_other_contents_are_named_and_the_rest_is_kept(apt: Path) -> None:
    (apt / "walls_1_all.deb").write_bytes(deb(FILES | {"usr/share/backgrounds/2.png": png(77)}))
    with pytest.raises(AdcbenchError, match=r"1 of 3 photographs .* 1\.png\. The other 2 .* walls 1-1"):
        fetch_photographs()
    with pytest.raises(Blocked, match=r"1 of 3 .*: 1\.png"):
        photographs_dir()


def test_a_package_that_apt_does_not_know(apt: Path) -> None:
    with pytest.raises(Blocked, match=r"Debian package walls \(E: no walls\)") as caught:
        fetch_photographs()
    assert "apt-get update" in caught.value.command


def test_without_apt_the_packages_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)
    with pytest.raises(Blocked, match="apt-get") as caught:
        fetch_photographs()
    assert "--from" in caught.value.command


@pytest.mark.parametrize("packed", [True, False])
def test_from_a_folder_of_packages_or_of_files_under_any_names(packed: bool, tmp_path: Path) -> None:
    source = tmp_path / "given" / "deep"
    source.mkdir(parents=True)
    if packed:
        (source / "any.deb").write_bytes(deb(FILES))
    else:
        for number, content in enumerate(FILES.values()):
            (source / f"renamed{number}").write_bytes(content)
    ran = CliRunner().invoke(cli, ["fetch", "photographs", "--from", str(source.parent)])
    assert ran.exit_code == 0, ran.output
    assert photographs_dir(full=True)


def test_the_real_manifest() -> None:
    assert len(photos()) == len({photo.sha256 for photo in photos()}) == 37
    assert [photo.name for photo in photos()] == sorted({photo.name for photo in photos()})
    free = {"CC0-1.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-2.0-or-later"}
    assert {photo.licence for photo in photos()} == free
    assert all(photo.author and photo.author in line for photo, line in zip(photos(), attributions(), strict=True))
    assert sum((photo.width // 512) * (photo.height // 512) for photo in photos()) == 715


def test_what_cannot_be_read_beside_the_photographs_does_not_end_the_search(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, data in enumerate(FILES.values()):
        (folder / f"{number}").write_bytes(data)
    (folder / "gone").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.deb")
    assert fetch_photographs(folder) == data_dir() / "photographs"
