"""Commands about costs: count, latency."""

from __future__ import annotations

import click

from adcbench.cli.options import device_option


@click.command()
@click.argument("networks", nargs=-1, required=True)
@click.option("--fvcore", is_flag=True, help="Check the counts with fvcore on CPU (minutes; kept in the store).")
def count(networks: tuple[str, ...], fvcore: bool) -> None:
    """Parameters and MACs of networks, by component, in both conventions."""
    from adcbench.cost.counts import cached_count
    from adcbench.cost.fvcore_check import check
    from adcbench.report.terminal import cost_text, fvcore_text

    for network in networks:
        click.echo(cost_text(cached_count(network)))
        if fvcore:
            click.echo(fvcore_text(check(network)))


@click.command()
@click.argument("systems", nargs=-1, required=True)
@device_option()
@click.option("--dtype", default="float32", show_default=True)
@click.option("--size", default=128, show_default=True, type=click.IntRange(1), help="Side of the LR image, in pixels.")
@click.option("--threads", default=0, type=click.IntRange(0), help="CPU threads.  [default: torch's]")
def latency(systems: tuple[str, ...], device: str, dtype: str, size: int, threads: int) -> None:
    """Time systems alternately in processes of their own, and keep every raw value in the store."""
    from adcbench.cli.images import named_system
    from adcbench.cost.latency import measure
    from adcbench.report.terminal import latency_text

    for name in systems:
        named_system(name)  # as everywhere, ``module:factory`` may be in the present folder
    click.echo(latency_text(measure(systems, device=device, dtype=dtype, size=size, threads=threads)))


COMMANDS = (count, latency)
