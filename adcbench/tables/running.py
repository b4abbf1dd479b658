"""How each kind of job in a table file becomes measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adcbench.core import store
from adcbench.core.cells import BROUGHT, CellKey, Level, Measurement
from adcbench.core.errors import AdcbenchError, Blocked, some
from adcbench.core.hashes import verified
from adcbench.core.keys import digest, short, source_hash, versions
from adcbench.tables.columns import UNITS
from adcbench.tables.table import COMPLEXITY, Count, Fingerprint, Infer, Job, Reaggregate, Score, Table, Time

if TYPE_CHECKING:
    from adcbench.data.testsets.registry import TestSet
    from adcbench.metrics.engine.clip_metric import ClipMetric

Pair = tuple[str, Path, Path]  # name, LR or SR file, HR file
# Finds a metric by name, and scores with a list of such metrics: of images, or of clips
ScoreAll = tuple[Callable[[str], Any], Callable[[list[Any]], Any]]
Measured = Iterator[tuple[CellKey, Measurement | Blocked]]


@dataclass(frozen=True)
class Options:
    """What a run may use.

    ``outputs`` maps (row, test set) to a folder of SR PNGs to score; ``sample`` limits networks to so
    many images (0: all), for drift.
    """

    outputs: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    device: str = "cpu"
    dtype: str = "float32"
    progress: bool = True
    sample: int = 0


def run(table: Table, job: Job, options: Options) -> list[tuple[CellKey, Measurement | Blocked]]:
    """Measurements of one job; what blocks a cell where only its metric is missing.

    Raises:
        Blocked: something it needs is not here.
        AdcbenchError: bad data, or a checkpoint that was replaced meanwhile.
    """
    with verified():
        return _run(table, job, options)


def _run(table: Table, job: Job, options: Options) -> list[tuple[CellKey, Measurement | Blocked]]:
    if isinstance(job, Score):
        return list(_score(table, job, options))
    if isinstance(job, Reaggregate):
        return list(_reaggregate(table, job))
    if isinstance(job, Infer):
        return list(_infer(table, job, options))
    if isinstance(job, Fingerprint):
        return list(_fingerprint(table, job))
    return list(_count(table, job) if isinstance(job, Count) else _time(table, job))


def _score(table: Table, job: Score, options: Options) -> Measured:
    from adcbench.data.media.pairs import pair
    from adcbench.data.testsets.registry import find_testset, manifest_hash, open_testset

    test_set, paths = find_testset(job.test_set), open_testset(job.test_set)
    released = job.outputs in paths
    sr = paths[job.outputs] if released else Path(job.outputs)
    provenance = {
        "outputs": f"released {job.outputs}" if released else f"{BROUGHT}: {sr.resolve().name}",
        "data": short(manifest_hash(job.test_set)),
    }
    score = _clip_scores(test_set, sr, options) if test_set.clips else _image_scores(pair(sr, paths["HR"]), options)
    yield from _scored(table, job, score, "scores", ("full", options.device, ""), provenance)


def _infer(table: Table, job: Infer, options: Options) -> Measured:
    from adcbench.data.testsets.registry import manifest_hash, open_testset
    from adcbench.inference.testset import upscale_testset
    from adcbench.inference.weights import weights_hashes
    from adcbench.metrics import find_metric
    from adcbench.systems import find_system

    system = find_system(job.system)
    weights = weights_hashes(system, system.find_weights())
    open_testset(job.test_set)
    here, blocked = _metrics_here(table, job, find_metric, options.sample)
    if not here:  # nothing could score what would be upscaled, for hours
        yield from blocked
        return
    pairs = upscale_testset(
        system,
        job.test_set,
        device=options.device,
        dtype=options.dtype,
        limit=options.sample,
        progress=options.progress,
    )
    provenance = {
        "system": f"{system.name} {system.version}",
        "config": system.settings(),
        "weights": {name: short(sha) for name, sha in weights.items()},
        "data": short(manifest_hash(job.test_set)),
        "sources": short(source_hash(*system.modules)),
        "libraries": versions("torch"),
    }
    where = (system.scale, options.device, options.dtype)
    yield from _scored(table, job, _image_scores(pairs, options), job.level, where, provenance, options.sample)


def _fingerprint(table: Table, job: Fingerprint) -> Measured:
    import torch

    from adcbench.data.media.images import read_png
    from adcbench.data.testsets.registry import manifest_hash, open_testset
    from adcbench.inference.fingerprint import PROJECTIONS, fingerprint
    from adcbench.systems import find_system

    system = find_system(job.system)
    sources = short(source_hash(*system.modules, "adcbench.inference.fingerprint"))
    machine = torch.backends.cpu.get_cpu_capability()
    key = digest(sources, system.settings(), manifest_hash(job.test_set), job.image, versions("torch"), machine)
    known: dict[str, Any] = store.get([key])
    if key not in known:
        lr = read_png(open_testset(job.test_set)["LR"] / f"{job.image}.png")
        known = {key: fingerprint(system, lr)}
        store.put("fingerprint", known)
    yield (
        CellKey(table.id, job.row, job.test_set, job.metrics[0]),
        Measurement(
            "inference", system.scale, "cpu", "float32",
            samples=tuple((f"{job.image} direction {i}", value) for i, value in enumerate(known[key], 1)),
            reduce="mean",
            signature=f"projections of the float output on {PROJECTIONS} random directions, deterministic weights",
            provenance={
                "sources": sources, "data": short(manifest_hash(job.test_set)), "libraries": versions("torch"),
                "machine": machine,
            },
        ),
    )  # fmt: skip


def _image_scores(pairs: Sequence[Pair], options: Options) -> ScoreAll:
    """Scores pairs of images with metrics by name."""
    from adcbench.metrics import find_metric
    from adcbench.metrics.engine.scoring import score_pairs

    return find_metric, partial(score_pairs, pairs, device=options.device, progress=options.progress)


def _clip_scores(test_set: TestSet, sr: Path, options: Options) -> ScoreAll:
    """Scores the part of a test set's clips that the tables look at."""
    from adcbench.data.media.clips import list_clips, pair_clips
    from adcbench.metrics.clip import find_clip_metrics
    from adcbench.metrics.engine.clips import score_clips

    truth = test_set.root / "HR" if test_set.reference == "HR" else None
    pairs = pair_clips(sr, truth)
    wanted = list_clips(test_set.root / test_set.reference).keys()
    if names := sorted(wanted ^ {name for name, *_ in pairs}):
        raise AdcbenchError(f"{sr} and {test_set.name} do not have the same clips: {some(names)}")

    def find(name: str) -> ClipMetric:
        (metric,) = find_clip_metrics(name, reference=truth is not None)
        return metric.on_part(test_set.frames, test_set.crop)

    return find, partial(
        score_clips, pairs, frames=test_set.frames, crop=test_set.crop, device=options.device, progress=options.progress
    )


