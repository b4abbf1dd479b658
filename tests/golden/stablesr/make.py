"""Makes this folder's fixtures again: python tests/golden/stablesr/make.py UPSTREAM SITE [mini|full].

UPSTREAM is a checkout of github.com/IceClear/StableSR at 398ee9383777e255540ea027a704c8ce1f32145b; SITE, where
``pip install --target SITE --no-deps open_clip_torch==3.3.0`` put OpenCLIP. Stubs stand for what else upstream
imports and does not need here (Lightning, most of BasicSR). Weights are those of ``tests/parity.py``.

``*.json.gz``: names and shapes of upstream's tensors. ``mini.npz``: each network, three steps of upstream's sampler,
whole and in windows, and the coefficients of the 200 steps. ``full.npz``: the networks at the released sizes (2
minutes, 9 GB).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import Tensor, nn

from adcbench.systems.checkpoints.compvis import rename, text_names, unet_modules
from adcbench.systems.checkpoints.deterministic import deterministic_tensor
from adcbench.systems.stablesr import FULL, MINI, StableSRConfig
from adcbench.systems.stablesr.weights import cfw_modules, structure_modules

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from parity import checkpoint, write_manifest  # noqa: E402

CONFIGS = {"mini": MINI, "full": FULL}
STEP, STEPS, TILE, OVERLAP = 501, 3, 16, 8
UNET, STRUCTURE, TEXT, CFW = "model.diffusion_model.", "structcond_stage_model.", "cond_stage_model.model.", "cfw/"
COEFFICIENTS = ("sqrt_recip_alphas_cumprod", "posterior_mean_coef1", "posterior_mean_coef2", "posterior_variance")
FACTOR = {"mini": 4.0, "full": 1.0}
_STUBS = {
    "pytorch_lightning", "taming", "kornia", "clip", "sklearn", "matplotlib", "lmdb", "omegaconf", "basicsr.utils",
    "basicsr.data", "basicsr.ops", "basicsr.archs.stylegan2_arch", "basicsr.archs.arch_util", "cv2",
    "ldm.modules.encoders.transformer_utils",
}  # fmt: skip


def example(name: str, *shape: int) -> Tensor:
    """A fixed input of unit variance."""
    return deterministic_tensor(f"input.{name}", shape) * 50


def inputs(config: StableSRConfig) -> dict[str, Tensor]:
    """Latents, an image in [-1, 1], the prompt's embedding and ids."""
    return {
        "latent": example("latent", 1, 4, 16, 16),
        "lr": example("lr", 1, 4, 16, 16),
        "wide": example("wide", 1, 4, 16, 24),
        "text": example("text", 1, 7, config.base.unet.context),
        "image": example("image", 1, 3, 64, 48).div(3).clamp(-1, 1),
        "code": example("code", 1, 4, 8, 6).mul(config.base.vae.scaling),
        "ids": torch.tensor([[49406, 320, 1125, 539, 49407] + [0] * 72]),
    }


def noises(shape: tuple[int, ...]) -> Iterator[Tensor]:
    """The sampler's draws: the start's, then one for each step."""
    for i in range(STEPS + 1):
        yield example(f"noise{i}", *shape)


def canonical(name: str, config: StableSRConfig) -> str:
    """Our name of a tensor in the manifest, which seeds its values."""
    if name.startswith(UNET):
        return f"unet.{rename(name.removeprefix(UNET), unet_modules(config.base.unet))}"
    if name.startswith(STRUCTURE):
        return f"structure_encoder.{rename(name.removeprefix(STRUCTURE), structure_modules(config.structure))}"
    if name.startswith(CFW):
        return f"vae.{rename(name.removeprefix(CFW), cfw_modules(config))}"
    return text_names(name.removeprefix(TEXT))[0]


def tensors(config: StableSRConfig, shapes: dict[str, list[int]], scale: str) -> dict[str, Tensor]:
    """The weights that fixtures were made with, by the manifest's names."""
    return checkpoint(shapes, lambda name: canonical(name, config), FACTOR[scale])


