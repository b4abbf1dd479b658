"""Ablations of AdcSR's training as settings of the same code: name -> the settings of its stages.

A variant says what differs from the reference, ``adcsr``. The names are those of the networks
(``adcbench.systems.adcsr.variants``), of the tables' rows and of the claims.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import variants
from adcbench.training.config import DecoderStage, DistilStage, Rates, RunConfig

# What differs in stage 2, beside the network.
_DISTIL: dict[str, dict[str, Any]] = {
    "adcsr": {},
    "no-pretraining": {"pretrained": False, "pixel": 1.0},
    "one-stage": {"pretrained": False, "pixel": 1.0},  # over the steps of both stages
    "no-adversarial": {"adversarial": 0.0},
    "adversarial-0.1": {"adversarial": 0.1},
    "patch-discriminator": {"discriminator": "patch"},
    "full-discriminator": {"discriminator": "unet-full"},
    "teacher-step-1": {"teacher_step": 1},
}
# What differs in stage 1; stage 2 as the reference.
_DECODER: dict[str, dict[str, Any]] = {
    "clip-ste": {"clip": "ste"},
    "clip-hard": {"clip": "hard"},
    "clip-none": {"clip": "none"},
}
_DECODER_NETWORKS = ("decoder-100",)  # networks whose half decoder is another one


@dataclass(frozen=True)
class Variant:
    """The two stages of a variant; ``decoder`` is None where the reference's half decoder serves, or none at all."""

    decoder: RunConfig | None
    distil: RunConfig


def variant_names() -> tuple[str, ...]:
    """All variants, the reference first."""
    return tuple(dict.fromkeys((*_DISTIL, *_DECODER, *variants())))


def own_stage_1(name: str) -> bool:
    """Whether a variant's half decoder is another one than the reference's."""
    return name in _DECODER or name in _DECODER_NETWORKS


def variant(name: str, decoder: RunConfig, distil: RunConfig) -> Variant:
    """The settings of a variant, from those of the reference's two stages.

    Raises:
        AdcbenchError: no such variant; lists those there are.
    """
    if name not in variant_names():
        raise AdcbenchError(f"no ablation {name!r}; there are {', '.join(variant_names())}")
    stage1, stage2 = decoder.stage, distil.stage
    assert isinstance(stage1, DecoderStage) and isinstance(stage2, DistilStage)
    network = variants(stage2.student).get(name, stage2.student)
    stage1 = replace(stage1, student=network, **_DECODER.get(name, {}))
    stage2 = replace(stage2, student=network, **_DISTIL.get(name, {}))
    distil = replace(distil, stage=stage2)
    if name == "one-stage":
        distil = _over(distil, stage2, distil.loop.steps + decoder.loop.steps)
    return Variant(replace(decoder, stage=stage1) if own_stage_1(name) else None, distil)


def _over(config: RunConfig, stage: DistilStage, steps: int) -> RunConfig:
    """The same run over other steps, what is due at a step stretched with them."""

    def stretched(step: int) -> int:
        return round(step * steps / config.loop.steps)

    def rates(rates: Rates) -> Rates:
        return replace(rates, milestones=tuple(map(stretched, rates.milestones)))

    stage = replace(
        stage, rates=rates(stage.rates), discriminator_rates=rates(stage.discriminator_rates),
        adversarial_start=stretched(stage.adversarial_start),
    )  # fmt: skip
    return replace(config, stage=stage, loop=replace(config.loop, steps=steps))
