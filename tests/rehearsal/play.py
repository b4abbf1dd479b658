"""The dress rehearsal: what a user with a network and a GPU does, on this machine, against a server of our own.

    python tests/rehearsal/play.py [--keep FOLDER] [--tables adcsr/table1,...]

Serves every address that ``addresses.csv`` knows; runs ``adcbench reproduce TABLE --fetch --yes`` on all tables of the
papers, with an address that is down, a connection that is cut, and a kill; follows the command of every cell that is
blocked; and says of every cell whether it is measured, or which hardware or unreleased weights it needs. Exit code 1
where a cell is blocked by anything else.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

for _folder in (".", "systems", "metrics"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / _folder))

from following import commands, follow  # noqa: E402
from hub import Hub, hub  # noqa: E402
from judged import Judged, faults, judge, report  # noqa: E402
from stage import Stage, build  # noqa: E402

from adcbench.core.cells import Cell  # noqa: E402
from adcbench.core.errors import AdcbenchError  # noqa: E402
from adcbench.report.files import read_cells  # noqa: E402
from adcbench.tables.loading import table_ids  # noqa: E402

PAPERS = ("adcsr/", "adcvsr/")
OURS = ("adcsr/mini",)  # no paper's table
RELATED = ("related/rsd_table17",)
FIRST = "adcsr/table1"
DOWN = "huggingface.co/Manojb/stable-diffusion-2-1-base/"  # a hub that is gone: its mirrors serve
CUT = "huggingface.co/stabilityai/sd-turbo/resolve/main/text_encoder/model.safetensors"
LARGE = "huggingface.co/Guaishou74851/AdcSR/resolve/main/weight/net_params_200.pkl"  # the kill comes while it comes
ROUNDS = 4  # of commands: outputs, the test set that they need, outputs again
_begun = time.monotonic()


def say(text: str) -> None:
    """A line with the seconds since the beginning."""
    print(f"[{time.monotonic() - _begun:5.0f} s] {text}", flush=True)


def papers_tables() -> list[str]:
    """All tables of the two papers, and one that stands beside them."""
    return [one for one in table_ids() if (one.startswith(PAPERS) and one not in OURS) or one in RELATED]


def cells_of(stage: Stage, tables: Iterable[str]) -> dict[str, tuple[Cell, ...]]:
    """The cells of tables as the user has them now."""
    return {table: read_cells(table, stage.tables) for table in tables}


def refused(stage: Stage) -> None:
    """Without consent nothing is downloaded."""
    code, said = stage.run("reproduce", FIRST, "--fetch")
    if code != 2 or "add --yes" not in said or stage.hub.asked:
        raise SystemExit(f"without consent: exit code {code}, {len(stage.hub.asked)} downloads\n{said}")


def killed(stage: Stage) -> None:
    """Killed while a checkpoint comes in."""
    stage.hub.cut[LARGE] = [1 << 16] * 3  # so that it takes a while
    process = stage.start("reproduce", FIRST, "--fetch", "--yes", "--quiet")
    while process.poll() is None and not any(address == LARGE for address, _ in stage.hub.asked):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stage.hub.cut.clear()


def resumed(stage: Stage) -> str:
    """The same command again, to the end."""
    stage.hub.cut[CUT] = [1 << 16]
    before = len(stage.hub.asked)
    code, said = stage.run("reproduce", FIRST, "--fetch", "--yes")
    again = stage.hub.asked[before:]
    if code:
        raise SystemExit(f"exit code {code}\n{said}")
    if not any(wanted for _, wanted in again):
        raise SystemExit("nothing went on where it was cut off")
    return said


def interrupted(stage: Stage) -> None:
    """Table 1 refused, killed, and brought to its end."""
    refused(stage)
    say("without consent nothing is downloaded")
    killed(stage)
    say("killed in the middle of a download")
    print(resumed(stage))
    hub = stage.hub
    say(f"{FIRST} is fetched and measured; {len(hub.asked)} requests, not there: {sorted(set(hub.missing))}")
    print(report({FIRST: judge(cells_of(stage, [FIRST])[FIRST])}))


def follow_all(stage: Stage, tables: Sequence[str]) -> None:
    """The command of every blocked cell, then the tables again, until no command is left."""
    done: set[str] = set()
    for _ in range(ROUNDS):
        todo = [one for of in cells_of(stage, tables).values() for one in commands(of)]
        todo = [one for one in dict.fromkeys(todo) if one not in done or "--outputs" in one]
        if not todo:
            return
        for command in todo:
            code, said = follow(command, stage)
            say(f"{command[:150]}: {'done' if not code else said[-600:]}")
            done.add(command)
        if any("--outputs" not in command for command in todo):
            code, said = stage.run("reproduce", *tables, "--quiet")
            say(f"all tables again: {said[-600:] or 'done'}")


def play(folder: Path, server: Hub, tables: Sequence[str]) -> int:
    """The whole rehearsal; how many cells are blocked by a fault of ours."""
    begun = (folder / "user").is_dir()
    stage = build(folder, server)
    say(f"{len(server.files)} addresses are served")
    server.down.append(DOWN)
    if begun:
        say("goes on with what was kept: the refusal, the kill and the cut connection are not played again")
    else:
        interrupted(stage)
    code, said = stage.run("reproduce", *tables, "--fetch", "--yes", "--quiet")
    say(f"all tables: exit code {code}\n{said}")
    follow_all(stage, tables)
    judged: dict[str, list[Judged]] = {table: judge(of) for table, of in cells_of(stage, tables).items()}
    print(report(judged))
    return faults(judged)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="use and keep this folder (4 GB); one that was kept is gone on with")
    parser.add_argument("--tables", default="", help="comma-separated ids instead of all of the papers")
    options = parser.parse_args()
    tables = options.tables.split(",") if options.tables else papers_tables()
    with tempfile.TemporaryDirectory(prefix="adcbench-rehearsal-") as own, hub() as server:
        folder = options.keep or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            sys.exit(1 if play(folder, server, tables) else 0)
        except AdcbenchError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
