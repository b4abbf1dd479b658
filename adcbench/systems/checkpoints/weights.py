"""Reading checkpoints safely and loading them strictly, whatever wrote them; ``pickles`` reads the file itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError, listed
from adcbench.systems.checkpoints.pickles import read_checkpoint


def state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name; a ``state_dict`` container is opened.

    Raises:
        AdcbenchError: as ``read_checkpoint``, or a file that holds something else, saying what it looks like.
    """
    content = read_checkpoint(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise AdcbenchError(f"{path}: expected tensors by name, found {describe(content)}")
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others:
        looks = f"It looks like {describe(content)}"
        raise AdcbenchError(f"{path}: {len(others)} entries are not tensors: {listed(others)}. {looks}")
    return dict(content)


def load_strict(module: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Put tensors into a module, all of them and nothing else, as float32.

    A module built on the meta device takes the tensors themselves, without a copy where they are float32.

    Args:
        source: where the tensors come from, for the error.

    Raises:
        AdcbenchError: missing, unexpected or wrong-shaped tensors, or values that are not finite.
    """
    check_names(tensors, shapes(module), source)
    check_finite(tensors, source)
    fill(module, tensors)


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors that were checked into a module, as float32; see ``load_strict``."""
    on_meta = any(parameter.is_meta for parameter in module.parameters())
    module.load_state_dict({name: t.to(torch.float32) for name, t in tensors.items()}, assign=on_meta)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a module's tensors, in its own order."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def check_names(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Refuse tensors whose names and shapes are not exactly the expected ones; the error lists which."""
    missing = [name for name in expected if name not in tensors]
    unexpected = [name for name in tensors if name not in expected]
    wrong = [
        f"{name} {tuple(tensors[name].shape)} instead of {shape}"
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    problems = (("missing", missing), ("unexpected", unexpected), ("wrong shape", wrong))
    differences = "; ".join(f"{len(names)} {what}: {listed(names)}" for what, names in problems if names)
    if differences:
        raise AdcbenchError(
            f"{source}: not a checkpoint of this network. {differences}. It looks like {describe(tensors)}"
        )


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse tensors with NaN or infinite values, naming them."""
    broken = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise AdcbenchError(
            f"{source}: NaN or infinite values in {len(broken)} tensors: {listed(broken)}. "
            "The file is damaged or its training diverged; fetch it again or use an earlier checkpoint"
        )


def drop_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Names without ``prefix`` (such as DDP's ``module.``) where they have it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def drop_aliases(
    tensors: Mapping[str, Tensor], canonical: Callable[[str], str | None], source: str
) -> dict[str, Tensor]:
    """Keep each tensor once, under its canonical name.

    Args:
        canonical: the canonical name of an alias; None for a name that is no alias.

    Raises:
        AdcbenchError: an alias whose tensor differs from the canonical one, or that has none.
    """
    aliases = {name: target for name in tensors if (target := canonical(name)) is not None}
    dangling = [name for name, target in aliases.items() if target not in tensors]
    if dangling:
        raise AdcbenchError(f"{source}: aliases without the tensor they repeat: {listed(dangling)}. Fetch it again")
    differing = [name for name, target in aliases.items() if not _same(tensors[name], tensors[target])]
    if differing:
        raise AdcbenchError(
            f"{source}: {len(differing)} aliases differ from the tensor they repeat: {listed(differing)}. "
            "Two versions of one weight: save the checkpoint again from one network"
        )
    return {name: tensor for name, tensor in tensors.items() if name not in aliases}


def describe(content: Any) -> str:
    """What a checkpoint's content looks like, in words, from the names in it."""
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}, not a dict of tensors"
    if not content:
        return "an empty dict"
    names = [str(name) for name in content]
    for words, known in _LOOKS:
        if any(known(name) for name in names):
            return words
    return f"a dict of {len(names)} entries: {listed(names)}"


_LOOKS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (
        "OSEDiff's own osediff.pkl (LoRA tensors only)",
        lambda n: n.startswith(("vae_lora_", "unet_lora_", "rank_")),
    ),
    ("the AdcSR hub's osediff.pkl (full VAE and UNet of the teacher)", lambda n: n in ("vae", "unet")),
    ("LoRA tensors, such as DAPE.pth", lambda n: n.endswith((".lora_A", ".lora_B", ".lora_A.weight"))),
    (
        "Recognize Anything (RAM) weights",
        lambda n: n.startswith(("visual_encoder.", "model.visual_encoder.")),
    ),
    ("a BasicSR checkpoint, such as Real-ESRGAN", lambda n: n in ("params", "params_ema")),
    ("a CompVis Stable Diffusion UNet", lambda n: "diffusion_model." in n),
    ("a decoder with CompVis names (decoder.up.1.block...)", lambda n: ".block." in n and "up." in n),
    ("AdcSR's student, net_params_200.pkl", lambda n: ".body." in f".{n}"),
    ("AdcSR's half decoder, halfDecoder.ckpt", lambda n: n.startswith("decoder.")),
)


def _same(a: Tensor, b: Tensor) -> bool:
    shared = a.data_ptr() == b.data_ptr() and a.stride() == b.stride() and a.shape == b.shape
    return shared or torch.equal(a, b)