class _Stub(ModuleType):
    """A module that has whatever is asked of it, and is a package."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return nn.Module if name == "LightningModule" else MagicMock()


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        known = any(name == stub or name.startswith(f"{stub}.") for stub in _STUBS)
        return ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None: ...


def _prepare(upstream: Path, site: Path) -> None:
    sys.path[:0] = [str(upstream), str(site)]
    sys.meta_path.insert(0, _Finder())
    for package in ("basicsr", "basicsr.archs"):  # without running their imports of everything
        module = ModuleType(package)
        module.__path__ = [str(upstream / package.replace(".", "/"))]
        sys.modules[package] = module
    util = importlib.import_module("basicsr.archs.arch_util")
    util.make_layer = lambda block, count, **sizes: nn.Sequential(*(block(**sizes) for _ in range(count)))


def _unet_settings(config: StableSRConfig) -> dict[str, Any]:
    unet = config.base.unet
    return {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": unet.widths[0],
        "attention_resolutions": [4, 2, 1],
        "num_res_blocks": unet.layers,
        "channel_mult": [width // unet.widths[0] for width in unet.widths],
        "num_head_channels": unet.widths[0] // unet.heads[0],
        "use_spatial_transformer": True,
        "use_linear_in_transformer": True,
        "context_dim": unet.context,
        "legacy": False,
        "semb_channels": config.structure_width,
    }


def _structure_settings(config: StableSRConfig) -> dict[str, Any]:
    structure = config.structure
    return {
        "image_size": 96,
        "in_channels": 4,
        "model_channels": structure.widths[0],
        "out_channels": config.structure_width,
        "num_res_blocks": structure.layers,
        "attention_resolutions": [4, 2, 1],
        "channel_mult": [width // structure.widths[0] for width in structure.widths],
        "num_heads": structure.heads[0],
        "num_head_channels": -1,
    }


def _vae_settings(config: StableSRConfig) -> dict[str, Any]:
    vae = config.base.vae
    return {
        "double_z": True,
        "z_channels": vae.latent,
        "resolution": 512,
        "in_channels": 3,
        "out_ch": 3,
        "ch": vae.widths[0],
        "ch_mult": [width // vae.widths[0] for width in vae.widths],
        "num_res_blocks": vae.layers,
        "attn_resolutions": [],
        "num_fuse_block": config.cfw_blocks,
    }


def _networks(config: StableSRConfig) -> dict[str, nn.Module]:
    """Upstream's networks, by their prefix in the manifest."""
    import open_clip.model as clip
    from ldm.models.autoencoder import AutoencoderKLResi
    from ldm.modules.diffusionmodules.openaimodel import EncoderUNetModelWT, UNetModelDualcondV2

    text = config.base.text
    vision = clip.CLIPVisionCfg(layers=1, width=64, head_width=64, patch_size=32, image_size=32)
    sizes = clip.CLIPTextCfg(text.tokens, text.vocabulary, width=text.width, heads=text.heads, layers=text.layers + 1)
    embedder = clip.CLIP(text.width, vision, sizes)
    del embedder.visual
    for block in embedder.transformer.resblocks:
        block.attn.batch_first = False  # as in the OpenCLIP 2.0.2 that upstream pins
    identity = {"target": "torch.nn.Identity"}
    return {
        UNET: UNetModelDualcondV2(**_unet_settings(config)),
        STRUCTURE: EncoderUNetModelWT(**_structure_settings(config)),
        TEXT: embedder,
        CFW: AutoencoderKLResi(_vae_settings(config), identity, 4, fusion_w=config.cfw_weight),
    }


def _fill(networks: dict[str, nn.Module], config: StableSRConfig, scale: str) -> None:
    """Writes the manifest and gives the networks its weights."""
    shapes = {prefix + n: list(t.shape) for prefix, net in networks.items() for n, t in net.state_dict().items()}
    write_manifest(HERE / f"{scale}.json.gz", shapes)
    values = tensors(config, shapes, scale)
    for prefix, network in networks.items():
        own = {n.removeprefix(prefix): values.pop(n) for n in list(values) if n.startswith(prefix)}
        network.load_state_dict(own, assign=True)
        network.eval()


