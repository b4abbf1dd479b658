"""A small stage of clips for tests of the loop: batches with a time axis, mixed in time by a convolution of three."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from toy_stage import ToySamples

from adcbench.training.engine.loop import train
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.stage import Batch, Loss, noise

FRAMES = 3


class ToyClips:
    """Sample n: three frames of moving colours, of clip n % 5."""

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        first = ToySamples()[number][0]
        return torch.stack([first.roll(frame, -1) for frame in range(FRAMES)]), number % 5


def shrink(hr: Tensor, clips: Sequence[int], samples: Sequence[int]) -> Tensor:
    """A mean of 4 x 4 pixels of each frame."""
    return F.avg_pool2d(hr.flatten(0, 1), 4).unflatten(0, hr.shape[:2]).mul(255).round() / 255


class ToyClipStage:
    """LR clips and noise -> HR by L1."""

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Conv3d(4, 48, 3, padding=1)
        self.networks: dict[str, nn.Module] = {"network": self.network}
        self.frozen: dict[str, nn.Module] = {}
        self.optimisers: dict[str, torch.optim.Optimizer] = {"network": torch.optim.Adam(self.network.parameters())}

    def output(self, batch: Batch) -> Tensor:
        extra = noise(batch, "toy", (FRAMES, 1, *batch.lr.shape[-2:]))
        mixed = self.network(torch.cat([batch.lr, extra], 2).transpose(1, 2)).transpose(1, 2)
        return F.pixel_shuffle(mixed, 4)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        loss = (self.output(batch) - batch.hr).abs().mean()
        yield Loss("network", loss, {"l1": loss})

    def learning_rate(self, optimiser: str, step: int) -> float:
        return 1e-2

    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        output = self.output(batch).clamp(0, 1)
        return output, {"l1": float((output - batch.hr).abs().mean())}

    def products(self) -> dict[str, dict[str, Tensor]]:
        return {"clips.safetensors": self.network.state_dict()}


def clip_validation() -> list[Batch]:
    clips = torch.stack([ToyClips()[n][0] for n in (1000, 1001)]).float() / 255
    return [Batch(clips, shrink(clips, (0, 1), (0, 1)), (0, 1), 0, 0)]


def train_clips(folder: Path, config: LoopConfig) -> Path:
    stage, settings = ToyClipStage(), {"stage": "toy clips"}
    return train(stage, ToyClips(), shrink, config, folder, settings, clip_validation())
