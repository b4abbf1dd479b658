"""Makes this folder's fixtures again: python tests/golden/s3diff/make.py CHECKOUT [--full].

CHECKOUT: github.com/ArcticHare105/S3Diff at 6a2e0a47676f2f01fccdfd4e940077d3038d953e. It needs the authors' versions
of diffusers (0.25.1), peft (0.10.0), transformers (4.35.2) and huggingface_hub (0.22.2) before this project's.

``mini`` (``full``): ``.json.gz`` has upstream's names and shapes by file; ``.npz`` what upstream's own S3Diff and
DEResNet compute on the CPU with weights that anybody can make again (``parity``), from the inputs below.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import parity  # noqa: E402

SEED = 7
TILE, OVERLAP = 6, 2  # of the tiled run at mini size
IDS = [[49406, 320, 1125, 539, 49407] + [0] * 72, [49406, 2870, 7] + [49407] + [0] * 73]
FACTOR = {"mini": 4.0, "full": 2.0}  # on the weights of the degradation network, whose scores must not saturate
LATENTS = {"mini": (2, 4, 8, 12), "full": (1, 4, 16, 16)}


def inputs(size: str) -> dict[str, Tensor]:
    """LR images in [0, 1] and their enlargements in [-1, 1]; noise as upstream draws it after seeding by ``SEED``."""
    batch, channels, h, w = LATENTS[size]
    generator = torch.Generator().manual_seed(SEED)
    lr = torch.rand(batch, 3, 2 * h, 2 * w, generator=generator)
    image = torch.nn.functional.interpolate(lr, (8 * h, 8 * w), mode="bilinear") * 2 - 1
    noise = torch.randn(batch, channels, h, w, generator=torch.Generator().manual_seed(SEED))
    return {"lr": lr, "image": image, "noise": noise}


def canonical(name: str) -> str:
    """Our name of a tensor in the manifest: ``file/name`` or ``s3diff.pkl``'s ``section/name``."""
    section, _, rest = name.partition("/")
    for part in ("vae", "unet"):
        for mlp in ("de_mlp", "block_mlp", "fuse_mlp"):
            if section == f"state_dict_{part}_{mlp}":
                return f"modulators.{part}.{mlp}.{rest}"
        if section == f"state_dict_{part}_block":
            return f"modulators.{part}.block_embeddings.{rest}"
    parts = {"state_dict_unet": "unet", "state_dict_vae": "vae"}
    return "W" if section == "w" else f"{parts.get(section, section)}.{rest}"


def value(name: str, shape: tuple[int, ...], size: str) -> Tensor:
    """The tensor of one of our names."""
    return parity.lively(name, shape, FACTOR[size] if name.startswith("degradation.") else parity.LIVELY)


def main(checkout: Path, size: str) -> None:
    """Writes one size's manifest and outputs."""
    given = inputs(size)
    with _on_cpu():
        s3diff, de_net = _upstream(checkout, size)
        _fill(s3diff, de_net, size)
        parity.write_manifest(HERE / f"{size}.json.gz", _manifest(s3diff, de_net))
        with torch.no_grad():
            outputs = _run(s3diff, de_net, given, size)
    np.savez_compressed(HERE / f"{size}.npz", **{name: output.numpy() for name, output in outputs.items()})
    for name, output in outputs.items():
        clamped = (output.abs() == 1).float().mean()
        print(size, name, tuple(output.shape), f"std {output.std():.4g}, {clamped:.1%} clamped")


def _run(s3diff: Any, de_net: nn.Module, given: dict[str, Tensor], size: str) -> dict[str, Tensor]:
    kept: dict[str, list[Tensor]] = {"latent": [], "unet": []}
    s3diff.unet.register_forward_hook(lambda m, args, out: kept["unet"].append(out.sample))
    s3diff.unet.register_forward_pre_hook(lambda m, args: kept["latent"].append(args[0]))
    outputs = {"scores": de_net(given["lr"])}
    prompts = [["positive"] * len(given["lr"]), ["negative"] * len(given["lr"])]

    def image(tile: int, overlap: int) -> Tensor:
        s3diff._set_latent_tile(tile, overlap)
        torch.manual_seed(SEED)  # the posterior draws first
        result: Tensor = s3diff(given["image"], outputs["scores"], *prompts)
        return result

    outputs["image"] = image(96, 32)[..., ::2, ::2].contiguous()
    outputs["latent"], outputs["positive"], outputs["negative"] = kept["latent"][0], *kept["unet"][:2]
    if size == "mini":
        outputs["tiled"] = image(TILE, OVERLAP)[..., ::2, ::2].contiguous()
    return outputs


def _fill(s3diff: nn.Module, de_net: nn.Module, size: str) -> None:
    for network, prefix in ((s3diff, ""), (de_net, "degradation.")):
        for name, parameter in network.named_parameters():
            with torch.no_grad():
                parameter.copy_(value(prefix + _ours(name), tuple(parameter.shape), size))


def _ours(name: str) -> str:
    for part in ("vae", "unet"):
        for layer in ("de_mlp", "block_mlp", "fuse_mlp", "block_embeddings"):
            name = name.replace(f"{part}_{layer}.", f"modulators.{part}.{layer}.")
    return name.replace(".base_layer.", ".")


