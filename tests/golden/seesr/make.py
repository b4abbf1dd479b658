"""Makes this folder's fixtures again: python tests/golden/seesr/make.py UPSTREAM [SITE] [full].

UPSTREAM is a checkout of github.com/cswry/SeeSR at 8edecc71c4f3efa01cd26078f2e8dffd1ce80a6a; SITE, where
``pip install --target SITE --no-deps diffusers==0.21.0`` put the diffusers that it needs (einops is needed too).

``mini``: U-Net and ControlNet together, and the whole sampler (three steps of the pipeline's own loop) from the
input's latent, from noise, and in tiles. ``full``: U-Net and ControlNet at the released sizes. Weights are those of
``tests/parity.py``, so that the tests can make them again.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adcbench.systems.checkpoints.deterministic import deterministic_tensor

HERE = Path(__file__).parent
STEP = 581
CASES = {"lr": {}, "noise": {"start_point": "noise"}, "tiled": {"tile": 6, "overlap": 2}}
GUIDANCE, STEPS = 5.5, 3


def example(name: str, *shape: int) -> Tensor:
    """A fixed input of unit variance."""
    return deterministic_tensor(f"input.{name}", shape) * 50


def inputs(batch: int, side: int, context: int, tokens: int, embed: int) -> dict[str, Tensor]:
    """What U-Net and ControlNet see together: an oblong latent, the image it stands for, text and embedding."""
    height, width = side, side + 4
    return {
        "latent": example("latent", batch, 4, height, width),
        "hint": example("hint", batch, 3, 8 * height, 8 * width).div(4).add(0.5).clamp(0, 1),
        "text": example("text", batch, 77, context),
        "embeds": example("embeds", batch, tokens, embed),
    }


MINI_INPUTS = {"batch": 2, "side": 8, "context": 64, "tokens": 17, "embed": 24}
FULL_INPUTS = {"batch": 1, "side": 12, "context": 1024, "tokens": 145, "embed": 512}


def noises(shape: tuple[int, ...]) -> Iterator[Tensor]:
    """The sampler's draws in order: start, posterior (unless it starts from noise), one for each step."""
    for i in range(STEPS + 2):
        yield example(f"noise{i}", *shape)


def _old_names() -> None:
    """Names that diffusers 0.21 imports and newer huggingface_hub and transformers lack; none is used here."""
    import huggingface_hub
    import huggingface_hub.constants as constants
    import transformers.utils as transformers

    for module, name in (
        (huggingface_hub, "cached_download"),
        (huggingface_hub, "HfFolder"),
        (constants, "hf_cache_home"),
        (transformers, "FLAX_WEIGHTS_NAME"),
    ):
        if not hasattr(module, name):
            setattr(module, name, "")


def _networks(upstream: Path, widths: tuple[int, ...], heads: tuple[int, ...], context: int, embed: int) -> Any:
    _old_names()
    sys.path.insert(0, str(upstream))
    from models import unet_2d_blocks as blocks
    from models.controlnet import ControlNetModel
    from models.unet_2d_condition import UNet2DConditionModel

    for kind in (blocks.CrossAttnDownBlock2D, blocks.UNetMidBlock2DCrossAttn, blocks.CrossAttnUpBlock2D):
        *others, _ = kind.__init__.__defaults__  # the last one is the width of the image context, never passed
        kind.__init__.__defaults__ = (*others, embed)
    sizes = {
        "block_out_channels": widths,
        "attention_head_dim": heads,
        "cross_attention_dim": context,
        "use_linear_projection": True,
        "use_image_cross_attention": True,
    }
    return nn.ModuleDict({"unet": UNet2DConditionModel(**sizes), "controlnet": ControlNetModel(**sizes)}).eval()


