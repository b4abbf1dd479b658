"""The mini scale from scratch: autoencoder, U-Net, one-step teacher, half decoder, student, in this order.

    nox -s train-mini                    hours on 2 cores, resumes where it stopped
    torchrun --nproc_per_node 2 -m adcbench.cli train-mini --out DIR       both cores at work

Every stage is the full-size code with small networks (the presets ``mini``). The finished weights are rounded to
float16 and belong into ``adcbench/systems/trained/``, from where the mini systems load them: what is scored is what is
shipped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import write_whole
from adcbench.core.keys import file_hash
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.layers.vae import Vae
from adcbench.training.batches import make_crops, recorded
from adcbench.training.config import RunConfig, StageConfig
from adcbench.training.engine.processes import join_processes
from adcbench.training.engine.run_folder import differences
from adcbench.training.run import run
from adcbench.training.stages import find_preset
from adcbench.training.stages.adcsr.steps.vae import moments, normalised
from adcbench.training.stages.adcsr.vae import PRODUCT as VAE
from adcbench.training.stages.adcsr.vae import VaeStage

CHAIN = ("vae", "denoise", "teacher", "decoder", "distil")  # the stages, one after another
WEIGHTS = "weights"
_CROPS = 64  # on which the latent's deviation is measured


def train_mini(root: Path, name: str = "mini") -> Path:
    """Train all stages, or go on; the folder of the weights that they made.

    Args:
        root: a folder for each stage's run, and ``weights``.
        name: of the preset.

    Raises:
        AdcbenchError: a stage is there that was trained with other settings: lists them.
        Blocked, AdcbenchError: see ``run.run``.
    """
    weights = root / WEIGHTS
    for stage in CHAIN:
        done, config = weights / f"{stage}.json", find_preset(stage, name)
        processes = join_processes(config.loop.device)
        if processes.agree(done.is_file()):
            _check_done(done, config)
            continue
        products = run(config, root / stage, weights)
        if processes.first:
            for path in sorted(products.glob("*.safetensors")):
                tensors = library_tensors(path)
                if path.name == VAE:
                    tensors = _unit_latents(tensors, config)
                write_whole(weights / path.name, save(tensors))
            for path in (root / stage).glob("*.csv"):
                shutil.copyfile(path, weights / f"{stage}_{path.name}")
            write_whole(done, json.dumps(_provenance(root / stage), indent=1).encode())
        processes.wait()
    return weights


def own_settings(config: RunConfig[StageConfig]) -> dict[str, Any]:
    """Of a stage's recorded settings its own, not what it found: images, weights, a loss's provenance."""
    kind = type(config.stage).__name__
    return {kind: asdict(config.stage), "data": recorded(config.data), "loop": config.loop.fixed()}


def _check_done(done: Path, config: RunConfig[StageConfig]) -> None:
    now = own_settings(config)
    try:
        before = read_json(done)["settings"]
        changed = differences({name: before[name] for name in now}, now)
    except (KeyError, TypeError, AttributeError, AdcbenchError) as error:
        raise AdcbenchError(f"{done}: no record of this stage ({error}); name another folder") from error
    if changed:
        raise AdcbenchError(f"{done}: trained with other settings; name another folder:\n{changed}")


def _unit_latents(tensors: Mapping[str, Tensor], config: RunConfig[VaeStage]) -> dict[str, Tensor]:
    """The autoencoder with its latents scaled to unit variance over some training crops."""
    sizes = config.stage.vae
    network = Vae(sizes)
    network.load_state_dict(dict(tensors))
    crops = make_crops(config.data, config.loop.seed, config.loop.batch)
    with torch.no_grad():
        images = torch.stack([crops[n].pixels for n in range(_CROPS)]).float() / 127.5 - 1
        deviation = torch.cat([moments(network, part)[0] for part in torch.split(images, 8)]).std()
    return normalised(dict(tensors), float(deviation), sizes.scaling)


def _provenance(folder: Path) -> dict[str, Any]:
    """What made a stage's weights: its settings and the machine."""
    content = {}
    for name in ("settings", "environment"):
        content[name] = read_json(folder / f"{name}.json", at_most=0)
    return content


def release(weights: Path, folder: Path) -> dict[str, str]:
    """Round the weights to float16 and copy them, with provenance and curves, to where the package loads them from.

    Returns:
        The sha256 of each file.
    """
    hashes = {}
    for path in sorted(weights.glob("*.safetensors")):
        tensors = {name: tensor.half().contiguous() for name, tensor in library_tensors(path).items()}
        write_whole(folder / path.name, save(tensors))
        hashes[path.name] = file_hash(folder / path.name)
    for path in (*weights.glob("*.json"), *weights.glob("*.csv")):
        shutil.copyfile(path, folder / path.name)
    write_whole(folder / "hashes.json", json.dumps(hashes, indent=1).encode())
    return hashes
