"""A random sample of mutants of the fast core: small changes of its code that some fast test must notice.

cosmic-ray makes the changes; this samples them (a place at random, then one of its changes there), works in a copy
of the checkout, and runs the tests of the changed module in a fork of a process that has the libraries loaded.

    python tests/faults/mutants.py --sample 200 --seed 0 --out survivors.csv
"""

from __future__ import annotations

import argparse
import ast
import csv
import difflib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[2]
# Modules below adcbench/ -> the tests that must notice; those that take longer are left out by name.
TESTS = {
    "metrics/image/psnr.py metrics/image/ssim.py metrics/image/colour.py": (
        "tests/metrics/image/test_psnr.py tests/metrics/image/test_ssim.py tests/metrics/image/test_image_colour.py "
        "tests/properties/test_psnr_ssim.py"
    ),
    "metrics/image/niqe.py": "tests/metrics/image/test_niqe.py",
    "metrics/image/ms_ssim.py": "tests/metrics/image/test_ms_ssim.py",
    "metrics/engine/scoring.py metrics/engine/frames.py metrics/engine/keys.py metrics/metric.py": (
        "tests/metrics/engine/test_scoring.py tests/metrics/engine/test_engine_keys.py "
        "tests/metrics/test_metric_signatures.py tests/metrics/image/test_psnr.py tests/metrics/image/test_ssim.py "
        "tests/metrics/test_registry.py"
    ),
    "results/*.py": "tests/results",
    "data/media/pairs.py data/media/images.py": "tests/data/media/test_pairs.py tests/data/media/test_images.py",
    "data/test_sets/manifest.py": "tests/data/test_sets/test_manifest.py",
    "data/test_sets/authors_log.py": "tests/data/test_sets/test_authors_log.py",
    "data/test_sets/embedded.py degradation/*.py": "tests/data/test_sets/test_embedded.py tests/degradation",
    "core/cells.py core/keys.py core/windows.py tables/table.py tables/columns.py tables/loading.py tables/papers.py": (
        "tests/core tests/results tests/tables"
    ),
    "tables/jobs/*.py": "tests/tables/jobs",
    "data/test_sets/registry.py data/test_sets/test_set.py": (
        "tests/data/test_sets/test_test_sets_registry.py tests/data/test_sets/test_test_sets_registry_own.py "
        "tests/data/test_sets/test_image_sets.py tests/data/test_sets/test_video_sets.py"
    ),
    "inference/tiles.py": "tests/inference/test_tiles.py tests/inference/test_tiles_weights.py",
    "inference/upscale.py inference/forward.py": "tests/inference/test_upscale.py",
    "inference/folder.py": "tests/cli/test_images_upscale.py tests/inference/test_folder_weights.py",
    "cost/closed_form.py cost/macs.py cost/params.py systems/formulas.py": (
        "tests/cost/test_macs.py tests/cost/test_params.py tests/systems/test_formulas.py"
    ),
    "cost/latency.py": "tests/cost/test_latency_numbers.py tests/cost/test_latency_sessions.py",
    "report/cell_view.py report/terminal.py report/view.py report/writers.py": "tests/report",
    "report/cell_lines.py report/files.py workflows/reproduce.py": (
        "tests/workflows/test_reproduce_embedded.py tests/workflows/test_reproduce.py tests/report/test_report_files.py"
    ),
    "report/sources.py workflows/drift/check.py workflows/drift/versions.py": (
        "tests/report/test_report_sources.py tests/workflows/drift"
    ),
}
SLOW = (
    "tests/workflows/test_reproduce.py::test_a_block_never_overwrites_a_measurement",
    "tests/inference/test_upscale.py::test_a_cached_run_does_not_import_torch",
    "tests/cost/test_latency_sessions.py::test_a_session_keeps_every_raw_value_and_is_found_again",
    "tests/cost/test_latency_sessions.py::test_only_the_newest_session_counts",
    "tests/cost/test_latency_sessions.py::test_what_cannot_be_timed_is_named",
    "tests/metrics/test_metric_signatures.py::test_they_are_known_without_loading_a_library",
    "tests/workflows/drift/test_committed.py::test_nothing_has_moved",
    "tests/workflows/drift/test_drift_goldens.py::test_no_golden_has_moved",
)
LIBRARIES = (
    *("numpy", "scipy.ndimage", "scipy.stats", "pandas", "PIL.Image", "torch", "torchvision", "skimage", "hypothesis"),
    *("click", "tqdm", "pooch", "requests", "jinja2", "tabulate", "pyiqa", "lpips", "fvcore.nn"),
)
LIMIT_S = 90.0  # a mutant that runs longer is caught: it hangs


@dataclass(frozen=True)
class Mutant:
    """One change: of which file, by which operator of cosmic-ray, at which of its places."""

    module: str  # path below adcbench/
    operator: str
    occurrence: int
    line: int


def places(module: str, source: str) -> dict[tuple[int, int], list[Mutant]]:
    """All mutants of a module by place. Annotations are left out: they are never evaluated."""
    tree, skipped = get_ast(source), set(_annotations(source))
    found: dict[tuple[int, int], list[Mutant]] = defaultdict(list)
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments():
            continue
        positions = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
        for occurrence, (start, _) in enumerate(positions):
            if start not in skipped:
                found[start].append(Mutant(module, name, occurrence, start[0]))
    return found


