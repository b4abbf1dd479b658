"""A small stage for tests of the loop: a generator and a discriminator by turns, with noise, on made-up crops."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.stage import Batch, Loss, noise

SIZE = 16
SETTINGS = {"stage": "toy", "data": {"size": SIZE}}


def toy_config(steps: int, **changes: Any) -> LoopConfig:
    settings = {"batch": 4, "micro_batch": 2, "ema": 0.9, "save_every": 5, "log_every": 1, "device": "cpu"}
    return LoopConfig(steps=steps, **(settings | {"tensorboard": False} | changes))


class ToySamples:
    """Sample n: smooth colours with a pattern, of image n % 5."""

    def __getitem__(self, number: int) -> tuple[Tensor, int, None]:
        generator = torch.Generator().manual_seed(number)
        small = torch.randint(0, 256, (1, 3, 4, 4), generator=generator).float()
        crop = F.interpolate(small, size=SIZE, mode="bilinear")[0]
        return crop.byte(), number % 5, None


def toy_degrade(hr: Tensor, images: Sequence[int], samples: Sequence[int]) -> Tensor:
    """A mean of 4 x 4 pixels, brighter in odd samples."""
    brighter = torch.tensor([0.1 * (n % 2) for n in samples]).view(-1, 1, 1, 1).to(hr)
    return (F.avg_pool2d(hr, 4) + brighter).clamp(0, 1).mul(255).round() / 255


class ToyStage:
    """Generator: LR and noise -> HR by L1 and softplus adversarial; discriminator: LoRA-like, one layer frozen."""

    def __init__(self, seed: int = 0, rate: float = 1e-3) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            generator = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 48, 3, padding=1))
            discriminator = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.SiLU(), nn.Conv2d(8, 1, 3))
        discriminator[0].requires_grad_(False)
        generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.frozen: dict[str, nn.Module] = {"features": nn.AvgPool2d(2)}
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.Adam(generator.parameters()),
            "discriminator": torch.optim.AdamW([p for p in discriminator.parameters() if p.requires_grad]),
        }
        self._rate = rate

    def output(self, batch: Batch) -> Tensor:
        extra = noise(batch, "toy", (1, *batch.lr.shape[-2:]))
        return F.pixel_shuffle(self.networks["generator"](torch.cat([batch.lr, extra], 1)), 4)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        made, discriminator = self.output(batch), self.networks["discriminator"]
        l1 = (self.frozen["features"](made) - self.frozen["features"](batch.hr)).abs().mean()
        adversarial = F.softplus(-discriminator(made)).mean()
        yield Loss("generator", l1 + 0.1 * adversarial, {"l1": l1, "adversarial": adversarial})
        real, fake = F.softplus(-discriminator(batch.hr)).mean(), F.softplus(discriminator(made.detach())).mean()
        yield Loss("discriminator", real + fake, {"real": real, "fake": fake})

    def learning_rate(self, optimiser: str, step: int) -> float:
        return (self._rate if optimiser == "generator" else self._rate / 10) * (0.5 if step >= 10 else 1)

    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        made = self.output(batch).clamp(0, 1)
        return made, {"l1": float((made - batch.hr).abs().mean())}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {"toy.safetensors": self.networks["generator"].state_dict()}


def toy_validation() -> list[Batch]:
    samples = ToySamples()
    crops = torch.stack([samples[n][0] for n in range(1000, 1004)]).float() / 255
    return [Batch(crops, toy_degrade(crops, (0,) * 4, range(4)), (0, 1, 2, 3), 0, 0)]


def train_toy(folder: Path, config: LoopConfig, stage: ToyStage | None = None, **options: Any) -> Path:
    from adcbench.training.engine.loop import train

    arguments = {"samples": ToySamples(), "degrade": toy_degrade, "settings": SETTINGS} | options
    return train(stage or ToyStage(), config=config, folder=folder, **arguments)


if __name__ == "__main__":  # what torchrun starts: folder, steps, micro-batch
    train_toy(Path(sys.argv[1]), toy_config(int(sys.argv[2]), micro_batch=int(sys.argv[3])))
