"""The command that trains."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from adcbench.core.errors import AdcbenchError, Blocked


class _WithStages(click.Command):
    """A command whose help lists the stages and their presets."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from adcbench.training.stages import stages

        with formatter.section("Stages and their named settings"):
            formatter.write_dl([(name, ", ".join(spec.presets)) for name, spec in stages().items()])


@click.command(cls=_WithStages)
@click.argument("stage")
@click.option("--config", default="mini", show_default=True, help="Named settings, or a YAML file.")
@click.option("--ablation", default="", help="A variant of the stage; see docs/training.md.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/STAGE-CONFIG[-ABLATION]]"
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Folder with what earlier stages made.  [default: the package's mini weights, or the official checkpoints]",
)
@click.option(
    "--pretrained",
    "--decoder",
    "own",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A file that an earlier stage of your own made, such as decoder.safetensors, in place of that in --weights.",
)
@click.option("--source", default="", help="Training images: a folder, shards, hub:NAME, or photographs.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="One setting, such as loop.steps=100.")
@click.option("--show", is_flag=True, help="Print the settings as YAML and stop.")
def train(
    stage: str, config: str, ablation: str, out: Path | None, weights: Path | None, own: tuple[str, ...], source: str,
    settings: tuple[str, ...], show: bool,
) -> None:  # fmt: skip
    """Train STAGE, or go on with a run that was stopped.

    With several processes: torchrun --nproc_per_node 2 -m adcbench.cli train STAGE ...
    """
    from adcbench.training.settings import as_yaml, base_of, chosen
    from adcbench.training.stages import find_stage, stages

    chosen_settings = chosen(stage, config, ablation, source, settings)
    if show:
        click.echo(as_yaml(chosen_settings, base_of(config)), nl=False)
        return
    spec = find_stage(stage)
    needed = spec.needs(chosen_settings.stage)
    files = _own_files(own, needed, stage)
    for product, maker in needed.items():
        if ablation in stages()[maker].ablations and not (product in files or weights):
            made = f"adcbench train {maker} --config {config} --ablation {ablation} --out OUT"
            raise Blocked(f"{product} of {ablation}", f"{made}, then add --pretrained OUT/products/{product}")
    from adcbench.training.run import run

    name = "-".join(part for part in (stage, Path(config).stem, ablation) if part)
    weights = weights or spec.shipped(chosen_settings.stage)
    products = run(chosen_settings, out or Path("runs") / name, weights, files)
    if _first():
        click.echo(f"trained: {products}")


@click.command("train-mini")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/mini"), show_default=True)
@click.option("--release", is_flag=True, help="Then copy the weights, as float16, into the package.")
def train_mini(out: Path, release: bool) -> None:
    """Train the mini scale from scratch: autoencoder, U-Net, teacher, half decoder, student."""
    from adcbench.systems.trained import FOLDER
    from adcbench.training.experiments import mini_scale

    weights = mini_scale.train_mini(out)
    if not _first():
        return
    click.echo(f"trained: {weights}")
    if release:
        for name, sha256 in mini_scale.release(weights, FOLDER).items():
            click.echo(f"{sha256}  {FOLDER / name}")


@click.command("train-claims")
@click.argument("runs", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/claims"), show_default=True)
@click.option("--seeds", default=5, show_default=True)
def train_claims(runs: tuple[str, ...], out: Path, seeds: int) -> None:
    """Train and score RUNS (default: all that the claims need) at the mini scale; resumes where it stopped."""
    from adcbench.results.ledger_claims import load_claims, run_names
    from adcbench.training.experiments.claim_runs import train_claims as train_runs

    for line in train_runs(runs or ("bicubic", *run_names(load_claims())), out, seeds):
        click.echo(line)


def _own_files(given: Iterable[str], needed: Iterable[str], stage: str) -> dict[str, Path]:
    """Files of earlier stages by the name of the product that they stand for: [NAME=]FILE."""
    files = {}
    for text in given:
        before, _, path = text.rpartition("=")
        name = before or Path(path).name
        if name not in needed:
            names = ", ".join(needed) or "no file of an earlier stage"
            raise AdcbenchError(f"--pretrained {text}: stage {stage} starts from {names}; write NAME={path}")
        if not Path(path).is_file():
            raise AdcbenchError(f"--pretrained {text}: {path} is no file")
        files[name] = Path(path)
    return files


def _first() -> bool:
    """Whether this is the first of several processes, or the only one."""
    return os.environ.get("RANK", "0") == "0"


COMMANDS = (train, train_mini, train_claims)