def _scored(
    table: Table,
    job: Score | Infer,
    score: ScoreAll,
    level: Level,
    where: tuple[Any, str, str],
    provenance: Mapping[str, Any],
    sample: int = 0,
) -> Measured:
    """Score outputs with the metrics that are here; a metric over a set does without a sample of it.

    ``where`` is scale, device and dtype of what made the outputs; without a dtype, of what scores them.
    """
    find, score_all = score
    metrics, blocked = _metrics_here(table, job, find, sample)
    yield from blocked
    if not metrics:
        return
    scored = score_all(list(metrics.values()))
    for column, metric in metrics.items():
        if not scored.of(metric.name):
            yield CellKey(table.id, job.row, job.test_set, column), Blocked(scored.why_none(metric.name, "samples"))
            continue
        libraries = {**provenance.get("libraries", {}), **versions(*metric.libraries)}
        lost = scored.lost(metric.name)
        total = scored.of(metric.name) + len(lost)
        scale, device, dtype = where
        if not dtype:
            device, dtype = (device, "float32") if metric.is_network else ("cpu", "float64")
        # the sources of a score include those of the system that made its outputs
        sources = short([source_hash(*metric.modules), provenance.get("sources", "")])
        yield (
            CellKey(table.id, job.row, job.test_set, column),
            Measurement(
                level,
                scale,
                device,
                dtype,
                samples=scored.samples(metric.name),
                reduce="set" if metric.name in scored.sets else "mean",
                signature=metric.signature,
                provenance={**provenance, "sources": sources, "libraries": libraries, **scored.beside(metric.name)},
                cause=(job.causes or {}).get(column, "") if isinstance(job, Infer) else "",
                unscored=lost,
                not_comparable=f"{len(lost)} of {total} unscored: {some(lost)}" if lost else "",
            ),
        )


