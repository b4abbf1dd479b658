"""What the command line prints: a table with verdicts, the overview of all tables, costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from tabulate import tabulate

from adcbench.core.cells import BROUGHT, Cell
from adcbench.cost.counts import Payload, quantity, readings
from adcbench.report.dataframes import COLUMNS, Display, tidy
from adcbench.report.writers import (
    blocked_lines,
    brought_lines,
    cell_notes,
    claim_line,
    elsewhere_lines,
    heading,
    legends,
    unscored_lines,
)
from adcbench.results.bootstrap import has_interval, interval_text, median_ratio_interval
from adcbench.results.claims import judge_claims, too_wide
from adcbench.results.verdicts import WORDS, judge
from adcbench.tables.loading import load_table
from adcbench.tables.table import Table

_SHORT = ["row", "test_set", "metric", "published", "measured", "unit", "verdict", "level"]


def table_text(table: Table, cells: Sequence[Cell], display: Display | None = None) -> str:
    """A table for the terminal: one line a cell, then what blocks the rest, then claims."""
    display = display or Display()
    frame = tidy(cells, display)
    logs = frame["re-aggregated"] != ""
    columns = _SHORT + (["re-aggregated", "log and print"] if logs.any() else [])
    columns += [name for name in frame.columns if name not in COLUMNS]  # unscored, low, high, significance
    said = [*elsewhere_lines(cells), *legends(display)]
    parts = [heading(table), grid(frame[columns].values.tolist(), columns), *(f"  {one}." for one in said)]
    parts += [f"  not scored: {line}" for line in unscored_lines(cells)]
    parts += [f"  outputs {BROUGHT}: {line}" for line in brought_lines(cells)]
    parts += [f"  blocked, {line}" for line in blocked_lines(cells)]
    parts += [f"  note: {line}" for line in cell_notes(cells)]
    parts += [f"  claim {claim_line(one)}" for one in judge_claims(table, {cell.key: cell for cell in cells})]
    return "\n".join(parts)


def overview(tables: Mapping[str, Sequence[Cell]]) -> str:
    """Tables by id: how many cells have which verdict, and the title."""
    rows = []
    for table_id, cells in tables.items():
        counts = Counter(judge(cell).word for cell in cells)
        rows.append([table_id, *(counts[word] or "" for word in WORDS), load_table(table_id).title])
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
            *(f"{found.get(part['name'], 0) / scale:.3f}" for found, scale in zip(counted, scales, strict=True)),
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
    """A timing session: one line a system, then paired ratios with their intervals."""
    size, threads = record["size"], record["threads"]
    protocol = f"LR {size}x{size}, batch 1" + (f", threads {threads}" if threads else "")
    lines = [f"session {record['session']}: {record['hardware']}, {record['dtype']}, {protocol}"]
    for name, timed in record["systems"].items():
        lines.append(
            f"  {name} ({timed['scale']}): p50 {timed['p50']:.4g} s, p95 {timed['p95']:.4g} s, {timed['fps']:.4g} FPS, "
            f"{len(timed['seconds'])} calls, peak {timed['peak_bytes'] / 2**30:.2f} GiB"
            + (f", {timed['derived_steps']} steps derived" if timed.get("derived_steps") else "")
            + (f" - inconclusive: {timed['inconclusive']}" if timed["inconclusive"] else "")
        )
    for (slow, a), (fast, b) in combinations(record["systems"].items(), 2):
        if (calls := len(a["seconds"])) == len(b["seconds"]):
            ratio = median_ratio_interval(a["seconds"], b["seconds"])
            noise = too_wide(ratio) if has_interval(calls) else "timed once"
            text = f"  {slow} / {fast}: {ratio[0]:.3g} (95 % {interval_text(calls, ratio[1], ratio[2], '.3g')})"
            lines.append(text + (f" - inconclusive: {noise}" if noise else ""))
    return "\n".join(lines)
