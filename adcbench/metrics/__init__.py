"""Metrics: one file each, and METRICS with their settings and signatures.

A wrong setting that is found in the wild, or another version of an algorithm, is a named variant of the metric
(``psnr:RGB_NOT_Y``): the causes in ``results/causes.py`` measure their effect with these.
"""

from __future__ import annotations

from functools import partial

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.image import clipiqa, dists, feature_distance, lpips, maniqa, musiq, niqe
from adcbench.metrics.image.ms_ssim import ms_ssim
from adcbench.metrics.image.power_spectrum import RINGS, spectrum
from adcbench.metrics.image.psnr import psnr
from adcbench.metrics.image.ssim import ssim
from adcbench.metrics.metric import Metric
from adcbench.metrics.set import fid

_PSNR = {"colour": "y-studio", "crop": 0}
_SSIM = {"colour": "y-studio", "crop": 0, "round_values": True, "clamp_contrast": True}
_NIQE = {"colour": "y-full", "crop": 0, "arithmetic": "cuda", "parameters": "float32"}
_FID = {"features": "inception-v3 2048", "resize": "clean"}
_WHOLE = "colour=rgb crop=0 resize=no"
_MANIQA = f"crop_size=224 {_WHOLE}"
_psnr = partial(Metric, function=psnr, unit="dB")
_ssim = partial(Metric, function=ssim, libraries=("numpy", "scipy"))
_ms_ssim = partial(Metric, function=ms_ssim, libraries=("numpy", "scipy"))
_lower = partial(Metric, higher_is_better=False)
_lpips = partial(_lower, load=lpips.load, locate=lpips.locate, notes=f"version=0.1 {_WHOLE}",
                 libraries=("lpips", "torch", "torchvision"))  # fmt: skip
_pyiqa = partial(Metric, takes="image", libraries=("pyiqa", "torch", "torchvision"))
_maniqa = partial(_pyiqa, libraries=("pyiqa", "timm", "torch"), load=maniqa.load, files=maniqa.FILES, batch=1,
                  notes=_MANIQA)  # fmt: skip
_niqe = partial(_lower, function=niqe.niqe, files=niqe.FILES, locate=niqe.locate, takes="image", notes="resize=no",
                libraries=("numpy", "scipy"))  # fmt: skip
_fid = partial(_lower, load=fid.load, files=fid.FILES, takes="set", over_set=fid.fid_of_features,
               notes="colour=rgb crop=0", libraries=("torch-fidelity", "torch", "pillow"))  # fmt: skip

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _psnr("psnr", settings=_PSNR),
        _psnr("psnr:RGB_NOT_Y", settings=_PSNR | {"colour": "rgb"}),
        _psnr("psnr:Y_RANGE", settings=_PSNR | {"colour": "y-full"}),
        _psnr("psnr:BORDER_CROP", settings=_PSNR | {"crop": 4}),
        _psnr("psnr:JPEG_OUTPUTS", settings=_PSNR, as_jpeg=95, libraries=("numpy", "pillow")),
        _ssim("ssim", settings=_SSIM),
        _ssim("ssim:RGB_NOT_Y", settings=_SSIM | {"colour": "rgb"}),
        _ssim("ssim:Y_RANGE", settings=_SSIM | {"colour": "y-full"}),
        _ssim("ssim:BORDER_CROP", settings=_SSIM | {"crop": 4}),
        _ssim("ssim:JPEG_OUTPUTS", settings=_SSIM, as_jpeg=95, libraries=("numpy", "scipy", "pillow")),
        _ssim("ssim:SSIM_NO_ROUNDING", settings=_SSIM | {"round_values": False}),
        _ssim("ssim:SSIM_NO_CLAMP", settings=_SSIM | {"clamp_contrast": False}),
        _ms_ssim("ms-ssim", _SSIM),
        _ms_ssim("ms-ssim:RGB_NOT_Y", _SSIM | {"colour": "rgb"}),
        _lpips("lpips", {"net": "alex"}, files=lpips.ALEX_FILES),
        _lpips("lpips-vgg", {"net": "vgg"}, files=lpips.VGG_FILES),
        _lower("dists", {}, load=dists.load, files=dists.FILES, locate=dists.locate, notes=_WHOLE,
               libraries=("torch", "torchvision")),
        _lower(feature_distance.NAME, {}, load=feature_distance.load,
               files=feature_distance.FILES, locate=feature_distance.locate,
               notes=f"layers=2,4,10 heads=none {_WHOLE}", libraries=("torch",)),
        _lower("spectrum", {"colour": "y-full", "rings": RINGS}, function=spectrum, unit="dB",
               notes="crop=0 window=hann floor=1/12"),
        _fid("fid", _FID),
        _fid("fid:PYTORCH_RESIZE", _FID | {"resize": "legacy_pytorch"}),
        _fid("fid:TENSORFLOW_RESIZE", _FID | {"resize": "legacy_tensorflow"}),
        _niqe("niqe", _NIQE),
        _niqe("niqe:CPU_ARITHMETIC", _NIQE | {"arithmetic": "cpu"}),
        _niqe("niqe:FLOAT64_PARAMETERS", _NIQE | {"parameters": "float64"}),
        _niqe("niqe:STUDIO_Y", _NIQE | {"colour": "y-studio"}),
        _niqe("niqe:BORDER_CROP", _NIQE | {"crop": 4}),
        _pyiqa("musiq", {"checkpoint": "koniq10k"}, load=musiq.load, files=musiq.FILES,
               notes="colour=rgb crop=0 resize=224,384,own by bicubic without antialiasing"),
        _pyiqa("clipiqa", {"backbone": "RN50"}, load=clipiqa.load, files=clipiqa.FILES,
               notes=f"prompts=5-pairs {_WHOLE}, no position embedding"),
        _maniqa("maniqa-pipal", {"sampling": "grid", "crops": 20}),
        _maniqa("maniqa-pipal:SEEDED_ONCE", {"sampling": "random, seeded once", "crops": 20}, ordered=True,
                notes=f"seed=123 {_MANIQA}"),
        _maniqa("maniqa-pipal:SEEDED_PER_CALL", {"sampling": "random, seeded per call", "crops": 20},
                notes=f"seed=123 {_MANIQA}"),
    )
}  # fmt: skip


def find_metric(name: str) -> Metric:
    """The metric of a name in METRICS.

    Raises:
        AdcbenchError: unknown, or a bare name that stands for several checkpoints; the message lists those there are.
    """
    if name == "maniqa":
        raise AdcbenchError(
            "maniqa stands for several checkpoints with different scores: the papers' is maniqa-pipal (pyiqa's bare "
            "name means KonIQ)"
        )
    if name not in METRICS:
        plain = ", ".join(sorted({n.partition(":")[0] for n in METRICS}))
        raise AdcbenchError(f"unknown metric {name!r}. Metrics: {plain}")
    return METRICS[name]
