"""Makes this folder's fixtures again: python tests/golden/diffbir/make.py UPSTREAM (mini|full).

UPSTREAM is a checkout of github.com/XPixelGroup/DiffBIR at 3f8b5304245ba0ffd6f1995e51c27c3c72d7618f. Needs einops,
timm, ftfy and regex; omegaconf and torchsde are imported there and not used by v1, so they are stood in for.

``*.json.gz``: names and shapes of upstream's tensors, "FILE:NAME". ``*.npz``: what upstream's networks, sampler and
(mini) whole pipeline compute with weights that ``tensors`` makes again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))
import parity

from adcbench.systems.checkpoints.compvis import rename, text_names, unet_modules, vae_modules
from adcbench.systems.diffbir import BASE_FILE, CONTROL_FILE, FULL, MINI, STAGE1_FILE, DiffBIRConfig
from adcbench.systems.diffbir.weights import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX

HERE = Path(__file__).parent
CONFIGS = {"mini": MINI, "full": FULL}
FACTORS = {"mini": parity.LIVELY, "full": 1.0}
STEP = 601
SEED, SAMPLES, GUIDANCE, STRENGTH, TILE, STRIDE = 5, 3, 4.0, 0.7, 128, 64  # of the sampler
PIPELINE_STEPS, QUIETER = 2, 0.05  # the factor on SwinIR's last convolution keeps its image in the range of images
LR = (100, 96)  # width and height
CROP = (slice(None), slice(None), slice(320, None), slice(320, None))  # of the pipeline's output: its far corner


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """A fixed input of about unit variance."""
    return parity.lively(f"input.{name}", shape, 50)


def inputs(config: DiffBIRConfig) -> dict[str, Tensor]:
    """What the networks are run on, by name."""
    context = config.base.text.width
    return {
        "image": example("image", (1, 3, 128, 192)).mul(0.2).add(0.5).clamp(0, 1),
        "latent": example("latent", (1, 4, 16, 24)),
        "condition": example("condition", (1, 4, 16, 24)),
        "text": example("text", (1, 77, context)),
        "negative": example("negative", (1, 77, context)),
        "ids": torch.tensor([[49406, 320, 1125, 539, 49407] + [0] * 72]),
    }


def lr_image() -> np.ndarray[Any, Any]:
    """An 8-bit image (h, w, 3)."""
    noise = example("lr", (LR[1], LR[0], 3)).mul(40).add(128).clamp(0, 255)
    return noise.byte().numpy()


def joined(control: list[Tensor]) -> Tensor:
    """Some channels of each of a ControlNet's outputs, each of unit deviation, in one row."""
    return torch.cat([(side / side.std())[:, :: side.shape[1] // 4].flatten() for side in control])


def cropped(name: str, output: Tensor) -> Tensor:
    """The part of an output that is kept."""
    if name in ("stage1", "decoded"):
        apart = 4 if name == "stage1" else 2
        return output[:, :, ::apart, ::apart]
    return output[:, ::4, ::4] if name == "embedding" and output.shape[2] > 64 else output


def canonical(config: DiffBIRConfig) -> Callable[[str], str]:
    """Our name of "FILE:NAME", which seeds the tensor's values."""

    def ours(key: str) -> str:
        file, name = key.split(":", 1)
        if file == STAGE1_FILE:
            return f"swinir.{name}"
        if file == CONTROL_FILE:
            return f"controlnet.{rename(name, unet_modules(config.base.unet))}"
        if name.startswith(UNET_PREFIX):
            return f"unet.{rename(name.removeprefix(UNET_PREFIX), unet_modules(config.base.unet))}"
        if name.startswith(VAE_PREFIX):
            return f"vae.{rename(name.removeprefix(VAE_PREFIX), vae_modules(config.base.vae))}"
        return f"text_encoder.{text_names(name.removeprefix(TEXT_PREFIX))[0]}"

    return ours


def tensors(size: str, shapes: parity.Shapes, file: str) -> dict[str, Tensor]:
    """What one of the official files would hold, made from its manifest."""
    wanted = {key: shape for key, shape in shapes.items() if key.startswith(f"{file}:")}
    factor = parity.LIVELY if file == STAGE1_FILE else FACTORS[size]  # SwinIR would hardly differ from a flat image
    values = parity.checkpoint(wanted, canonical(CONFIGS[size]), factor)
    return {key.split(":", 1)[1]: value for key, value in values.items()}


def stand_ins() -> None:
    """Packages that upstream imports and v1 does not use, and CUDA calls that only measure memory."""
    for name in ("omegaconf", "omegaconf.listconfig", "torchsde"):
        sys.modules[name] = ModuleType(name)
    sys.modules["omegaconf.listconfig"].ListConfig = type("ListConfig", (list,), {})  # type: ignore[attr-defined]
    torch.Tuple = tuple  # type: ignore[attr-defined]  # older torch had typing's, and upstream annotates with it
    torch.cuda.synchronize = lambda *_: None
    torch.cuda.max_memory_allocated = lambda *_: 0


def upstream_stage1(config: DiffBIRConfig) -> Any:
    """Upstream's SwinIR (configs/inference/swinir.yaml) at our sizes."""
    from diffbir.model import SwinIR

    sizes = config.stage1
    return SwinIR(
        img_size=64, patch_size=1, in_chans=3, embed_dim=sizes.width, depths=list(sizes.depths),
        num_heads=[sizes.heads] * len(sizes.depths), window_size=sizes.window, mlp_ratio=2, sf=8, img_range=1.0,
        upsampler="nearest+conv", resi_connection="1conv", unshuffle=True, unshuffle_scale=8,
    ).eval()  # fmt: skip


def upstream_cldm(config: DiffBIRConfig) -> Any:
    """Upstream's ControlLDM (configs/inference/cldm.yaml) at our sizes, on the meta device."""
    from diffbir.model import ControlLDM

    unet, vae, text = config.base.unet, config.base.vae, config.base.text
    sizes: dict[str, Any] = {
        "use_checkpoint": False, "image_size": 32, "in_channels": 4, "model_channels": unet.widths[0],
        "attention_resolutions": [4, 2, 1], "num_res_blocks": unet.layers,
        "channel_mult": [width // unet.widths[0] for width in unet.widths],
        "num_head_channels": unet.widths[0] // unet.heads[0], "use_spatial_transformer": True,
        "use_linear_in_transformer": True, "transformer_depth": 1, "context_dim": unet.context, "legacy": False,
    }  # fmt: skip
    pixels = {
        "double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": vae.widths[0],
        "ch_mult": [width // vae.widths[0] for width in vae.widths], "num_res_blocks": vae.layers,
        "attn_resolutions": [], "dropout": 0.0,
    }  # fmt: skip
    clip = {
        "embed_dim": text.width, "layer": "penultimate",
        "vision_cfg": {"image_size": 28, "layers": 1, "width": 16, "head_width": 8, "patch_size": 14},
        "text_cfg": {
            "context_length": text.tokens, "vocab_size": text.vocabulary, "width": text.width,
            "heads": text.heads, "layers": text.layers + 1,
        },
    }  # fmt: skip
    with torch.device("meta"):
        cldm = ControlLDM(
            unet_cfg={**sizes, "out_channels": 4}, vae_cfg={"embed_dim": 4, "ddconfig": pixels}, clip_cfg=clip,
            controlnet_cfg={**sizes, "hint_channels": 4}, latent_scale_factor=vae.scaling,
        )  # fmt: skip
    return cldm.eval()


def manifest(stage1: Any, cldm: Any) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the three files."""
    parts = (
        (CONTROL_FILE, "", cldm.controlnet), (STAGE1_FILE, "", stage1), (BASE_FILE, UNET_PREFIX, cldm.unet),
        (BASE_FILE, VAE_PREFIX, cldm.vae), (BASE_FILE, TEXT_PREFIX, cldm.clip.model),
    )  # fmt: skip
    return {f"{f}:{p}{name}": tuple(t.shape) for f, p, module in parts for name, t in module.state_dict().items()}


def fill(size: str, shapes: parity.Shapes, stage1: Any, cldm: Any) -> None:
    """Deterministic weights into upstream's networks; SwinIR's constants stay."""
    parameters = dict(stage1.named_parameters())
    for name, value in tensors(size, shapes, STAGE1_FILE).items():
        if name in parameters:
            parameters[name].data.copy_(value)
    cldm.controlnet.load_state_dict(tensors(size, shapes, CONTROL_FILE), assign=True)
    base = tensors(size, shapes, BASE_FILE)
    for prefix, module in ((UNET_PREFIX, cldm.unet), (VAE_PREFIX, cldm.vae), (TEXT_PREFIX, cldm.clip.model)):
        own = {name.removeprefix(prefix): base.pop(name) for name in list(base) if name.startswith(prefix)}
        module.load_state_dict(own, assign=True)
    tokens = cldm.clip.model.context_length
    cldm.clip.model.attn_mask = torch.full((tokens, tokens), float("-inf")).triu(1)  # it is in no file


def sampler_outputs(cldm: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Three guided steps, whole and in tiles, with noise from a seed."""
    from diffbir.model import Diffusion
    from diffbir.sampler import SpacedSampler

    betas = Diffusion(linear_start=0.00085, linear_end=0.0120, timesteps=1000).betas
    cond, uncond = ({"c_txt": given[name], "c_img": given["condition"]} for name in ("text", "negative"))
    cldm.control_scales = [STRENGTH] * 13
    outputs = {}
    for name, tile in (("sampled", False), ("sampled_tiled", True)):
        torch.manual_seed(SEED)
        outputs[name] = SpacedSampler(betas, "eps", False).sample(
            cldm, "cpu", SAMPLES, tuple(given["latent"].shape), cond, uncond, GUIDANCE, tile,
            TILE // 8, STRIDE // 8, torch.randn(given["latent"].shape), False,
        )  # fmt: skip
    return outputs


def pipeline_output(stage1: Any, cldm: Any) -> Tensor:
    """The whole of v1 as it was released but for its 50 steps; (1, 3, 4h, 4w) levels 0-255."""
    from diffbir.model import Diffusion
    from diffbir.pipeline import SwinIRPipeline

    stage1.conv_last.weight.data.mul_(QUIETER)
    large = Image.fromarray(lr_image()).resize((4 * LR[0], 4 * LR[1]), Image.BICUBIC)
    diffusion = Diffusion(linear_start=0.00085, linear_end=0.0120, timesteps=1000)
    torch.manual_seed(SEED)
    (restored,) = SwinIRPipeline(stage1, cldm, diffusion, None, "cpu").run(
        np.array(large)[None], PIPELINE_STEPS, 1.0, False, 512, 256, False, 256, False, 256, False, 512, 256,
        "", "", 1.0, "noise", "spaced", 0, False, 0, 0, 300, 1, 1, 1,
    )  # fmt: skip
    return torch.from_numpy(restored).permute(2, 0, 1)[None]


def main(folder: str, size: str) -> None:
    """Writes the fixtures of one size."""
    sys.path.insert(0, folder)
    stand_ins()
    config, given = CONFIGS[size], inputs(CONFIGS[size])
    stage1, cldm = upstream_stage1(config), upstream_cldm(config)
    shapes = manifest(stage1, cldm)
    parity.write_manifest(HERE / f"{size}.json.gz", shapes)
    fill(size, shapes, stage1, cldm)
    step = torch.tensor([STEP])
    with torch.inference_mode():
        outputs = {
            "stage1": stage1(given["image"]),
            "control": joined(cldm.controlnet(given["latent"], given["condition"], step, given["text"])),
            "noise": cldm(given["latent"], step, {"c_txt": given["text"], "c_img": given["condition"]}),
            "encoded": cldm.vae_encode(given["image"] * 2 - 1, sample=False),
            "decoded": cldm.vae_decode(given["latent"][:, :, :8, :12]),
            "embedding": cldm.clip(given["ids"]),
        }
        if size == "mini":
            outputs |= {**sampler_outputs(cldm, given), "pipeline": pipeline_output(stage1, cldm)[CROP]}
    kept = {name: cropped(name, output).contiguous().numpy() for name, output in outputs.items()}
    np.savez_compressed(HERE / f"{size}.npz", **kept)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