def _run(networks: dict[str, nn.Module], config: StableSRConfig) -> dict[str, Tensor]:
    """What each network makes of its inputs."""
    from ldm.modules.encoders.modules import FrozenOpenCLIPEmbedder

    given, step = inputs(config), torch.tensor([STEP])
    maps = networks[STRUCTURE](given["lr"], step)
    middle: list[Tensor] = []
    hook = networks[UNET].get_submodule("middle_block").register_forward_hook(lambda *args: middle.append(args[-1]))
    noise = networks[UNET](given["latent"], step, context=given["text"], struct_cond=maps)
    hook.remove()
    vae = networks[CFW]
    posterior, features = vae.encode(given["image"])
    image = vae.decode(given["code"] / config.base.vae.scaling, features)
    embedder = SimpleNamespace(model=networks[TEXT], layer_idx=1)
    embedder.text_transformer_forward = lambda *args, **kw: FrozenOpenCLIPEmbedder.text_transformer_forward(
        embedder, *args, **kw
    )
    text = FrozenOpenCLIPEmbedder.encode_with_transformer(embedder, given["ids"])
    named = {f"map{i}": value for i, value in enumerate(maps.values())}
    code = posterior.mode() * config.base.vae.scaling
    return {**named, "middle": middle[0], "noise": noise, "code": code, "image": image, "text": text}


def _diffusion(config: StableSRConfig, steps: int) -> Any:
    from ldm.models.diffusion.ddpm import LatentDiffusionSRTextWT

    module, vae = "ldm.modules.diffusionmodules.openaimodel", _vae_settings(config)
    identity = {"target": "torch.nn.Identity"}
    return LatentDiffusionSRTextWT(
        {"target": "ldm.models.autoencoder.AutoencoderKL",
         "params": {"ddconfig": vae, "lossconfig": identity, "embed_dim": 4}},
        identity,
        {"target": f"{module}.EncoderUNetModelWT", "params": _structure_settings(config)},
        unet_config={"target": f"{module}.UNetModelDualcondV2", "params": _unet_settings(config)},
        linear_start=0.00085, linear_end=0.0120, timesteps=1000, time_replace=steps, conditioning_key="crossattn",
        scale_factor=config.base.vae.scaling, image_size=512, channels=4, use_ema=False, log_every_t=200,
    ).eval()  # fmt: skip


def _sample(networks: dict[str, nn.Module], config: StableSRConfig) -> dict[str, Tensor]:
    """Upstream's sampler with given noise: whole, from noise; in windows, from the noised latent of the input."""
    from ldm.models.diffusion import ddpm

    model, every = _diffusion(config, STEPS), _diffusion(config, 1000)
    model.model.diffusion_model, model.structcond_stage_model = networks[UNET], networks[STRUCTURE]
    model.configs = SimpleNamespace(model=SimpleNamespace(params=SimpleNamespace(channels=4)))
    given, outputs = inputs(config), {}
    for name in ("lr", "wide"):
        draws = noises(given[name].shape)
        ddpm.noise_like = lambda shape, *_, draws=draws: next(draws)
        common = {"cond": given["text"], "struct_cond": given[name], "batch_size": 1, "shape": given[name].shape,
                  "timesteps": STEPS, "time_replace": STEPS, "verbose": False}  # fmt: skip
        if name == "lr":
            outputs["sampled"] = model.sample(**common, x_T=next(draws))
        else:
            start = every.q_sample(given[name], torch.tensor([999]), next(draws))
            tiles = {"tile_size": TILE, "tile_overlap": OVERLAP, "batch_size_sample": 1}
            outputs["sampled_in_windows"] = model.sample_canvas(**common, x_T=start, **tiles)
    schedule = _diffusion(config, 200)
    outputs["times"] = torch.tensor(schedule.ori_timesteps)
    return outputs | {name: getattr(schedule, name) for name in COEFFICIENTS}


@torch.no_grad()
def main(upstream: Path, site: Path, scale: str = "mini") -> None:
    _prepare(upstream, site)
    config = CONFIGS[scale]
    with torch.device("cpu" if scale == "mini" else "meta"), redirect_stdout(StringIO()):
        networks = _networks(config)
    if scale == "full":  # the one buffer that no file holds
        text = config.base.text.tokens
        networks[TEXT].attn_mask = torch.full((text, text), float("-inf")).triu(1)
    _fill(networks, config, scale)
    outputs = _run(networks, config)
    if scale == "mini":
        with redirect_stdout(StringIO()):
            outputs |= _sample(networks, config)
    for name, value in outputs.items():
        print(f"{scale} {name} {tuple(value.shape)} std {value.double().std():.4g}")
    np.savez_compressed(HERE / f"{scale}.npz", **{n: crop(n, v).numpy() for n, v in outputs.items()})


def crop(name: str, value: Tensor) -> Tensor:
    """The part of an output that a fixture holds: a sixteenth of large maps and embeddings."""
    if name.startswith("map"):
        return value[:, ::16]
    return value[:, :, ::16] if name == "text" and value.shape[2] > 64 else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
