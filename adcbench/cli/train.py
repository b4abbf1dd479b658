"""The command that trains."""

from __future__ import annotations

import os
from pathlib import Path

import click

from adcbench.core.errors import Blocked


@click.command()
@click.argument("stage")
@click.option("--config", default="mini", show_default=True, help="Named settings, or a YAML file.")
@click.option("--ablation", default="", help="A variant of AdcSR's stages; see docs/training.md.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/STAGE-CONFIG[-ABLATION]]"
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Folder with what earlier stages made.  [default: the package's mini weights, or the official checkpoints]",
)
@click.option(
    "--decoder",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Half decoder for stage distil, from a stage decoder of your own.",
)
@click.option("--source", default="", help="Training images: a folder, shards, hub:NAME, or photographs.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="One setting, such as loop.steps=100.")
@click.option("--show", is_flag=True, help="Print the settings as YAML and stop.")
def train(
    stage: str, config: str, ablation: str, out: Path | None, weights: Path | None, decoder: Path | None, source: str,
    settings: tuple[str, ...], show: bool,
) -> None:  # fmt: skip
    """Train STAGE (vae, denoise, teacher, decoder, distil), or go on with a run that was stopped.

    With several processes: torchrun --nproc_per_node 2 -m adcbench.cli train STAGE ...
    """
    from adcbench.training.experiments.ablations import own_stage_1
    from adcbench.training.settings import as_yaml, base_of, chosen

    found = chosen(stage, config, ablation, source, settings)
    if show:
        click.echo(as_yaml(found, base_of(config)), nl=False)
        return
    if stage == "distil" and own_stage_1(ablation) and not (decoder or weights):
        made = f"adcbench train decoder --config {config} --ablation {ablation} --out OUT"
        raise Blocked(f"the half decoder of {ablation}", f"{made}, then add --decoder OUT/products/decoder.safetensors")
    from adcbench.training.pretrained import weights_for
    from adcbench.training.run import run

    name = "-".join(part for part in (stage, Path(config).stem, ablation) if part)
    products = run(found, out or Path("runs") / name, weights or weights_for(found.stage), decoder)
    if _speaks():
        click.echo(f"trained: {products}")


@click.command("train-mini")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/mini"), show_default=True)
@click.option("--release", is_flag=True, help="Then copy the weights, as float16, into the package.")
def train_mini(out: Path, release: bool) -> None:
    """Train the mini scale from scratch: autoencoder, U-Net, teacher, half decoder, student."""
    from adcbench.systems.trained import FOLDER
    from adcbench.training.experiments import mini_scale as recipe

    weights = recipe.train_mini(out)
    if not _speaks():
        return
    click.echo(f"trained: {weights}")
    if release:
        for name, sha256 in recipe.release(weights, FOLDER).items():
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


def _speaks() -> bool:
    """Whether this is the first of several processes, or the only one."""
    return os.environ.get("RANK", "0") == "0"


COMMANDS = (train, train_mini, train_claims)
