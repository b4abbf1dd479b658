"""AdcSR's ablations have one shape: variants that must first be trained, and AdcSR itself. No table."""

import re
from collections.abc import Iterable, Mapping

from adcbench.tables import COMPLEXITY, Block, Count, Infer, Table, Time
from adcbench.tables.blocks import NO_WEIGHTS, NOT_BUILT
from adcbench.tables.columns import columns, scores

from .._columns import COSTS, IMAGE
from ._paper import HARDWARE, PAPER

TEST_SET = "DRealSR"
PIXELS = ("PSNR", "LPIPS")
DETAIL = ("FID", "MUSIQ", "MANIQA", "CLIPIQA")
COUNTED = {"Params": "params.published", "MACs": "macs.published"}
ASSUMED = "Rows and columns are assumed: no source prints this table."
AT_MINI_SCALE = "The same ablation at mini scale, in no paper's column: tables/adcsr_claims/mini.md."


def ablation(
    name: str,
    title: str,
    *,
    ours: str,
    variants: Mapping[str, str],
    metrics: tuple[str, ...],
    costs: tuple[str, ...] = (),
    read_text: tuple[str, ...] = (),
) -> Table:
    """An ablation that no source prints.

    Args:
        ours: the row of AdcSR itself.
        variants: row -> name of the ablation, whose system is ``adcsr-<name>``.
        metrics: quality columns.
        costs: columns that are counted or timed; none in an ablation of the training alone.
        read_text: rows that can be trained and counted, but not run.
    """
    systems = {row: f"adcsr-{variant}" for row, variant in variants.items()}
    run = {row: system for row, system in systems.items() if row not in read_text}
    with_costs = {ours: "adcsr", **systems} if costs else {}
    timed = {**run, ours: "adcsr"} if costs else {}
    return Table(
        id=f"adcsr/ablation_{name}",
        paper=PAPER.title,
        number="",
        numbering="unknown",
        title=f"Ablation: {title}",
        rows=(*variants, ours),
        columns=columns(TEST_SET, IMAGE, metrics) + (columns(COMPLEXITY, COSTS, costs) if costs else ()),
        jobs=(
            *trained(run, metrics),
            Infer(ours, TEST_SET, "adcsr", scores(IMAGE, *metrics)),
            *(Count(row, system, COUNTED) for row, system in with_costs.items()),
            *(Time(row, system, {"Time": "p50"}) for row, system in timed.items()),
        ),
        blocks=(*(_reads_text(row) for row in read_text), *no_weights(variants)),
        notes=(ASSUMED, AT_MINI_SCALE),
        hardware=HARDWARE if costs else "",
    )


def trained(systems: Mapping[str, str], metrics: tuple[str, ...]) -> tuple[Infer, ...]:
    """Jobs for the quality of variants that must first be trained: row -> system."""
    return tuple(
        Infer(row, TEST_SET, system, scores(IMAGE, *metrics), level="training") for row, system in systems.items()
    )


def no_weights(rows: Iterable[str]) -> tuple[Block, ...]:
    """Blocks for variants whose weights nobody released; their jobs name the command that trains them."""
    return tuple(
        Block(
            missing=f"the weights of {row!r}, which must be trained (8 GPUs for days)",
            reason=NO_WEIGHTS,
            rows=re.escape(row),
            test_sets=f"(?!{COMPLEXITY}$).*",
        )
        for row in rows
    )


def _reads_text(row: str) -> Block:
    """Block for the quality and time of a variant that can be trained and counted, but not run as a system."""
    return Block(
        missing=f"a system that gives {row!r} its text with every image: it can be trained and counted, not run",
        reason=f"{NO_WEIGHTS}, and {NOT_BUILT}",
        rows=re.escape(row),
    )
