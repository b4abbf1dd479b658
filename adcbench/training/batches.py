"""The images of a run from its settings: HR crops, their degradation, the images for validation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import data_dir
from adcbench.data.training.crops import Crop, Crops, centre_crop
from adcbench.data.training.sources import InMemory, is_folder, is_there, open_images, resolved
from adcbench.degradation.draws import batch_wide
from adcbench.degradation.realesrgan import HARD, MILD, degrade, draw
from adcbench.training.config import DataConfig
from adcbench.training.engine.stage import Batch

DEGRADATIONS = {"mild": MILD, "hard": HARD}
_NO_IMAGE = 2**31  # in place of an image's number: what a whole step draws


class PhasedCrops(Dataset[Crop]):
    """Crops by sample number, of one source after another."""

    def __init__(self, phases: Sequence[tuple[Crops, int]]) -> None:
        self.phases = phases  # (crops, first sample that is no longer theirs)

    def contents(self) -> list[str]:
        """A hash of the images of each source, for the record of a run."""
        return [crops.images.contents() for crops, _ in self.phases]

    def __len__(self) -> int:
        return len(self.phases[0][0])

    def __getitem__(self, sample: int) -> Crop:
        return next((crops for crops, end in self.phases if sample < end), self.phases[-1][0])[sample]


def recorded(data: DataConfig) -> dict[str, Any]:
    """The settings of the data as a run records them: folders as they are, whatever they were called."""
    sources = [[resolved(source), steps] for source, steps in data.sources]
    validation = os.path.normpath(data.validation) if data.validation else ""
    if _validation(data) == data.validation and is_there(data.validation):
        validation = resolved(data.validation)
    return asdict(data) | {"sources": sources, "validation": validation}


def _validation(data: DataConfig) -> str:
    """Where the validation images are: below ``ADCBENCH_DATA``, or as sources are written."""
    folder = os.path.join(data_dir(), data.validation)  # noqa: PTH118
    return folder if is_folder(folder) else data.validation


def make_crops(data: DataConfig, seed: int, batch: int) -> PhasedCrops:
    """The HR crops of a run."""
    phases, end = [], 0
    for source, steps in data.sources:
        images = open_images(source)
        end += steps * batch
        kept = InMemory(images) if data.cache else images
        phases.append((Crops(kept, data.crop, seed, data.flip, data.best_of), end))
    return PhasedCrops(phases)


class Degrader:
    """HR (B, 3, H, W) in [0, 1] -> LR (B, 3, H/4, W/4); a function of the seed, the images and the sample numbers.

    Args:
        batch: samples that share a draw, for ``data.one_draw``.
    """

    def __init__(self, data: DataConfig, seed: int, batch: int = 1) -> None:
        self.config, self.seed = DEGRADATIONS[data.degradation], seed
        self.one_draw, self.batch = data.one_draw, batch

    def __call__(self, hr: Tensor, images: Sequence[int], samples: Sequence[int]) -> Tensor:
        draws = [draw(self.config, self.seed, image, n) for image, n in zip(images, samples, strict=True)]
        if self.one_draw:
            commons = [draw(self.config, self.seed, _NO_IMAGE, n // self.batch) for n in samples]
            draws = [batch_wide(own, common, self.config) for own, common in zip(draws, commons, strict=True)]
        return degrade(hr, draws, self.config)


def validation_batches(data: DataConfig, seed: int) -> list[Batch]:
    """Centre crops of the validation images, degraded once and for all, one a batch."""
    if not data.validation:
        return []
    try:
        images = open_images(_validation(data))
    except AdcbenchError as error:
        raise AdcbenchError(
            f"data.validation: {error} (looked in {data_dir()} too). BSDS500: docs/training_data.md; to train without "
            "validation images: --set data.validation="
        ) from error
    lower, batches = Degrader(data, seed), []
    for index in range(min(data.validation_images, len(images))):
        hr = centre_crop(images.read(index), data.crop)[None].float() / 255
        batches.append(Batch(hr, lower(hr, [index], [index]), (index,), seed, 0))
    return batches
