"""Makes this folder's fixtures again: python tests/golden/adcsr_pruning/make.py ADCSR_CHECKOUT [--full].

Upstream's own ``Net`` (model.py) and ``add_lora_to_unet`` (utils.py) run on diffusers' UNet at mini size with
deterministic weights; their sizes are written into model.py, so three numbers in it are replaced. ``pruned.json.gz``:
a hash of every tensor of the pruned network, and the names that the discriminator trains. ``outputs.npz``: what both
put out. ``--full`` instead compares our pruning with upstream's at the published size (10 GB): nothing is written.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adcbench.systems.adcsr import FULL, AdcSRConfig, DiscriminatorConfig
from adcbench.systems.checkpoints.deterministic import deterministic_tensor
from adcbench.systems.layers.sd21 import UNetConfig

HERE = Path(__file__).parent
MINI = AdcSRConfig(unet_widths=(24, 48, 48, 48), heads=(1, 2, 2, 2), decoder_widths=(32, 32, 32, 32))
SD_MINI = UNetConfig(widths=(32, 64, 64, 64), heads=(1, 2, 2, 2), context=64)
JUDGE = DiscriminatorConfig(unet=SD_MINI, width=32)
_NUMBERS = {
    "Conv2d(16, 320": "Conv2d(16, 32",
    "Conv2d(320, 342": "Conv2d(32, 43",
    "repeat(86": "repeat(11",
    "342": "43",
}
_LORA_RANK = 4


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """A fixed input of about unit variance."""
    return deterministic_tensor(f"input.{name}", shape) * 50


def weights(names: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Deterministic tensors, four times the recipe but for norms, so that every layer matters."""
    return {n: deterministic_tensor(n, s) * (1 if "norm" in n else 4) for n, s in names.items()}


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a module's tensors."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def fingerprint(tensor: Tensor) -> str:
    """16 hex digits of the values' sha256."""
    return hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()[:16]


def our_name(name: str) -> str | None:
    """Our student's name of one of ``Net``'s tensors; None for the second names that it registers."""
    if name.startswith("body.1.body."):
        return None
    return name.replace("body.1.", "unet.").replace("body.2.", "decoder.mid_block.")


def _sources(sizes: UNetConfig, student: AdcSRConfig) -> tuple[nn.Module, nn.Module]:
    from diffusers import UNet2DConditionModel
    from diffusers.models.autoencoders.vae import Decoder

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64,
            block_out_channels=sizes.widths,
            attention_head_dim=sizes.heads,
            cross_attention_dim=sizes.context,
            use_linear_projection=True,
        )
        decoder = Decoder(4, 3, ("UpDecoderBlock2D",) * 4, student.decoder_widths, 2, 32)
    for network in (unet, decoder):
        network.load_state_dict(weights(shapes(network)), assign=True)
    return unet, decoder


def _upstream(checkout: Path, folder: Path, numbers: dict[str, str]) -> tuple[Any, Any]:
    for name in ("model.py", "forward.py", "utils.py"):
        text = (checkout / name).read_text()
        for old, new in numbers.items():
            text = text.replace(old, new)
        (folder / name).write_text(text)
    sys.path.insert(0, str(folder))
    modules = []
    for name in ("model", "utils"):
        spec = importlib.util.spec_from_file_location(f"upstream_{name}", folder / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        modules.append(module)
    return modules[0], modules[1]


def mini(model: Any, utils: Any) -> None:
    """Write the fixtures."""
    unet, decoder = _sources(SD_MINI, MINI)
    net = model.Net(unet, decoder)
    pruned = {ours: fingerprint(t) for name, t in net.state_dict().items() if (ours := our_name(name))}
    with torch.no_grad():
        outputs = {"student": net(example("lr", (2, 3, 32, 16)))}

    judge, _ = _sources(SD_MINI, MINI)
    width = JUDGE.width
    conv_in = nn.Conv2d(width, SD_MINI.widths[0], 3, padding=1)
    conv_in.weight.data = judge.conv_in.weight.data.repeat(1, width // 4, 1, 1) / (width // 4)
    conv_in.bias.data = judge.conv_in.bias.data
    judge.conv_in = conv_in
    judge = utils.add_lora_to_unet(judge, rank=_LORA_RANK)
    judge.set_adapters(["default_encoder", "default_decoder", "default_others"])
    trained = {name: list(p.shape) for name, p in judge.named_parameters() if "lora" in name or "conv_in" in name}
    initial = {name: p for name, p in judge.named_parameters() if "lora_A" in name}
    scale = torch.cat([p.detach().flatten() for p in initial.values()]).std().item()
    lora = weights({name: tuple(p.shape) for name, p in judge.named_parameters() if "lora" in name})
    judge.load_state_dict(lora, strict=False)
    with torch.no_grad():
        text = example("text", (2, 77, SD_MINI.context))
        outputs["judge"] = judge(example("features", (2, width, 16, 8)), 999, text).sample
    content = {"pruned": pruned, "trained": trained, "lora_A_std": scale}
    (HERE / "pruned.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    np.savez_compressed(HERE / "outputs.npz", **{name: value.numpy() for name, value in outputs.items()})


@torch.no_grad()
def full(model: Any) -> None:
    """Print whether every tensor is equal, and the largest difference of the outputs."""
    from adcbench.systems.adcsr.pruning import initial_student

    unet, decoder = _sources(UNetConfig(), FULL)
    ours = initial_student(FULL, unet.state_dict(), decoder.state_dict())
    net = model.Net(unet, decoder)
    theirs = {name: t for key, t in net.state_dict().items() if (name := our_name(key))}
    mine = {name: t for name, t in ours.state_dict().items() if not name.startswith("decoder.") or "mid" in name}
    equal = [torch.equal(t, theirs[name]) for name, t in mine.items()]
    print(len(theirs), "tensors; same names:", set(mine) == set(theirs), "; equal:", sum(equal))
    lr = example("lr", (1, 3, 64, 64))
    expected, found = net(lr), ours.features(lr)
    print("largest difference / std:", ((found - expected).abs().max() / expected.std()).item())


if __name__ == "__main__":
    at_full_size = "--full" in sys.argv
    with tempfile.TemporaryDirectory() as temporary:
        theirs = _upstream(Path(sys.argv[1]), Path(temporary), {} if at_full_size else _NUMBERS)
        full(theirs[0]) if at_full_size else mini(*theirs)
