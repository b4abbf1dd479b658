"""DOVER's and FasterVQA's networks, run by the package vsreval in an environment of its own.

Their code and weights are non-commercial and vsreval needs torch < 2.7 and numpy < 2, so nothing of them is imported
here: a child process answers with raw scores, and what papers make of those is ours (``dover.py``, ``fastervqa.py``).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from adcbench.core.errors import Blocked
from adcbench.core.settings import weights_dir
from adcbench.data.media.images import write_png
from adcbench.metrics.metric import Frames, Metric, ScoringStopped
from adcbench.metrics.tools import Runtime

VERSION = "0.1.0"
PYTHON = "ADCBENCH_VSREVAL_PYTHON"  # the interpreter of an environment that has vsreval
_RUNNER = Path(__file__).with_name("vsreval_runner.py")
_UV = ("uv", "run", "--isolated", "--no-project", "--python", "3.12", "--with", f"vsreval=={VERSION}", "python")
_LEAST = 32  # side of a fragment in pixels; the decoder crashes on much smaller frames
_CHECK = ("-c", f"import importlib.metadata as m; assert m.version('vsreval') == '{VERSION}'")

Raw: TypeAlias = Mapping[str, float]  # technical and aesthetic for DOVER, raw for FasterVQA
Ask: TypeAlias = Callable[[Frames], Raw]


def interpreter() -> tuple[str, ...]:
    """The command that starts a Python with vsreval: the one ``ADCBENCH_VSREVAL_PYTHON`` names, or uv's.

    uv works offline here: whether packages may be downloaded is yours to say.

    Raises:
        Blocked: neither is here; the message has the command that makes one.
    """
    own = os.environ.get(PYTHON, "")
    uv = (*_UV[:2], "--offline", *_UV[2:]) if shutil.which("uv") else ()
    for command in filter(None, ((own,) if own else (), uv)):
        if _works((*command, *_CHECK)):
            return tuple(command)
    raise Blocked(
        f"an environment with vsreval {VERSION}, whose code of DOVER and FasterVQA is for non-commercial use: uv makes "
        f"one, or {PYTHON} names the interpreter of yours",
        shlex.join((*_UV, *_CHECK)),
    )


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def asking(metric: str, device: str = "cpu", *, antialias: bool = False) -> Iterator[Ask]:
    """Start the process; what it gives is called with a clip's frames and returns the network's raw scores.

    The frames go through a libx264 yuv444p file without loss, as vsreval does it with everything: values move by
    up to two levels. Its crops are drawn with a fixed seed.

    Args:
        metric: ``dover`` or ``fastervqa``; the weights lie below ``weights_dir()/metrics``.
        device: where the network runs.
        antialias: resize DOVER's frames with antialiasing.

    Raises:
        Blocked: no environment has vsreval.
        ScoringStopped: it does not start, or ends. A clip that it refuses is a ValueError of the call.
    """
    command = interpreter()
    with tempfile.TemporaryDirectory(prefix="adcbench-vsreval-") as folder:
        arguments = (
            "-c",
            _RUNNER.read_text(encoding="utf-8"),
            metric,
            device,
            "yes" if antialias else "no",
            f"{folder}/videos",
        )
        with (
            (Path(folder) / "stderr").open("w+", encoding="utf-8") as errors,
            subprocess.Popen(
                (*command, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                cwd=folder, env=os.environ | {"VSREVAL_WEIGHTS": str(weights_dir() / "metrics"), "HF_HUB_OFFLINE": "1"},
            ) as process,
        ):  # fmt: skip
            try:
                if problem := _answer(process, Path(folder)).get("error"):
                    raise ScoringStopped(f"vsreval can't load {metric}: {problem}")
                yield partial(_ask, process, Path(folder))
            finally:
                try:  # it ends when its input does; a hanging one is stopped
                    assert process.stdin
                    process.stdin.close()
                    process.wait(timeout=10)
                except (OSError, subprocess.TimeoutExpired):
                    process.kill()


def _ask(process: subprocess.Popen[str], folder: Path, frames: Frames) -> Raw:
    clip = Path(tempfile.mkdtemp(dir=folder))
    try:
        for index, frame in enumerate(frames):
            if min(frame.shape[:2]) < _LEAST:
                raise ValueError(f"vsreval needs frames of at least {_LEAST}x{_LEAST} pixels")
            write_png(clip / f"{index:05d}.png", frame)
        answer = _answer(process, folder, str(clip))
    finally:
        shutil.rmtree(clip, ignore_errors=True)
        (folder / "videos" / "pred" / f"{clip.name}.mp4").unlink(missing_ok=True)
    if problem := answer.get("error"):
        raise ValueError(f"vsreval: {problem}")
    return answer


def _answer(process: subprocess.Popen[str], folder: Path, question: str = "") -> dict[str, Any]:
    """The next answer, after a question."""
    assert process.stdin
    assert process.stdout
    try:
        if question:
            print(question, file=process.stdin, flush=True)
        line = process.stdout.readline()
    except OSError:  # it is gone
        line = ""
    if not line:
        code = process.wait()
        last = (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        why = f"killed by signal {-code}, perhaps for want of memory" if code < 0 else "".join(last)
        raise ScoringStopped(f"vsreval's process ended: {why or f'exit code {code}'}")
    answer: dict[str, Any] = json.loads(line)
    return answer


@dataclass(frozen=True)
class VsrevalNetwork:
    """A quality network of vsreval, which a metric asks for its raw scores.

    Args:
        name: ``dover`` or ``fastervqa``.
        antialias: see ``asking``.
    """

    name: str
    antialias: bool = False
    text: str = ""
    modules: tuple[str, ...] = (__name__, f"{__name__.rpartition('.')[0]}.vsreval_runner")
    libraries: tuple[str, ...] = ()
    is_network: bool = True
    networks: tuple[Metric, ...] = ()

    @property
    def key(self) -> str:
        """Changes with the network."""
        return f"{self.name} {self.antialias}"

    def check_here(self) -> None:
        """Raise ``Blocked`` where no environment has vsreval."""
        interpreter()

    def open(self, runtime: Runtime) -> Ask:
        """The process: frames -> raw scores of the network's outputs, without the score that vsreval makes of them."""
        ask: Ask = runtime.enter(asking(self.name, runtime.device, antialias=self.antialias))
        return lambda frames: {name: raw for name, raw in ask(frames).items() if name != "vsreval"}