def _predict(networks: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
    common = {"encoder_hidden_states": given["text"], "image_encoder_hidden_states": given["embeds"]}
    sides, middle = networks["controlnet"](
        given["latent"], STEP, controlnet_cond=given["hint"], return_dict=False, **common
    )
    inside: list[Tensor] = []
    hook = networks["unet"].mid_block.register_forward_hook(lambda *call: inside.append(call[2]))
    noise = networks["unet"](
        given["latent"], STEP, down_block_additional_residuals=sides, mid_block_additional_residual=middle, **common
    ).sample
    hook.remove()
    return {"noise": noise, "inside": inside[0], "middle": middle, "first_side": sides[0][..., :8, :8]}


def _sampled(networks: Any, case: dict[str, Any]) -> Tensor:
    """The pipeline's own loop on given noise, to the last latent."""
    import diffusers.models.autoencoder_kl as autoencoder
    import diffusers.models.vae as vae_module
    import diffusers.schedulers.scheduling_ddpm as ddpm
    from pipelines import pipeline_seesr

    sys.path.insert(0, str(HERE.parents[1]))
    from parity import lively

    vae = autoencoder.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=1,
        latent_channels=4,
    ).eval()
    vae.load_state_dict({name: lively(f"vae.{name}", tuple(value.shape)) for name, value in vae.state_dict().items()})
    scheduler = ddpm.DDPMScheduler(  # SD2-base's scheduler_config.json
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )
    given = inputs(**{**MINI_INPUTS, "batch": 1})
    draws = noises(tuple(given["latent"].shape))
    for module in (pipeline_seesr, ddpm, vae_module):
        module.randn_tensor = lambda shape, **_: next(draws).expand(shape)

    class Pipeline(pipeline_seesr.StableDiffusionControlNetPipeline):
        device = _execution_device = torch.device("cpu")

        def __init__(self) -> None:
            self.unet, self.controlnet = networks["unet"], networks["controlnet"]
            self.vae, self.scheduler = vae, scheduler
            self.text_encoder = types.SimpleNamespace(dtype=torch.float32)
            self.vae_scale_factor = 8
            self.image_processor = pipeline_seesr.VaeImageProcessor(vae_scale_factor=8)
            self.set_progress_bar_config(disable=True)

    return Pipeline()(
        None,
        given["hint"],
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        prompt_embeds=given["text"],
        negative_prompt_embeds=example("negative", *given["text"].shape),
        height=given["hint"].shape[2],
        width=given["hint"].shape[3],
        conditioning_scale=1.0,
        start_point=case.get("start_point", "lr"),
        ram_encoder_hidden_states=given["embeds"],
        latent_tiled_size=case.get("tile", 96),
        latent_tiled_overlap=case.get("overlap", 4),
        args=object(),
        output_type="latent",
        return_dict=True,
    ).images


def main(upstream: Path, full: bool) -> None:
    """Write ``mini`` or ``full``: names and shapes, and outputs."""
    sys.path.insert(0, str(HERE.parents[1]))
    from parity import LIVELY, lively, write_manifest

    if full:
        networks = _networks(upstream, (320, 640, 1280, 1280), (5, 10, 20, 20), 1024, 512)
    else:
        networks = _networks(upstream, (32, 64, 64, 64), (1, 2, 2, 2), 64, 24)
    shapes = {name: tuple(tensor.shape) for name, tensor in networks.state_dict().items()}
    name = "full" if full else "mini"
    write_manifest(HERE / f"{name}.json.gz", shapes)
    with torch.inference_mode():
        for key, tensor in networks.state_dict().items():
            tensor.copy_(lively(key, tuple(tensor.shape), 1.0 if full else LIVELY))
        outputs = _predict(networks, inputs(**(FULL_INPUTS if full else MINI_INPUTS)))
        if not full:
            outputs |= {f"sampled_{case}": _sampled(networks, settings) for case, settings in CASES.items()}
    np.savez_compressed(HERE / f"{name}.npz", **{key: value.numpy() for key, value in outputs.items()})
    for key, value in outputs.items():
        print(key, tuple(value.shape), float(value.std()))


if __name__ == "__main__":
    sys.path[:0] = [argument for argument in sys.argv[2:] if argument != "full"]
    main(Path(sys.argv[1]), "full" in sys.argv[2:])
