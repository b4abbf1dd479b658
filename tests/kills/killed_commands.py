"""Commands killed at random moments and run again until they end: a process of its own, which forks each one.

    python tests/kills/killed_commands.py FOLDER KILLS SEED

Makes pictures below FOLDER, runs each command once undisturbed (folder ``whole``) and once with KILLS kills (folder
``killed/COMMAND/0``, and on from nothing in ``1``, ``2``, ... whenever one ended before its kill). Prints a JSON
object: kills and folders by command.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch  # noqa: F401  (all that costs seconds is imported before the forks)

import adcbench.inference.folder
import adcbench.metrics.engine.scoring  # noqa: F401
from adcbench.cli import cli
from adcbench.cli.boundary import guarded
from adcbench.data.media.images import write_png

COMMANDS = {
    "upscale": "upscale {pictures}/lr {own}/out --system bicubic",
    "score": "score --sr {pictures}/sr --hr {pictures}/hr --metrics psnr,ssim,niqe --out {own}/scores.csv",
    "score-video": "score-video --sr {pictures}/clips --hr {pictures}/clips_hr --metrics psnr --out {own}/clips.csv",
}
PICTURES = 24


def make(folder: Path) -> None:
    """Pictures for all commands, always the same."""
    draw = np.random.default_rng(0)
    for i in range(PICTURES):
        hr = draw.integers(0, 256, (144, 160, 3), dtype=np.uint8)
        write_png(folder / "hr" / f"{i}.png", hr)
        write_png(
            folder / "sr" / f"{i}.png",
            np.clip(hr.astype(int) + draw.integers(-9, 10, hr.shape), 0, 255).astype(np.uint8),
        )
        write_png(folder / "lr" / f"{i}.png", np.ascontiguousarray(hr[::4, ::4]))
        for clips in ("clips", "clips_hr"):
            write_png(folder / clips / f"clip{i // 6}" / f"{i % 6}.png", hr // (1 + (clips == "clips")))


def begin(command: str, pictures: Path, own: Path) -> int:
    """Start a command in a child of this process; its number."""
    child = os.fork()
    if child:
        return child
    own.mkdir(parents=True, exist_ok=True)
    os.environ["ADCBENCH_CACHE"] = str(own / "cache")
    with (own / "said.txt").open("a") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        words = command.format(pictures=pictures, own=own).split()
        os._exit(guarded(lambda: cli.main(words, prog_name="adcbench", standalone_mode=False)))


def end(child: int, own: Path) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        sys.exit(f"exit code {status}: {(own / 'said.txt').read_text()}")


def main(root: Path, kills: int, seed: int) -> None:
    make(root / "pictures")
    draw, report = random.Random(seed), {}
    for name, command in COMMANDS.items():
        whole = root / "whole" / name
        begun = time.monotonic()
        end(begin(command, root / "pictures", whole), whole)
        seconds, done, folders = time.monotonic() - begun, 0, [root / "killed" / name / "0"]
        while done < kills:
            own = folders[-1]
            child = begin(command, root / "pictures", own)
            time.sleep(draw.uniform(0, seconds / 2))
            if os.waitpid(child, os.WNOHANG)[0]:  # it has ended by itself: the next one starts from nothing
                folders.append(own.with_name(str(len(folders))))
                continue
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            done += 1
        end(begin(command, root / "pictures", folders[-1]), folders[-1])
        report[name] = {"kills": done, "runs": len(folders)}
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
