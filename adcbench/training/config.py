"""Settings that the runs of all stages have: plain data, no torch. A stage's own are in its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar

from pydantic import Field

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Count, Factor, Weight, Whole, check_ranges

Width = Annotated[int, Field(ge=1, le=8192)]
Source = Annotated[str, Field(min_length=1, max_length=100_000)]
SMALLEST_CROP = {"mild": 64, "hard": 76}  # 76: the blurs of the hard degradation reflect that much
Clip: TypeAlias = Literal["ste", "hard", "none"]


class StageConfig(Protocol):
    """A stage's own settings: a frozen dataclass whose fields have the types of ``engine.ranges``.

    ``side``: that a crop's must be a multiple of.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    side: ClassVar[int]

    def check(self, crop: int) -> None:
        """Refuse sizes that can't be built, or don't fit each other or crops of ``crop`` pixels.

        Raises:
            AdcbenchError: names the setting, its value, and what it may be.
        """
        ...


Config = TypeVar("Config", bound=StageConfig)
Config_co = TypeVar("Config_co", bound=StageConfig, covariant=True)


@dataclass(frozen=True)
class DataConfig:
    """Where HR images come from and what is done to them.

    Args:
        sources: (source, steps it lasts) one after the other; the last one lasts to the end. Sources are written
            as ``data.training.sources.open_images`` takes them.
        crop: side of the square HR crops, in pixels.
        degradation: ``mild`` (AdcSR) or ``hard`` (OSEDiff), see ``adcbench.degradation.realesrgan``.
        one_draw: all samples of a micro-batch (upstream: of a GPU's batch) share what upstream draws once for them:
            the factors and modes of resizing, the kind of noise, whether to blur again, the order of the last steps.
        flip: half of the crops are mirrored.
        best_of: places in an image of which the one with most detail is taken, see ``adcbench.data.training.crops``.
        cache: keep decoded images in memory.
        validation: where the images for validation come from, as ``sources``; empty: none. ``bsds500/val`` and other
            relative paths are below ``ADCBENCH_DATA`` too.
        validation_images: how many; their centre crops are degraded once and for all.
    """

    sources: tuple[tuple[Source, Whole], ...]
    crop: Annotated[int, Field(ge=64, le=8192)] = 512
    degradation: Literal["mild", "hard"] = "mild"
    one_draw: bool = False
    flip: bool = True
    best_of: Annotated[int, Field(ge=1, le=1000)] = 1
    cache: bool = False
    validation: str = ""
    validation_images: Count = 8

    def check(self, side: int) -> None:
        """Refuse settings that don't fit together.

        Args:
            side: that a crop's must be a multiple of.

        Raises:
            AdcbenchError: names the setting, its value, and what it may be.
        """
        least = SMALLEST_CROP[self.degradation]
        if self.crop < least or self.crop % side:
            raise AdcbenchError(f"data.crop is {self.crop}; it must be a multiple of {side}, and at least {least}")
        if not self.sources:
            raise AdcbenchError("data.sources is empty; it must name a source of training images")
        for number, (source, steps) in enumerate(self.sources[:-1]):
            if not steps:
                raise AdcbenchError(
                    f"data.sources.{number}.1 is 0; it must be the steps that {source} lasts: only the last source's "
                    "number means to the end"
                )


@dataclass(frozen=True)
class Rates:
    """Learning rate of an optimiser: ``rate``, times ``factor`` from each of ``milestones`` (steps) on.

    ``warmup``: steps in which it rises linearly from 0.
    """

    rate: Weight
    milestones: Annotated[tuple[Whole, ...], Field(max_length=100)] = ()
    factor: Factor = 0.5
    warmup: Whole = 0

    def at(self, step: int) -> float:
        """The learning rate of a step; 0 is the first."""
        passed = sum(step >= milestone for milestone in self.milestones)
        risen = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate * self.factor**passed * risen


@dataclass(frozen=True)
class PatchLoss:
    """The adversarial part of a reconstruction loss, as in latent-diffusion: hinge, adaptive weight.

    Args:
        weight: factor on the adaptive weight.
        start: step from which it counts; before, neither side is trained.
        rates: of the discriminator.
        width: channels of its first layer.
    """

    weight: Weight = 0.5
    start: Whole = 0
    rates: Rates = field(default_factory=lambda: Rates(1e-4))
    width: Width = 64


@dataclass(frozen=True)
class RunConfig(Generic[Config_co]):
    """All settings of a run."""

    stage: Config_co
    data: DataConfig
    loop: LoopConfig

    def check(self) -> None:
        """Refuse settings that are out of their ranges or don't fit together.

        Raises:
            AdcbenchError: names the setting, its value, and what it may be.
        """
        check_ranges(self.stage, "stage")
        check_ranges(self.data, "data")
        self.loop.check()
        self.data.check(self.stage.side)
        self.stage.check(self.data.crop)
