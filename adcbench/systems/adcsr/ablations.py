"""Names of AdcSR's ablations that differ in training. Those whose network differs: ``variants``.

How they are trained are settings of ``adcbench train`` (``training.stages.adcsr.ablations``).
"""

from __future__ import annotations

OTHER_TRAINING = (
    "no-pretraining", "one-stage", "no-adversarial", "adversarial-0.1", "patch-discriminator", "full-discriminator",
    "teacher-step-1",
)  # fmt: skip
OWN_DECODER = ("decoder-100", "clip-ste", "clip-hard", "clip-none")  # with a stage 1 of their own
