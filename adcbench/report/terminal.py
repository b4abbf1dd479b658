"""What the command line prints: a table with verdicts, the overview of all tables, costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from tabulate import tabulate

from adcbench.core.cells import BROUGHT
from adcbench.cost.counts import Payload, quantity
from adcbench.cost.readings import readings
from adcbench.report.dataframes import COLUMNS, tidy
from adcbench.report.view import TableView
from adcbench.report.writers import claim_line
from adcbench.results.bootstrap import has_interval, interval_text, median_ratio_interval
from adcbench.results.claims import too_wide
from adcbench.results.verdicts import WORDS

_SHORT = ["row", "test_set", "metric", "published", "measured", "unit", "verdict", "level"]


def table_text(view: TableView) -> str:
    """A table for the terminal: one line a cell, then what blocks the rest, then claims."""
    frame = tidy(view)
    logs = frame["re-aggregated"] != ""
    columns = _SHORT + (["re-aggregated", "log and print"] if logs.any() else [])
    columns += [name for name in frame.columns if name not in COLUMNS]  # unscored, low, high, significance
    parts = [view.heading, grid(frame[columns].values.tolist(), columns), *(f"  {line}." for line in view.legends)]
    parts += [f"  {view.human}"] if view.human else []
    parts += [f"  not scored: {line}" for line in view.unscored]
    parts += [f"  outputs {BROUGHT}: {line}" for line in view.brought]
    parts += [f"  blocked, {line}" for line in view.blocked]
    parts += [f"  note: {line}" for line in view.notes]
    parts += [f"  claim {claim_line(one)}" for one in view.claims]
    return "\n".join(parts)


def overview(views: Iterable[TableView]) -> str:
    """A line a table: how many cells have which verdict, and the title."""
    rows = [[one.table.id, *(one.counts[word] or "" for word in WORDS), one.table.title] for one in views]
    return grid(rows, ["table", *WORDS, "title"])


def grid(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> str:
    """Rows as aligned columns, every value as it is."""
    return tabulate(rows, header, tablefmt="simple", disable_numparse=True)


def cost_text(payload: Payload) -> str:
    """A counted network: a line a component (M parameters, G multiply-adds), totals, other readings."""
    columns = ("params.published", "params.honest", "macs.published", "macs.honest")
    counted = [dict(quantity(payload, name)) for name in columns]
    scales = (1e6, 1e6, 1e9, 1e9)
    rows = [
        [
            part["name"],
            *(f"{of_part.get(part['name'], 0) / scale:.3f}" for of_part, scale in zip(counted, scales, strict=True)),
        ]
        for part in payload["components"]
    ]
    rows.append(["total", *(f"{sum(f.values()) / scale:.3f}" for f, scale in zip(counted, scales, strict=True))])
    header = ["component", "params (M)", "params, honest", "MACs (G)", "MACs, honest"]
    parts = [payload["network"], grid(rows, header)]
    parts += [f"  {name}: {payload['signatures'][name]}" for name in columns]
    for name, scale, unit in (("params.published", 1e6, "M"), ("macs.published", 1e9, "G")):
        tried = readings(payload)[name]
        parts.append(
            f"  other ways to count {name} (post hoc): tried {tried['tried']}, different {len(tried['different'])}"
        )
        parts += [f"    {way['value'] / scale:.3f} {unit}: {'; '.join(way['ways'])}" for way in tried["different"]]
    return "\n".join(parts)


def fvcore_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """The cross-check with fvcore: a line a component, with what fvcore leaves out."""
    header = ["component", "ours (G)", "fvcore (G)", "difference", "fused attention left out", ""]
    rows = [
        [
            line["component"], f"{line['ours'] / 1e9:.3f}", f"{line['fvcore'] / 1e9:.3f}", f"{line['difference']:.2%}",
            f"{line['fused_attention']} calls", line["explanation"],
        ]
        for line in lines
    ]  # fmt: skip
    return grid(rows, header)


def latency_text(record: Mapping[str, Any]) -> str:
    """A timing session: one line a system, then paired ratios of the time for a frame with their intervals."""
    size, threads = record["size"], record["threads"]
    protocol = f"LR {size}x{size}, batch 1" + (f", threads {threads}" if threads else "")
    lines = [f"session {record['session']}: {record['hardware']}, {record['dtype']}, {protocol}"]
    for name, timed in record["systems"].items():
        lines.append(
            f"  {name} ({timed['scale']}): p50 {timed['p50']:.4g} s, p95 {timed['p95']:.4g} s, {timed['fps']:.4g} FPS, "
            f"{len(timed['seconds'])} calls{_of_frames(timed)}, peak {timed['peak_bytes'] / 2**30:.2f} GiB"
            + (f", {timed['derived_steps']} steps derived" if timed.get("derived_steps") else "")
            + (f" - inconclusive: {timed['inconclusive']}" if timed["inconclusive"] else "")
        )
    for (slow, a), (fast, b) in combinations(record["systems"].items(), 2):
        if (calls := len(a["seconds"])) == len(b["seconds"]):
            ratio = median_ratio_interval(_per_frame(a), _per_frame(b))
            noise = too_wide(ratio) if has_interval(calls) else "timed once"
            text = f"  {slow} / {fast}: {ratio[0]:.3g} (95 % {interval_text(calls, ratio[1], ratio[2], '.3g')})"
            lines.append(text + (f" - inconclusive: {noise}" if noise else ""))
    return "\n".join(lines)


def _of_frames(timed: Mapping[str, Any]) -> str:
    return f" of {timed['frames']} frames" if timed.get("frames", 1) > 1 else ""


def _per_frame(timed: Mapping[str, Any]) -> list[float]:
    """A clip and an image do not hold the same work: compared is the time of a frame."""
    return [seconds / timed.get("frames", 1) for seconds in timed["seconds"]]