def _manifest(s3diff: Any, de_net: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes by file: SD-Turbo's without LoRA, de_net.pth, and what upstream's own ``save_model`` writes."""
    files = {"unet": s3diff.unet, "vae": s3diff.vae, "text_encoder": s3diff.text_encoder, "degradation": de_net}
    sections: dict[str, Any] = {
        file: {n.replace(".base_layer.", "."): t for n, t in network.state_dict().items() if "lora" not in n}
        for file, network in files.items()
    }
    saved: dict[str, Any] = {}
    save, torch.save = torch.save, lambda content, path: saved.update(content)
    try:
        s3diff.save_model("")
    finally:
        torch.save = save
    sections |= {name: section for name, section in saved.items() if name.startswith("state_dict")}
    sections |= saved["state_embeddings"] | {"w": {"": saved["w"]}}
    return {f"{section}/{n}": tuple(t.shape) for section, tensors in sections.items() for n, t in tensors.items()}


def _upstream(checkout: Path, size: str) -> tuple[Any, nn.Module]:
    """Upstream's S3Diff around empty networks of a size, and its DEResNet."""
    import diffusers
    import transformers

    full = size == "full"
    unet = {
        "sample_size": 64,
        "block_out_channels": (320, 640, 1280, 1280) if full else (32, 64, 64, 64),
        "attention_head_dim": (5, 10, 20, 20) if full else (1, 2, 2, 2),
        "cross_attention_dim": 1024 if full else 64,
        "use_linear_projection": True,
    }
    vae = {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (128, 256, 512, 512) if full else (32, 32, 64, 64),
        "layers_per_block": 2 if full else 1,
        "latent_channels": 4,
    }
    width, layers, heads = (1024, 23, 16) if full else (64, 2, 2)
    text = transformers.CLIPTextConfig(
        hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, num_attention_heads=heads,
        hidden_act="gelu", vocab_size=49408,
    )  # fmt: skip
    schedule = {
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False,
        "steps_offset": 1, "timestep_spacing": "trailing",
    }  # fmt: skip
    _instead(diffusers.UNet2DConditionModel, lambda: diffusers.UNet2DConditionModel(**unet))
    _instead(diffusers.AutoencoderKL, lambda: diffusers.AutoencoderKL(**vae))
    _instead(diffusers.DDPMScheduler, lambda: diffusers.DDPMScheduler(**schedule))
    _instead(transformers.CLIPTextModel, lambda: transformers.CLIPTextModel(text))
    _instead(transformers.AutoTokenizer, _Tokenizer)
    sys.path[:0] = [str(checkout / "src"), str(checkout)]
    _stub_basicsr(checkout)
    ranks = (32, 16) if full else (8, 4)
    args = SimpleNamespace(
        latent_tiled_size=96, latent_tiled_overlap=32, vae_encoder_tiled_size=1024, vae_decoder_tiled_size=224
    )
    s3diff = importlib.import_module("s3diff_tile").S3Diff(lora_rank_unet=ranks[0], lora_rank_vae=ranks[1], args=args)
    s3diff.set_eval()
    small = {} if full else {"num_feats": [16, 16, 16, 32], "num_blocks": [1, 1, 1, 1]}
    return s3diff, importlib.import_module("de_net").DEResNet(**small).eval()


class _Tokenizer:
    model_max_length = 77

    def __call__(self, texts: list[str], **_: Any) -> Any:
        return SimpleNamespace(input_ids=torch.tensor([IDS[text == "negative"] for text in texts]))


def _instead(kind: Any, make: Any) -> None:
    kind.from_pretrained = staticmethod(lambda *_, **__: make())


def _stub_basicsr(checkout: Path) -> None:
    """Upstream's arch_util.py alone: the package around it needs compiled operators."""
    for name in ("basicsr", "basicsr.archs", "basicsr.ops", "basicsr.ops.dcn", "basicsr.utils"):
        sys.modules[name] = ModuleType(name)
    sys.modules["basicsr.ops.dcn"].ModulatedDeformConvPack = nn.Module  # type: ignore[attr-defined]
    sys.modules["basicsr.ops.dcn"].modulated_deform_conv = None  # type: ignore[attr-defined]
    sys.modules["basicsr.utils"].get_root_logger = None  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("basicsr.archs.arch_util", checkout / "basicsr/archs/arch_util.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["basicsr.archs.arch_util"] = module
    spec.loader.exec_module(module)


class _Cpu(TorchFunctionMode):
    """Sends what upstream puts on "cuda" to the CPU."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if getattr(function, "__name__", "") == "cuda":
            return args[0]
        if kwargs.get("device") == "cuda":
            kwargs["device"] = "cpu"
        return function(*("cpu" if isinstance(a, str) and a == "cuda" else a for a in args), **kwargs)


@contextmanager
def _on_cpu() -> Any:
    module_to, module_cuda = nn.Module.to, nn.Module.cuda
    nn.Module.to = lambda self, *args, **kwargs: self  # type: ignore[method-assign]
    nn.Module.cuda = lambda self, *args, **kwargs: self  # type: ignore[method-assign]
    try:
        with _Cpu():
            yield
    finally:
        nn.Module.to, nn.Module.cuda = module_to, module_cuda  # type: ignore[method-assign]


if __name__ == "__main__":
    main(Path(sys.argv[1]), "full" if "--full" in sys.argv else "mini")
