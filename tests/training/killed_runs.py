"""Kills training runs at random moments, from outside: a script, so that children can be forked cheaply.

It imports torch, trains nothing itself, and forks a process for each part of a run; SIGKILL ends it. Some kills wait
until a checkpoint is being written. Prints a JSON object: kills, how many hit a checkpoint half written, folders.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import accelerate  # noqa: F401  (imported before the forks, as is the loop: they cost seconds)
from toy_stage import ToyStage, toy_config, toy_validation, train_toy

import adcbench.training.engine.loop  # noqa: F401

STEPS, KILLS, AIMED = 40, 20, 6


def start(folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    try:
        config = toy_config(STEPS, save_every=2, validate_every=5, log_every=3)
        train_toy(folder, config, validation=toy_validation())
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def ended(child: int) -> bool:
    """Whether it has ended by itself; a failure ends us too."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done and status:
        sys.exit("a run failed")
    return bool(done)


def wait(child: int, seconds: float, folder: Path, aimed: bool) -> bool:
    """Wait until the moment of a kill; whether the run was over before."""
    until = time.monotonic() + seconds
    while time.monotonic() < until or (aimed and not list(folder.glob("checkpoints/.step_*"))):
        if ended(child):
            return True
        time.sleep(0.0005)
    return False


def main(root: Path) -> None:
    ToyStage()  # torch's optimisers import half of torch when the first one is made
    chance = random.Random(0)
    begun = time.monotonic()
    child = start(root / "whole")
    while not ended(child):
        time.sleep(0.005)
    whole = time.monotonic() - begun
    folders, kills, halves = ["killed0"], 0, 0
    while kills < KILLS:
        folder = root / folders[-1]
        child = start(folder)
        if wait(child, chance.uniform(0, whole / 6), folder, aimed=kills >= KILLS - AIMED):
            folders.append(f"killed{len(folders)}")
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        halves += bool(list(folder.glob("checkpoints/.step_*")))
    child = start(root / folders[-1])
    while not ended(child):
        time.sleep(0.005)
    print(json.dumps({"kills": kills, "halves": halves, "folders": folders, "seconds": whole}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
