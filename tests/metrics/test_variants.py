"""The ways a metric is computed: none is left out, and two at once are both there."""

from __future__ import annotations

import pytest

from adcbench.metrics import METRICS
from adcbench.metrics.variants import both, difference, head_of, relatives, variant_of


@pytest.mark.parametrize("name", METRICS)
def test_every_registered_variant_of_a_head_is_a_relative(name: str) -> None:
    family = {one for one in METRICS if one.partition(":")[0] == name.partition(":")[0]}
    if METRICS[name].load:
        family.add(f"{name.partition(':')[0]}:TF32_CONVOLUTIONS")
    assert family - {name} <= {one.name for one in relatives(METRICS[name])}
    assert name not in {one.name for one in relatives(METRICS[name])}


def test_two_variants_at_once_have_the_settings_of_both() -> None:
    joined = both(METRICS["ssim:BORDER_CROP"], METRICS["ssim:JPEG_OUTPUTS"])
    assert joined is not None
    assert (joined.name, joined.settings["crop"], joined.as_jpeg) == ("ssim:BORDER_CROP+JPEG_OUTPUTS", 4, 95)
    assert "pillow" in joined.libraries
    two_settings = both(METRICS["ssim:RGB_NOT_Y"], METRICS["ssim:BORDER_CROP"])
    assert two_settings is not None
    assert (two_settings.settings["colour"], two_settings.settings["crop"]) == ("rgb", 4)
    assert joined.key not in {METRICS[name].key for name in METRICS if name.startswith("ssim")}


@pytest.mark.parametrize(
    ("a", "b"), [("psnr", "psnr:Y_RANGE"), ("psnr:Y_RANGE", "psnr:Y_RANGE"), ("psnr:Y_RANGE", "ssim:BORDER_CROP"),
                 ("psnr:Y_RANGE", "psnr:RGB_NOT_Y")]
)  # fmt: skip
def test_what_cannot_be_joined_is_none(a: str, b: str) -> None:
    assert both(METRICS[a], METRICS[b]) is None


def test_metrics_of_one_code_are_relatives_by_their_names() -> None:
    assert "lpips-vgg" in {one.name for one in relatives(METRICS["lpips"])}
    assert (variant_of(METRICS["niqe:STUDIO_Y"]), head_of(METRICS["niqe:STUDIO_Y"]).name) == ("STUDIO_Y", "niqe")
    assert difference(METRICS["niqe"], METRICS["niqe:STUDIO_Y"]) == "colour=y-studio"
