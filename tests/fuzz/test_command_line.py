"""Commands with one argument replaced by something odd: each ends in an answer or in one line, never in a traceback.

A seeded sample here; ``nox -s fuzz`` runs many more (docs/reliability.md).
"""

from __future__ import annotations

import io
import os
import random
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from damage import FULL

from adcbench.cli import cli
from adcbench.cli.boundary import FAULT, guarded
from adcbench.data.media.images import write_png

ODD = (
    "", " ", "\t", "a" * 300, "漢" * 120, "\udcff", "..", "../x", "no/such/place", "/dev/null", "/dev/zero",
    "pipe", "-1", "0", "1", "1.5", "nan", "inf", "1e309", "9" * 25, "0x10", "True", "None", "{}", "[1]", "a=b=c", "=",
    ",", ",,psnr", "psnr,psnr", "a,b", "@", "a@b=c", "%s", "$(x)", "*", "os:getcwd", "builtins:print", "builtins:exit",
    ":x", "x:", "../x:y", "os", "json:loads", "gpu", "cpu:-1", "cuda:99", "meta", "mps", "cpu,cuda", "float8", "int8",
    "bicubic", "adcsr", "psnr", "drealsr", "embedded", "adcsr/table1", "runs", "broken.png", "empty.png", "text.txt",
)  # fmt: skip
COMMANDS = (
    "score --sr sr --hr hr --metrics psnr --device cpu --out scores.csv",
    "score-video --sr clips --hr clips --metrics psnr --frames 1 --centre-crop 8 --flow dis --device cpu",
    "upscale sr out --system bicubic --device cpu --dtype float32 --seed 0 --tile 8 --overlap 2",
    "evaluate --system bicubic --testset embedded --metrics psnr --limit 1 --device cpu --dtype float32 --seed 0",
    "evaluate --system bicubic --check",
    "compare bicubic bicubic-torch --testset embedded --metrics psnr --limit 2 --device cpu",
    "spread bicubic embedded --metrics psnr --dtypes float32 --seeds 2 --limit 1",
    "explain adcsr/table1 OSEDiff DRealSR PSNR",
    "diff tables tables",
    "tables",
    "reproduce --number 99 --outputs AdcSR@DRealSR=sr",
    "count bicubic",
    "weights list adcsr",
    "weights check adcsr",
    "weights fetch --for adcsr/table1 adcsr",
    "fetch embedded",
    "train vae --config mini --set loop.steps=1 --source sr --show",
    "claims",
)
KEPT = ("--check", "--show")  # flags: nothing follows them
SAMPLES = 2000 if FULL else 120


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a few pictures, a pipe and broken files; no network, tables of its own."""
    draw = np.random.default_rng(0)
    for folder in ("sr", "hr", "clips/a"):
        write_png(tmp_path / folder / "1.png", draw.integers(0, 256, (16, 20, 3), dtype=np.uint8))
    whole = (tmp_path / "sr" / "1.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[:60])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.txt").write_text("text")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "tables").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADCBENCH_OFFLINE", "1")
    for name in ("DATA", "WEIGHTS", "TABLES"):
        monkeypatch.setenv(f"ADCBENCH_{name}", str(tmp_path / name.lower()))
    return tmp_path


def odd_command(number: int) -> list[str]:
    """The command line of a number: always the same."""
    draw = random.Random(number)
    words = draw.choice(COMMANDS).split()
    places = [i for i, word in enumerate(words) if not word.startswith("--") and (i > 1 or words[0] != "weights")][1:]
    if draw.random() < 0.1:
        del words[draw.randrange(1, max(2, len(words))) :]
    for i in draw.sample(places, min(len(places), draw.choice((1, 1, 1, 2)))):
        if i < len(words):
            words[i] = draw.choice(ODD)
    return words


def answer(words: list[str]) -> tuple[int, str]:
    """Exit code and stderr of a command, run in this process."""
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        try:
            code = guarded(lambda: cli.main(words, prog_name="adcbench", standalone_mode=False))
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
    return code, said.getvalue()


def test_the_commands_themselves_are_whole(place: Path) -> None:
    """Otherwise a sample would only meet the same refusal again and again."""
    for line in COMMANDS:
        code, said = answer(line.split())
        assert code in (0, 1, 2), (line, said)
        assert "Usage" not in said, (line, said)


@pytest.mark.parametrize("part", range(4))
def test_odd_arguments_end_in_an_answer_or_one_line(part: int, place: Path) -> None:
    for number in range(part, SAMPLES, 4):
        words = odd_command(number)
        code, said = answer(words)
        assert code != FAULT, (words, said)
        assert "Traceback" not in said, (words, said)