def _metrics_here(
    table: Table, job: Score | Infer, find: Callable[[str], Any], sample: int
) -> tuple[dict[str, Any], list[tuple[CellKey, Blocked]]]:
    """Metrics by column, and the cells of those that can't be had here or of a sample."""
    metrics: dict[str, Any] = {}
    blocked: list[tuple[CellKey, Blocked]] = []
    for column, name in job.metrics.items():
        try:
            metric = find(name)
            metric.check_here()
            if sample and metric.takes == "set":
                raise Blocked(f"{metric.name} of the whole set: only {sample} images are run again here")
            metrics[column] = metric
        except Blocked as block:
            blocked.append((CellKey(table.id, job.row, job.test_set, column), block))
    return metrics, blocked


def _reaggregate(table: Table, job: Reaggregate) -> Measured:
    from adcbench.core.keys import file_hash
    from adcbench.data.testsets.authors_log import read_log
    from adcbench.data.testsets.registry import open_testset

    log = open_testset(job.test_set).get("log")
    if log is None:
        raise Blocked(f"a log of per-image scores for {job.test_set}: none was released")
    scores = read_log(log)
    for metric in job.metrics:
        yield (
            CellKey(table.id, job.row, job.test_set, metric),
            Measurement(
                "re-aggregated", "full", "none", "as logged",
                samples=scores[metric],
                reduce="mean",
                signature=f"{metric} as logged by the authors, averaged again",
                provenance={"log": file_hash(log)},
                cause=(job.causes or {}).get(metric, ""),
            ),
        )  # fmt: skip


def _count(table: Table, job: Count) -> Measured:
    from adcbench.cost.counts import cached_count, quantity

    payload = cached_count(job.network)
    for metric, name in job.columns.items():
        unit = unit_of(table, metric)
        note = (job.notes or {}).get(metric)
        yield (
            CellKey(table.id, job.row, COMPLEXITY, metric),
            Measurement(
                "counted", "full", "meta", "float32",
                samples=tuple((component, value / unit) for component, value in quantity(payload, name)),
                reduce="sum",
                signature=payload["signatures"][name],
                provenance={"sources": short(payload["sources"]), "libraries": payload["libraries"],
                            "other readings": _other_readings(payload, name, unit)} | ({"note": note} if note else {}),
                cause=(job.causes or {}).get(metric, ""),
            ),
        )  # fmt: skip


def unit_of(table: Table, metric: str) -> float:
    """What one of a counted or timed column's unit is: parameters, multiply-adds, seconds.

    Raises:
        AdcbenchError: the table has another unit there.
    """
    unit = table.column(COMPLEXITY, metric).unit
    if unit not in UNITS:
        raise AdcbenchError(f"{table.id}: column {metric} has unit {unit!r}. Units: {', '.join(filter(None, UNITS))}")
    return UNITS[unit]


def _other_readings(payload: dict[str, Any], name: str, unit: float) -> dict[str, Any]:
    """All ways to count the same network that were tried, post hoc, in the column's unit (``cost.counts.readings``)."""
    from adcbench.cost.counts import readings

    found = readings(payload).get(name)
    if not found:
        return {}
    return {**found, "different": [one | {"value": one["value"] / unit} for one in found["different"]]}


def _time(table: Table, job: Time) -> Measured:
    from adcbench.cost.latency import SIZE, last_sessions

    sessions = last_sessions(job.system)
    if not sessions:
        raise Blocked("a latency run of this system", f"adcbench latency {job.system}")
    for session in sessions:
        timed = session["systems"][job.system]
        calls, warmups = len(timed["seconds"]), timed["warmups"]
        derived = f", {timed['derived_steps']} steps derived" if timed.get("derived_steps") else ""
        kept = {key: timed[key] for key in ("sources", "p95", "peak_bytes", "inconclusive")}
        threads = session.get("threads", 0)
        kept |= {key: session[key] for key in ("session", "hardware", "versions")} | {"threads": threads}
        protocol = f"batch 1, LR {SIZE}x{SIZE}, own process" + (f", threads {threads}" if threads else "")
        for metric, name in job.columns.items():
            unit = unit_of(table, metric)
            values = [1 / s if name == "fps" else s / unit for s in timed["seconds"]]
            yield (
                CellKey(table.id, job.row, COMPLEXITY, metric),
                Measurement(
                    "timed", timed["scale"], session["device"], session["dtype"],
                    samples=tuple((f"call-{i:03d}", value) for i, value in enumerate(values, 1)),
                    reduce="median",
                    signature=f"{name} of {calls} calls, {warmups} warm-ups, {protocol}{derived}",
                    provenance=kept,
                    not_comparable=_other_device(session),
                ),
            )  # fmt: skip


def _other_device(session: Mapping[str, Any]) -> str:
    return "" if "A100" in session["hardware"] else f"device: timed on {session['hardware']}, the paper on one A100"