def _annotations(source: str) -> Iterator[tuple[int, int]]:
    for node in ast.walk(ast.parse(source)):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                yield from (
                    (line, column)
                    for line in range(part.lineno, part.end_lineno + 1)
                    for column in range(
                        part.col_offset if line == part.lineno else 0,
                        part.end_col_offset if line == part.end_lineno else 999,
                    )
                )


def modules() -> dict[str, str]:
    """Module -> its tests; the first pattern of TESTS that fits wins."""
    found = {}
    for path in sorted((ROOT / "adcbench").rglob("*.py")):
        name = path.relative_to(ROOT / "adcbench").as_posix()
        tests = next((t for patterns, t in TESTS.items() if any(fnmatch(name, p) for p in patterns.split())), "")
        if tests and path.name != "__init__.py":
            found[name] = tests
    return found


def sample(size: int, seed: int, only: str) -> list[Mutant]:
    """Places at random over all modules, one mutant each."""
    spots: list[list[Mutant]] = []
    for name in modules():
        if not only or any(fnmatch(name, pattern) for pattern in only.split(",")):
            spots += places(name, (ROOT / "adcbench" / name).read_text(encoding="utf-8")).values()
    generator = random.Random(seed)
    chosen = generator.sample(spots, min(size, len(spots)))
    return sorted((generator.choice(spot) for spot in chosen), key=lambda m: (m.module, m.line))


def survivors(path: Path) -> list[Mutant]:
    """The survivors of an earlier run whose modules are still sampled."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["outcome"] == "passed" and row["module"] in modules()]
    return [Mutant(r["module"], f"core/{r['operator']}", int(r["occurrence"]), int(r["line"])) for r in rows]


def run_tests(work: Path, tests: Sequence[str], left_out: Sequence[str]) -> tuple[str, list[str]]:
    """Run tests in a fork. ``passed``, ``failed`` or ``hung``, and the ids of what failed first."""
    report = work / "report.txt"
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        _in_child(work, tests, left_out, report)
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            failed = report.read_text().split("\n") if report.is_file() else ["the process died"]
            return ("passed" if status == 0 else "failed"), [line for line in failed if line]
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung", []


def _in_child(work: Path, tests: Sequence[str], left_out: Sequence[str], report: Path) -> None:
    import pytest

    class Failures:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

    failed: list[str] = []
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.chdir(work)
        sys.path.insert(0, str(work))
        os.environ |= {"PYTHONPATH": str(work), "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-x", "-q", "-m", "not golden", "-p", "no:cacheprovider", f"--basetemp={work}/.temp"]
        options += [f"--deselect={t}" if "::" in t else f"--ignore={t}" for t in left_out]
        code = pytest.main([*options, *tests], plugins=[Failures()])
    finally:
        report.write_text("\n".join(failed))
        os._exit(0 if code == 0 else 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="patterns of modules below adcbench/, with commas between")
    parser.add_argument("--again", type=Path, help="run the survivors in this file again, for new tests")
    parser.add_argument("--out", type=Path, default=Path("mutants.csv"))
    arguments = parser.parse_args()
    again = survivors(arguments.again) if arguments.again else None
    chosen = sample(arguments.sample, arguments.seed, arguments.only) if again is None else again
    if not chosen:
        raise SystemExit("no mutant: --only fits no module, or none survived")
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"without {name}")
    with tempfile.TemporaryDirectory() as folder, arguments.out.open("w", newline="", encoding="utf-8") as file:
        work = Path(folder)
        for part in ("adcbench", "reproductions", "tests", "tables", "docs"):
            shutil.copytree(ROOT / part, work / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "README.md", "noxfile.py", "requirements.lock"):
            shutil.copy(ROOT / part, work / part)
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["module", "line", "operator", "occurrence", "outcome", "by", "seconds", "change"])
        alive = sum(_judge(work, mutant, rows, file) == "passed" for mutant in chosen)
    print(f"{len(chosen) - alive} of {len(chosen)} mutants were caught, {alive} survived: see {arguments.out}")


_BASE: dict[str, list[str]] = {}  # tests -> those that fail without any mutant


def _judge(work: Path, mutant: Mutant, rows: object, file: object) -> str:
    tests = modules()[mutant.module]
    if tests not in _BASE:
        _BASE[tests] = [*SLOW]
        while (found := run_tests(work, tests.split(), _BASE[tests]))[0] != "passed":
            print(f"without a mutant: {found}", flush=True)
            if not found[1] or found[0] == "hung":
                raise SystemExit(f"{tests}: does not run")
            _BASE[tests] += found[1]
    path = work / "adcbench" / mutant.module
    source = path.read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    began = time.monotonic()
    try:
        path.write_text(changed, encoding="utf-8")
        outcome, failed = run_tests(work, tests.split(), _BASE[tests])
    finally:
        path.write_text(source, encoding="utf-8")
    diff = difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=0)
    change = " -> ".join(line[1:].strip() for line in diff if line[:3] not in ("---", "+++") and line[0] in "-+")
    name = mutant.operator.partition("/")[2]
    seconds = f"{time.monotonic() - began:.1f}"
    rows.writerow([mutant.module, mutant.line, name, mutant.occurrence, outcome, " ".join(failed[:1]), seconds, change])  # type: ignore[attr-defined]
    file.flush()  # type: ignore[attr-defined]
    return outcome


if __name__ == "__main__":
    main()
