"""Makes this folder's fixtures again, with upstream's own classes on deterministic weights:

    python tests/golden/resshift/make.py resshift RESSHIFT_CHECKOUT    # github.com/zsyOAOA/ResShift, commit 3ce1d81
    python tests/golden/resshift/make.py sinsr SINSR_CHECKOUT          # github.com/wyf0912/SinSR, commit f173549

in this order, with timm and einops installed. ``*.json.gz``: names and shapes of upstream's tensors, of ``full``
size those of the official checkpoints. ``*.npz``: outputs. 2 minutes and 2 GB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import parity  # noqa: E402

from adcbench.systems.checkpoints.deterministic import deterministic_tensor  # noqa: E402
from adcbench.systems.resshift import FULL, MINI, ResShiftConfig  # noqa: E402
from adcbench.systems.resshift.weights import canonical  # noqa: E402

CONFIGS = {"mini": MINI, "full": FULL}
SEED = 1  # one after which no latent of the sampler is near the border between two codes
# heights and widths of: the U-Net's latent, the encoder's image, the decoder's latent, the sampler's LR
SIZES = {
    "mini": {"unet": (8, 16), "encode": (32, 24), "decode": (8, 6), "sample": (7, 13)},
    "full": {"unet": (64, 128), "encode": (64, 48), "decode": (16, 12)},
}
STEP = 11
_STUBS = ("cv2", "loguru", "omegaconf", "datapipe", "datapipe.datasets", "utils", "utils.util_net", "utils.util_image",
          "utils.util_common", "torchvision.utils")  # fmt: skip


def example(name: str, size: tuple[int, int], factor: float = 1.0) -> Tensor:
    """A fixed input (1, 3, h, w) of standard deviation ``factor``."""
    return deterministic_tensor(f"input.{name}", (1, 3, *size)) * 50 * factor


def inputs(scale: str) -> dict[str, Tensor]:
    """The inputs of the fixtures; latents to decode are of the size of the codes."""
    sizes = SIZES[scale]
    made = {
        "x": example("x", sizes["unet"]),
        "lr": example("lr", sizes["unet"], 0.4).clamp(-1, 1),
        "image": example("image", sizes["encode"], 0.4).clamp(-1, 1),
        "latent": example("latent", sizes["decode"], 0.1),
    }
    if "sample" in sizes:
        made["small"] = example("small", sizes["sample"], 0.4).clamp(-1, 1)
    return made


def networks(config: ResShiftConfig, system: str) -> tuple[nn.Module, nn.Module]:
    """Upstream's U-Net and autoencoder in the sizes of one of our configurations."""
    from ldm.models.autoencoder import VQModelTorch
    from models.unet import UNetModelSwin

    size, vq = config.unet, config.vq
    levels = len(size.multipliers)
    own = {"in_channels": 3, "lq_size": size.trained} if system == "resshift" else {"in_channels": 6}
    unet = UNetModelSwin(
        image_size=size.trained,
        model_channels=size.width,
        out_channels=vq.latent,
        num_res_blocks=[size.blocks] * levels,
        attention_resolutions=[size.trained >> level for level in range(levels)],
        channel_mult=size.multipliers,
        num_head_channels=size.head,
        use_scale_shift_norm=True,
        swin_depth=size.depth,
        swin_embed_dim=size.swin_width,
        window_size=size.window,
        mlp_ratio=4,
        cond_lq=True,
        **own,
    )
    sizes: dict[str, Any] = {
        "double_z": False,
        "z_channels": vq.latent,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": vq.width,
        "ch_mult": vq.multipliers,
        "num_res_blocks": vq.blocks,
        "attn_resolutions": [],
        "padding_mode": "zeros",
    }
    return unet, VQModelTorch(sizes, vq.codes, vq.latent)


def fill(network: nn.Module, manifest: Path, system: str) -> None:
    """Deterministic weights; upstream's constants stay. SinSR must have the names that ResShift has."""
    own = network.state_dict()
    shapes = {name: list(tensor.shape) for name, tensor in own.items()}
    if system == "resshift":
        parity.write_manifest(manifest, shapes)
    assert shapes == parity.read_manifest(manifest)
    made = parity.checkpoint(shapes, canonical)
    constants = {name: own[name] for name in own if name.endswith(("attn_mask", "relative_position_index"))}
    network.load_state_dict({**made, **constants})
    network.eval().requires_grad_(False)


def diffusion(config: ResShiftConfig) -> Any:
    """Upstream's diffusion with our settings."""
    from models.script_util import create_gaussian_diffusion

    return create_gaussian_diffusion(
        normalize_input=True,
        schedule_name="exponential",
        sf=4,
        min_noise_level=config.least_noise,
        steps=config.steps,
        kappa=config.kappa,
        etas_end=config.end,
        schedule_kwargs={"power": config.power},
        scale_factor=1.0,
    )


def sampler(unet: nn.Module, vq: nn.Module, config: ResShiftConfig, system: str) -> Any:
    """Upstream's sampler without what it imports for reading files, and without its constructor, which wants a GPU."""
    for name in _STUBS:
        stub = sys.modules[name] = ModuleType(name)
        for needed in ("create_dataset", "ImageSpliterTh", "logger", "OmegaConf", "util_net", "util_image",
                       "util_common", "save_image"):  # fmt: skip
            setattr(stub, needed, None)
    import sampler as upstream

    made = object.__new__(upstream.ResShiftSampler if system == "resshift" else upstream.Sampler)
    made.configs = SimpleNamespace(model=SimpleNamespace(params=SimpleNamespace(cond_lq=True)))
    made.padding_offset = made.desired_min_size = config.multiple
    made.sf, made.ddim = 4, False
    made.base_diffusion, made.model, made.autoencoder = diffusion(config), unet, vq
    return made


def outputs(scale: str, system: str) -> dict[str, Tensor]:
    """What upstream's classes make of ``inputs``."""
    config, given = CONFIGS[scale], inputs(scale)
    unet, vq = networks(config, system)
    fill(unet, HERE / f"{scale}_unet.json.gz", system)
    fill(vq, HERE / f"{scale}_vq.json.gz", system)
    found = {
        "unet": unet(given["x"], torch.tensor([STEP]), lq=given["lr"]),
        "encode": vq.encode(given["image"]),
        "decode": vq.decode(given["latent"]),
    }
    if "small" in given:
        one_step: dict[str, Any] = {"one_step": True} if system == "sinsr" else {}
        process, given_lr = diffusion(config), given["lr"]
        torch.manual_seed(SEED)
        for state in process.p_sample_loop_progressive(
            y=given_lr, model=unet, first_stage_model=vq, clip_denoised=False, model_kwargs={"lq": given_lr}, **one_step
        ):
            found["sampled"] = state["sample"]
        torch.manual_seed(SEED)
        found["sr"] = sampler(unet, vq, config, system).sample_func(given["small"], **(one_step or {"mask": None}))
        found["sqrt_etas"] = torch.from_numpy(process.sqrt_etas)
    return found


if __name__ == "__main__":
    name = sys.argv[1]
    sys.path.insert(0, sys.argv[2])
    with torch.inference_mode():
        for each in CONFIGS if name == "resshift" else ("mini",):
            arrays = {key: value.numpy() for key, value in outputs(each, name).items()}
            np.savez_compressed(HERE / f"{each if name == 'resshift' else name}.npz", **arrays)
