"""Makes this folder's fixtures again: python tests/golden/adcsr_training/make.py ADCSR OSEDIFF LATENT_DIFFUSION TAMING.

Arguments: checkouts at d0b2871, fcc4f09, a506df5 and 3ba01b2. Upstream's own code runs its own training steps, on the
CPU and in float64, on small networks of diffusers and peft. Replaced are only sizes, files, data, devices, autocast
and the gradient scaler, by text; a replacement that finds nothing is an error.
"""

from __future__ import annotations

import copy
import gzip
import importlib.util
import json
import sys
import textwrap
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from adcbench.training.engine import stage

HERE = Path(__file__).parent


def load(path: Path) -> Any:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(f"fixture_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load(HERE / "recipe.py")
pruning = load(HERE.parent / "adcsr_pruning" / "make.py")


def changed(text: str, replacements: Mapping[str, str]) -> str:
    """The text with every replacement made."""
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def between(text: str, first: str, last: str) -> str:
    """The lines from the one that starts with ``first`` to the one before that starts with ``last``."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().startswith(first))
    end = next((i for i, line in enumerate(lines) if i > start and line.strip().startswith(last)), len(lines))
    return textwrap.dedent("\n".join(lines[start:end]))


def networks(prefix: str = "") -> tuple[Any, Any]:
    """diffusers' U-Net and autoencoder at our sizes."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    sizes, vae = recipe.BASE.unet, recipe.BASE.vae
    unet = UNet2DConditionModel(
        sample_size=64, block_out_channels=sizes.widths, attention_head_dim=sizes.heads,
        cross_attention_dim=sizes.context, use_linear_projection=True,
    )  # fmt: skip
    autoencoder = AutoencoderKL(
        block_out_channels=vae.widths, layers_per_block=vae.layers, latent_channels=vae.latent,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    return recipe.filled(unet, f"{prefix}unet."), recipe.filled(autoencoder, f"{prefix}vae.")


def noise_schedule() -> Any:
    """diffusers' scheduler with the shares of the signal in float64."""
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1,
        timestep_spacing="leading",
    )  # fmt: skip
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    scheduler.alphas_cumprod = (1 - betas).cumprod(0)
    return scheduler


# --- stage 2: AdcSR's train.py ---------------------------------------------------------------------------------------


class _Scaler:
    """A gradient scaler that is off."""

    def scale(self, loss: Tensor) -> Tensor:
        return loss

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        optimiser.step()

    def update(self) -> None:
        pass


class _Distributed(nn.Module):
    """In place of DDP; notes which parameters DDP would keep equal over processes."""

    unsynchronised: ClassVar[dict[str, set[str]]] = {}

    def __new__(cls, module: nn.Module, device_ids: list[int]) -> Any:
        frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
        cls.unsynchronised[type(module).__name__] = frozen
        return module


def distil(checkout: Path, folder: Path) -> dict[str, Any]:
    """Losses and changes of STEPS steps of stage 2."""
    from diffusers.models.autoencoders.vae import Decoder

    model, utils = pruning._upstream(checkout, folder, pruning._NUMBERS)
    unet, vae = networks()
    merged = dict(zip(("unet", "vae"), (n.state_dict() for n in networks("teacher.")), strict=True))
    half = Decoder(4, 3, ("UpDecoderBlock2D",) * 4, recipe.STUDENT.decoder_widths, 2, 32)
    recipe.filled(half, "half.")
    losses: list[list[float]] = []

    def lora(network: Any) -> Any:
        adapted = utils.add_lora_to_unet(network)
        shapes = {n: tuple(p.shape) for n, p in adapted.named_parameters() if "lora" in n}
        adapted.load_state_dict(recipe.weights(shapes, "judge."), strict=False)
        return adapted

    width = recipe.STUDENT.decoder_widths[-1]
    source = changed(
        between((checkout / "train.py").read_text(), "vae = pipe.vae", "no such line"),
        {
            "Conv2d(256, 320": f"Conv2d({width}, {recipe.BASE.unet.widths[0]}",
            "repeat(1, 64, 1, 1) / 64": f"repeat(1, {width // 4}, 1, 1) / {width // 4}",
            "[64, 128, 256, 256]": str(list(recipe.STUDENT.decoder_widths)),
            'torch.load("./weight/pretrained/osediff.pkl", weights_only=False)': "MERGED",
            'torch.load("./weight/pretrained/halfDecoder.ckpt", weights_only=False)': "HALF",
            "torch.cuda.amp.autocast(enabled=True)": "nullcontext()",
            "torch.cuda.amp.GradScaler()": "Scaler()",
            "lr=1e-6": f"lr={recipe.JUDGE_RATE}",
            "from diffusers.models.autoencoders.vae import Decoder": "",
            "loss_avg += loss.item()": "LOSSES.append([loss_distil.item(), loss_adv.item(), loss_D.item()])",
            "params_to_opt = []": "params_to_opt = []; BEFORE = (copies(model), copies(model_D))",
        },
    )
    batches = [recipe.batch(step) for step in range(recipe.STEPS)]
    ids = SimpleNamespace(input_ids=0)
    ids.to = lambda device: ids
    tagger = SimpleNamespace(generate_tag=lambda image: ["a tag"], requires_grad_=lambda flag: None)
    tagger.eval = tagger.to = lambda *_: tagger

    class Encoder:
        def requires_grad_(self, flag: bool) -> None:
            pass

        def __call__(self, ids: Any, return_dict: bool) -> list[Tensor]:
            return [recipe.text("tags")]

    class Tokenizer:
        model_max_length = 77

        def __call__(self, *_: Any, **__: Any) -> Any:
            return ids

    transforms = SimpleNamespace(**{n: lambda *_, **__: lambda x: x for n in ("Compose", "Resize", "Normalize")})
    scope: dict[str, Any] = {
        "torch": torch, "copy": copy, "os": SimpleNamespace(makedirs=lambda *_, **__: None), "F": torch.nn.functional,
        "nullcontext": nullcontext, "Scaler": _Scaler, "DDP": _Distributed, "Net": model.Net, "Decoder": Decoder,
        "add_lora_to_unet": lora, "MERGED": merged, "LOSSES": losses, "time": lambda: 0.0, "tqdm": lambda x: x,
        "HALF": {"state_dict": {f"decoder.{n}": t for n, t in half.state_dict().items()}},
        "pipe": SimpleNamespace(vae=vae, unet=unet, text_encoder=Encoder(), tokenizer=Tokenizer(),
                                scheduler=noise_schedule()),
        "ram": lambda **_: tagger, "transforms": transforms, "dist": SimpleNamespace(barrier=lambda: None),
        "RealESRGANDataset": lambda *_: None, "DataLoader": lambda *_, **__: batches, "config": None,
        "RealESRGANDegrader": lambda *_: SimpleNamespace(degrade=lambda b: (b.lr, b.hr)),
        "args": SimpleNamespace(model_dir="m", log_dir="l", save_interval=10), "epoch": 1, "rank": 1,
        "learning_rate": recipe.RATE, "bsz": recipe.BATCH, "device": torch.device("cpu"), "open": None,
        "copies": lambda network: recipe.copies(network.named_parameters()),
    }  # fmt: skip
    exec(compile(source, "train.py", "exec"), scope)
    before, after = scope["BEFORE"], [dict(scope[name].named_parameters()) for name in ("model", "model_D")]
    student = {name: recipe_name for name in after[0] if (recipe_name := pruning.our_name(name))}
    judge = {name: f"unet.{name}" for name, p in after[1].items() if p.requires_grad}
    changes = [
        recipe.summary({o: b[n] for n, o in names.items()}, {o: a[n] for n, o in names.items()})
        for b, a, names in zip(before, after, (student, judge), strict=True)
    ]
    print("not synchronised by DDP:", {n: len(s) for n, s in _Distributed.unsynchronised.items()})
    trained = {n for n, p in after[1].items() if p.requires_grad}
    print("  student:", sorted(_Distributed.unsynchronised["Net"])[:4])
    print("  judge, trained:", sorted(_Distributed.unsynchronised["UNet2DConditionModel"] & trained))
    return {"losses": losses, "student": changes[0], "discriminator": changes[1]}


# --- the teacher: OSEDiff's osediff.py and train_osediff.py ----------------------------------------------------------


class _Draws:
    """Our own draws of a step, handed out in upstream's order."""

    def begin(self, step: int) -> None:
        self.batch = recipe.batch(step)
        self.steps, self.noises = iter((("vsd step", 20, 980), ("step", 0, 1000))), iter(("vsd noise", "noise"))

    def integers(self, low: int, high: int, shape: tuple[int, ...], device: Any) -> Tensor:
        name, first, last = next(self.steps)
        assert (low, high) == (first, last)
        return stage.integers(self.batch, name, low, high)

    def normal(self, like: Tensor) -> Tensor:
        return self._noise(next(self.noises), like)

    def posterior(self, distribution: Any) -> Tensor:
        return distribution.mean + distribution.std * self._noise("posterior", distribution.mean)

    def _noise(self, name: str, like: Tensor) -> Tensor:
        with recipe.single():
            return stage.noise(self.batch, name, tuple(like.shape[1:]))


class _Texts:
    """Tokenizer and text encoder in one: a prompt's embedding."""

    model_max_length = 77

    def __call__(self, prompt: Any, **_: Any) -> Any:
        if isinstance(prompt, SimpleNamespace):
            return [recipe.text(prompt.text or "empty")[:1]]
        ids = SimpleNamespace(text=prompt)
        ids.to = lambda device: ids
        return SimpleNamespace(input_ids=ids)

    def requires_grad_(self, flag: bool) -> None:
        pass

    def to(self, *_: Any, **__: Any) -> None:
        pass

    device = "cpu"


def teacher(checkout: Path, as_written: bool) -> dict[str, Any]:
    """Losses and changes of STEPS steps of OSEDiff's training.

    Args:
        as_written: false: two slips repaired. conv_in's adapter stands in the optimiser twice, and of the tuned
            U-Net's three adapters only the last one added is active.
    """
    import argparse

    from diffusers.optimization import get_scheduler
    from peft import LoraConfig

    torch.manual_seed(0)
    draws, losses = _Draws(), []

    def named(class_: Any) -> Any:
        return SimpleNamespace(from_pretrained=lambda *_, **__: class_())

    classes = changed(
        between((checkout / "osediff.py").read_text(), "def initialize_vae", "class OSEDiff_test"),
        {
            ".cuda()": "", '"cuda"': '"cpu"', "torch.randn_like": "DRAWS.normal", "torch.randint": "DRAWS.integers",
            "self.vae.encode(c_t).latent_dist.sample()": "DRAWS.posterior(self.vae.encode(c_t).latent_dist)",
            "set_timesteps(1, device": "set_timesteps(timesteps=[999], device",  # as diffusers read it then
            "torch.float32": "torch.float64", ".float()": ".double()",
        },
    )  # fmt: skip
    scope: dict[str, Any] = {
        "torch": torch, "F": torch.nn.functional, "LoraConfig": LoraConfig, "DRAWS": draws,
        "AutoTokenizer": named(_Texts), "CLIPTextModel": named(_Texts), "DDPMScheduler": named(noise_schedule),
        "AutoencoderKL": named(lambda: networks()[1]), "UNet2DConditionModel": named(lambda: networks()[0]),
        "argparse": argparse, "get_scheduler": get_scheduler, "net_lpips": recipe.perceptual,
    }  # fmt: skip
    exec(compile(classes, "osediff.py", "exec"), scope)
    script = (checkout / "train_osediff.py").read_text()
    exec(compile(between(script, "def parse_float_list", "def main"), "arguments", "exec"), scope)
    args = scope["args"] = scope["parse_args"]([])
    published = {name: value for name, value in vars(args).items() if isinstance(value, int | float | str)}
    args.learning_rate = recipe.RATE
    scope["accelerator"] = SimpleNamespace(
        mixed_precision="no", device="cpu", num_processes=1, sync_gradients=True, accumulate=lambda *_: nullcontext(),
        backward=lambda loss: loss.backward(), clip_grad_norm_=torch.nn.utils.clip_grad_norm_,
    )  # fmt: skip
    gen, reg = scope["OSEDiff_gen"](args), scope["OSEDiff_reg"](args, scope["accelerator"])
    gen.set_train()
    reg.set_train()
    scope |= {"model_gen": gen, "model_reg": reg, "m_acc": []}
    parts = {"unet": gen.unet, "vae": gen.vae, "tuned": reg.unet_update}
    for name, network in parts.items():
        shapes = {n: tuple(p.shape) for n, p in network.named_parameters() if "lora" in n}
        network.load_state_dict(recipe.weights(shapes, f"{name}."), strict=False)
    setup = between(script, "# set vae adapter", "if args.enable_xformers") + "\n"
    setup += between(script, "# make the optimizer", "dataset_train =")
    if not as_written:
        setup = changed(setup, {"list(model_gen.unet.conv_in.parameters())":
                                "list(model_gen.unet.conv_in.base_layer.parameters())"})  # fmt: skip
        all_three = ["default_encoder", "default_decoder", "default_others"]
        reg.unet_update.set_adapter(all_three)
    exec(compile(setup, "optimisers", "exec"), scope)
    step_source = changed(
        between(script, "with accelerator.accumulate", "# Checks if"),
        {
            "ram_transforms(x_tgt*0.5+0.5)": "x_tgt", "inference(x_tgt_ram.to(dtype=torch.float16), model_vlm)":
            "['tags'] * B", ".float()": ".double()",
        },
    )  # fmt: skip
    before = {name: recipe.copies(network.named_parameters()) for name, network in parts.items()}
    for number in range(recipe.STEPS):
        draws.begin(number)
        enlarged = torch.nn.functional.interpolate(draws.batch.lr * 2 - 1, scale_factor=4, mode="bicubic")
        scope["batch"] = {
            "conditioning_pixel_values": enlarged, "output_pixel_values": draws.batch.hr * 2 - 1,
            "neg_prompt": [args.neg_prompt] * recipe.BATCH,
        }  # fmt: skip
        exec(compile(step_source, "step", "exec"), scope)
        losses.append([scope[f"loss_{name}"].item() for name in ("l2", "lpips", "kl", "d")])
    changes = {}
    for name, network in parts.items():
        trained = {n: p for n, p in network.named_parameters() if p.requires_grad}
        changes[name] = recipe.summary({n: before[name][n] for n in trained}, trained)
    return {"losses": losses, "published": published, **changes}


# --- stage 1: latent-diffusion's LPIPSWithDiscriminator --------------------------------------------------------------


class _Distance(nn.Module):
    """In place of LPIPS."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        distance: Tensor = recipe.perceptual(x, y)[:, None, None, None]
        return distance


def reconstructions(diffusion: Path, taming: Path) -> dict[str, Any]:
    """Gradients of the losses by case: summaries of what the decoder and the discriminator get, and the weight."""
    scope: dict[str, Any] = {
        "torch": torch, "nn": nn, "F": torch.nn.functional, "NLayerDiscriminator": lambda **_: nn.Identity(),
        "weights_init": lambda module: None, "LPIPS": nn.Identity,
    }  # fmt: skip
    losses = (diffusion / "ldm/modules/losses/contperceptual.py").read_text()
    for source in (
        between((taming / "taming/modules/losses/vqperceptual.py").read_text(), "def adopt_weight", "class VQLPIPS"),
        between(losses, "class LPIPSWithDiscriminator", "no such line"),
    ):
        exec(compile(source, "losses", "exec"), scope)
    found = {}
    for name in recipe.RECONSTRUCTIONS:
        decoder, judge, images, step = recipe.reconstruction(name)
        loss = scope["LPIPSWithDiscriminator"](recipe.START, disc_weight=0.5)
        loss.discriminator, loss.perceptual_loss = judge, _Distance()
        restored, posterior = decoder(images), SimpleNamespace(kl=lambda: torch.zeros(2))
        total, log = loss(images, restored, posterior, 0, step, last_layer=decoder.last)
        total.backward(inputs=list(decoder.parameters()))
        loss(images, restored, posterior, 1, step)[0].backward(inputs=list(judge.parameters()))
        found[name] = {
            "weight": log["train/d_weight"].item(),
            "decoder": recipe.gradients(decoder),
            "judge": recipe.gradients(judge),
        }
    return found


def write(name: str, content: dict[str, Any]) -> None:
    """A fixture; the same bytes for the same content."""
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


if __name__ == "__main__":
    import tempfile

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    adcsr, osediff, diffusion, taming = map(Path, sys.argv[1:])
    write("reconstruction", reconstructions(diffusion, taming))
    with tempfile.TemporaryDirectory() as temporary:
        write("distil", distil(adcsr, Path(temporary)))
    write("teacher", teacher(osediff, as_written=False))
    slips = teacher(osediff, as_written=True)
    moved = {name: sum(norm > 0 for norm, _ in slips[name].values()) for name in ("unet", "vae", "tuned")}
    print("as written:", slips["losses"], "moved", moved, "of", {name: len(slips[name]) for name in moved})
