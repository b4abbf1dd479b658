"""What upstream's loops and ours start from in the certification: sizes, weights, images, draws. All float64.

In float64 the two agree to about nine digits, so that even parameters whose gradient is zero but for rounding (the
bias of an attention's keys) stay where they are; in float32 Adam would move them by the sign of the rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.checkpoints.deterministic import deterministic_tensor
from adcbench.systems.layers.sd21 import SD21Config, TextConfig, UNetConfig, VaeConfig
from adcbench.systems.osediff import OSEDiffConfig
from adcbench.training.engine.stage import Batch

STUDENT = AdcSRConfig(unet_widths=(24, 48, 48, 48), heads=(1, 2, 2, 2), decoder_widths=(32, 32, 32, 32))
BASE = SD21Config(
    unet=UNetConfig(widths=(32, 64, 64, 64), heads=(1, 2, 2, 2), context=64),
    vae=VaeConfig(widths=(32, 32, 64, 64), layers=1),
    text=TextConfig(vocabulary=0, tokens=1, width=64),
)
OSEDIFF = OSEDiffConfig(base=BASE, tags=False)
STEPS = 3
BATCH = 2
SIZE = (128, 64)  # of the HR: the coarsest features have two pixels for attention to choose from
TOKENS = 5
RATE, JUDGE_RATE = 1e-3, 1e-4  # larger than published, so that three steps count


@contextmanager
def single() -> Iterator[None]:
    """Inside, random numbers are drawn in float32, whatever torch's default is."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """The deterministic tensor of a name."""
    with single():
        return deterministic_tensor(name, shape).double()


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """A fixed input of about unit variance."""
    return tensor(f"input.{name}", shape) * 50


def weights(names: Mapping[str, tuple[int, ...]], prefix: str = "") -> dict[str, Tensor]:
    """Deterministic tensors, four times the recipe but for norms, so that every layer matters."""
    factors = {name: 1 if "norm" in name else 4 for name in names}
    return {n: tensor(prefix + n, tuple(s)) * factors[n] for n, s in names.items()}


def filled(network: nn.Module, prefix: str = "") -> nn.Module:
    """The network, wherever it was built, with deterministic weights of its names."""
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    network.load_state_dict(weights(shapes, prefix), assign=True)
    return network


def batch(step: int) -> Batch:
    """The images of a step."""
    samples = tuple(range(BATCH * step, BATCH * step + BATCH))
    small = tuple(side // 4 for side in SIZE)
    hr, lr = ((example(f"{kind}{step}", (BATCH, 3, *size)) / 6 + 0.5).clamp(0, 1)
              for kind, size in (("hr", SIZE), ("lr", small)))  # fmt: skip
    return Batch(hr, lr, samples, seed=0, step=step)


def text(name: str) -> Tensor:
    """The embedding of an image's prompt, or with the name ``empty`` of none."""
    return example(f"text {name}", (1, TOKENS, BASE.unet.context)).expand(BATCH, -1, -1)


def perceptual(x: Tensor, y: Tensor) -> Tensor:
    """In place of LPIPS: squared differences of fixed features, (B,)."""
    kernel = tensor("perceptual", (8, 3, 5, 5)) * 10
    first, second = (F.conv2d(image, kernel, stride=2).tanh() for image in (x, y))
    return (first - second).square().mean(dim=(1, 2, 3))


START = 3  # step at which the adversarial loss of a reconstruction begins
# Name -> step, and what the discriminator's last weights are times: small ones drive the weight to its limit.
RECONSTRUCTIONS = {"early": (0, 1.0), "adversarial": (5, 100.0), "limited": (5, 1.0)}


class Layers(nn.Module):
    """Two layers: in place of a decoder, and of a discriminator."""

    def __init__(self, name: str, widths: tuple[int, int, int], factor: float) -> None:
        super().__init__()
        first, second, third = widths
        self.first = nn.Parameter(tensor(f"{name}.first", (second, first, 3, 3)) * 10)
        self.last = nn.Parameter(tensor(f"{name}.last", (third, second, 3, 3)) * 10 * factor)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(x, self.first, padding=1).tanh(), self.last, padding=1)


def reconstruction(name: str) -> tuple[Layers, Layers, Tensor, int]:
    """Decoder, discriminator, images and step of a case."""
    step, factor = RECONSTRUCTIONS[name]
    return (
        Layers("decoder", (3, 8, 3), 1.0),
        Layers("judge", (3, 8, 1), factor),
        example("images", (2, 3, 32, 32)),
        step,
    )


def summary(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """By parameter: the norm of its change, and the change's component along a fixed direction."""
    found = {}
    for name, new in after.items():
        change = (new - before[name]).detach().double()
        direction = tensor(f"direction.{name}", tuple(change.shape))
        found[name] = [change.norm().item(), ((change * direction).sum() / direction.norm()).item()]
    return found


def gradients(network: nn.Module) -> dict[str, list[float]]:
    """The same of its parameters' gradients."""
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return summary({name: torch.zeros_like(gradient) for name, gradient in found.items()}, found)


def copies(parameters: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors as they are now."""
    return {name: tensor.detach().clone() for name, tensor in parameters}
