"""Goldens: what each metric and each mini network gave on the embedded photographs, by kind of machine.

Other instruction sets and GPUs add numbers in another order: a machine is compared with its own kind
(``tests/golden/drift/x86_64-AVX512.json``) closely, and where there is none with the nearest kind, loosely.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from adcbench.core.datafiles import check_kinds, data_text, json_value, reading
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import write_whole
from adcbench.core.keys import source_closure
from adcbench.core.settings import CHECKOUT
from adcbench.metrics import METRICS
from adcbench.report.sources import changed_modules
from adcbench.workflows.drift.check import Check, move
from adcbench.workflows.drift.values import Golden, kind_of_machine, measure, modules_behind

# Relative moves that count: on the machine's own kind, and compared with another kind. Measured between AVX512 and
# AVX2: plain metrics 0, networks of metrics 1.4e-5, systems 3.6e-4 (those that round to 8 bits inside move most)
_NAMED: dict[str, type] = {"libraries": str, "sources": str, "values": float}
_LISTED = ("blocked", "failed")
PLAIN, NETWORKS, SYSTEMS = "plain metrics", "networks of metrics", "systems"
CLOSE = {PLAIN: 1e-7, NETWORKS: 5e-5, SYSTEMS: 5e-4}
LOOSE = {PLAIN: 1e-6, NETWORKS: 5e-4, SYSTEMS: 2e-3}


def golden_dir() -> Path:
    """Where the goldens are: in a checkout only.

    Raises:
        Blocked: adcbench was installed from a wheel.
    """
    if CHECKOUT is None:
        raise Blocked("a checkout of adcbench: goldens are not in the wheel")
    return CHECKOUT / "tests" / "golden" / "drift"


def write_golden(golden: Golden, path: Path) -> None:
    """Write a golden as JSON, one value a line."""
    write_whole(path, (json.dumps(asdict(golden), indent=1, sort_keys=True) + "\n").encode())


def read_golden(path: Path) -> Golden:
    """A golden from its file.

    Raises:
        AdcbenchError: the file is damaged.
    """
    with reading(path, "record it again: adcbench drift --record"):
        content = json_value(data_text(path))
        check_kinds(content, {**dict.fromkeys(("kind", "hardware"), str), **dict.fromkeys(_NAMED, dict),
                            **dict.fromkeys(_LISTED, list)})  # fmt: skip
        for name, kind in _NAMED.items():
            check_kinds(content[name], dict.fromkeys(content[name], kind))
        return Golden(**content | {name: tuple(map(str, content[name])) for name in _LISTED})


def nearest(kind: str, folder: Path) -> Golden | None:
    """The golden of a kind of machine, or of the kind whose name starts most alike; None if there is none."""
    goldens = [read_golden(path) for path in sorted(folder.glob("*.json"))]
    return max(goldens, key=lambda golden: (golden.kind == kind, _alike(golden.kind, kind)), default=None)


def _alike(one: str, other: str) -> int:
    parts = zip(one.split("-"), other.split("-"), strict=False)
    return next((i for i, (a, b) in enumerate(parts) if a != b), min(one.count("-"), other.count("-")) + 1)


def check_goldens(device: str = "cpu", folder: Path | None = None, only: Sequence[str] = ()) -> Check:
    """Measure this machine's values and compare them with the golden of its kind, or of the nearest."""
    name = f"goldens on {device}"
    try:
        kind = kind_of_machine(device)
        golden = nearest(kind, folder or golden_dir())
        if golden is None:
            raise Blocked("a golden of any machine", "adcbench drift --record")
        new = measure(device, only)
    except Blocked as block:
        return Check(name, 0, blocked=(str(block),))
    except AdcbenchError as error:
        return Check(name, 0, moved=(str(error),))
    own = golden.kind == kind
    notes = () if own else (f"no golden of {kind}: compared loosely with {golden.kind}; adcbench drift --record",)
    compared = [value for value in new.values if value in golden.values]
    unknown = [f"{value}: has no golden; run adcbench drift --record" for value in new.values.keys() - set(compared)]
    moved = compare(golden, new, CLOSE if own else LOOSE)
    return Check(name, len(compared), (*new.failed, *moved, *sorted(unknown)), new.blocked, notes)


def compare(old: Golden, new: Golden, tolerance: Mapping[str, float]) -> list[str]:
    """What moved between two goldens, each with the input of the cache key that changed."""
    return [
        f"{name} {move(old.values[name], value)}; {why(name, old, new)}"
        for name, value in new.values.items()
        if name in old.values and has_moved(name, old.values[name], value, tolerance)
    ]


def has_moved(name: str, was: float, now: float, tolerance: Mapping[str, float]) -> bool:
    """Whether a value moved by more than its tolerance: relative, of 1 for the projections, which are near 0."""
    metric = METRICS.get(name.partition(" / ")[0])
    allowed = tolerance[SYSTEMS if metric is None else PLAIN if metric.function else NETWORKS]
    return not math.isclose(was, now, rel_tol=allowed, abs_tol=0 if metric else allowed)


def why(name: str, old: Golden, new: Golden) -> str:
    """Which input differs between two goldens for one value: libraries, or modules it depends on."""
    behind = set(source_closure(*modules_behind(name)))
    modules = changed_modules(*({m: h for m, h in golden.sources.items() if m in behind} for golden in (old, new)))
    words = [
        f"libraries {library} {old.libraries[library]} -> {new.libraries.get(library)}"
        for library in old.libraries
        if old.libraries[library] != new.libraries.get(library)
    ]
    words += [f"sources ({', '.join(modules)})"] if modules else []
    words += [f"machine {old.kind} -> {new.kind}"] if old.kind != new.kind else []
    return f"changed: {'; '.join(words) or 'nothing that is known: a result that is not deterministic'}"
