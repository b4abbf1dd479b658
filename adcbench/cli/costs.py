"""Commands about costs: count, latency."""

from __future__ import annotations

import click

from adcbench.cli.options import device_option, note_untrained


@click.command()
@click.argument("systems", nargs=-1, required=True)
@click.option("--fvcore", is_flag=True, help="Check the counts with fvcore on CPU (minutes; kept in the store).")
def count(systems: tuple[str, ...], fvcore: bool) -> None:
    """Parameters and MACs of systems, by component, in both conventions."""
    from adcbench.cost.counts import cached_count
    from adcbench.cost.fvcore_check import check
    from adcbench.report.terminal import cost_text, fvcore_text

    for name in systems:
        click.echo(cost_text(cached_count(name)))
        if fvcore:
            click.echo(fvcore_text(check(name)))


@click.command()
@click.argument("systems", nargs=-1, required=True)
@device_option()
@click.option("--dtype", default="float32", show_default=True)
@click.option("--size", default=128, show_default=True, type=click.IntRange(1), help="Side of the LR image, in pixels.")
@click.option("--threads", default=0, type=click.IntRange(0), help="CPU threads.  [default: torch's]")
def latency(systems: tuple[str, ...], device: str, dtype: str, size: int, threads: int) -> None:
    """Time systems alternately in processes of their own, and keep every raw value in the store."""
    from adcbench.cost.latency import measure
    from adcbench.report.terminal import latency_text
    from adcbench.systems import find_system

    note_untrained(map(find_system, systems))
    click.echo(latency_text(measure(systems, device=device, dtype=dtype, size=size, threads=threads)))


COMMANDS = (count, latency)
