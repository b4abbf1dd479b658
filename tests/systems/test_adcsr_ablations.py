"""Ablations that are systems: the names agreed on."""

from __future__ import annotations

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import variants
from adcbench.systems.adcsr_ablations import OTHER_TRAINING, OWN_DECODER
from adcbench.training.settings import chosen
from adcbench.training.stages.adcsr import decoder, distil

NAMES = tuple(distil.SPEC.ablations)
IN_STAGE_1 = tuple(decoder.SPEC.ablations)


def test_the_names_are_those_agreed_on() -> None:
    assert NAMES[0] == "adcsr"
    assert set(NAMES) == set(variants()) | {
        "adcsr", "no-pretraining", "one-stage", "no-adversarial", "adversarial-0.1", "patch-discriminator",
        "full-discriminator", "teacher-step-1", "clip-ste", "clip-hard", "clip-none",
    }  # fmt: skip
    assert set(NAMES) == {"adcsr", *variants(), *OTHER_TRAINING, *OWN_DECODER}
    assert set(IN_STAGE_1) == set(OWN_DECODER) == {"clip-ste", "clip-hard", "clip-none", "decoder-100"}
    with pytest.raises(AdcbenchError, match=r"no ablation 'mystery'.*no-adversarial"):
        chosen("distil", "mini", "mystery")
