"""Makes this folder's fixtures again: python tests/golden/degradation/make.py UPSTREAM [IMAGES].

UPSTREAM is a checkout of Guaishou74851/AdcSR (d0b2871), whose own functions run here with our random numbers: its
ranges are set to single values, its calls of generators are answered from a ``Draw``. Written are a few of its
results; printed are the largest differences from ours, for each step and for whole LR images.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "degradation"))
from degradation_cases import picture, to_json  # noqa: E402

from adcbench.degradation.draws import HARD, MILD, Draw, Noise, RealESRGANConfig, draw  # noqa: E402
from adcbench.degradation.jpeg import jpeg  # noqa: E402
from adcbench.degradation.kernels import SHAPES, Kernel, weights  # noqa: E402
from adcbench.degradation.noise import add_noise, counts, gaussian  # noqa: E402
from adcbench.degradation.realesrgan import blur, degrade, resize  # noqa: E402

SIDE = 96


class Upstream:
    """AdcSR's functions, answered from our draws."""

    def __init__(self, folder: str) -> None:
        sys.path.insert(0, folder)
        import bsr.degradations as steps
        import dataset

        self.steps: ModuleType = steps
        self.dataset: ModuleType = dataset
        filter2d = dataset.filter2D
        # On a CPU the codec's output is not contiguous, and filter2D's view fails: GPUs never show it
        self.filter2d = lambda image, kernel: filter2d(image.contiguous(), kernel)
        self.codec = dataset.DiffJPEG(differentiable=False)

    def weights(self, kernel: Kernel) -> np.ndarray:
        if kernel.shape == "pulse":
            return np.ones((1, 1))
        if kernel.shape == "sinc":
            return np.asarray(self.steps.circular_lowpass_kernel(kernel.cutoff, kernel.size))
        family = kernel.shape.removesuffix("iso").removesuffix("an").removesuffix("-")
        names = {"": "Gaussian", "generalised": "generalized_Gaussian", "plateau": "plateau"}
        function = getattr(self.steps, f"bivariate_{names[family]}")
        beta = [kernel.beta] if family else []
        isotropic = not kernel.shape.endswith("aniso")
        return np.asarray(function(kernel.size, *kernel.sigmas, kernel.rotation, *beta, isotropic=isotropic))

    def padded(self, kernel: Kernel) -> Tensor:
        found = self.weights(kernel)
        return torch.FloatTensor(np.pad(found, (21 - len(found)) // 2))[None]

    def noise(self, image: Tensor, noise: Noise) -> Tensor:
        name = f"random_add_{noise.kind}_noise_pt"
        with self.fields(iter([noise])):
            args = [(noise.strength, noise.strength), float(noise.grey)]
            return getattr(self.steps, name)(image[None], *args, clip=True)[0]

    def fields(self, noises: Iterator[Noise]) -> Any:
        """Its noise from our seeds. It draws grey and colour fields, grey first; the other one counts for nothing."""
        grey_drawn: list[Noise] = []

        def current(grey: bool) -> Noise:
            if grey:
                grey_drawn.append(next(noises))
                return grey_drawn[0]
            return grey_drawn.pop() if grey_drawn else next(noises)

        def randn(*size: int, **options: Any) -> Tensor:
            noise = current(len(size) == 2)
            ours = Noise("gaussian", 1, len(size) == 2, noise.seed)
            return (gaussian(torch.empty(3, *size[-2:]), ours) * 255).view(size)

        def poisson(mean: Tensor) -> Tensor:
            noise = current(mean.shape[1] == 1)
            photons = int(2 ** np.ceil(np.log2(len(torch.unique(mean)))))
            return counts((mean / photons * 255).round().to(torch.uint8), photons, noise.seed)

        fake = SimpleNamespace(**{name: getattr(torch, name) for name in ("rand", "sum", "clamp", "unique")})
        fake.randn, fake.poisson = randn, poisson
        return patch.object(self.steps, "torch", fake)

    def degrade(self, hr: Tensor, one: Draw, scale: int) -> Tensor:
        opt: dict[str, Any] = {
            "scale": scale,
            "gt_size": hr.shape[-1],
            "second_blur_prob": float(bool(one.second.blur)),
        }
        for part, suffix in ((one.first, ""), (one.second, "2")):
            opt[f"resize_prob{suffix}"] = opt[f"resize_range{suffix}"] = (part.resize, part.resize)
            opt[f"gaussian_noise_prob{suffix}"] = float(part.noise.kind == "gaussian")
            opt[f"noise_range{suffix}"] = opt[f"poisson_scale_range{suffix}"] = (part.noise.strength,) * 2
            opt[f"gray_noise_prob{suffix}"] = float(part.noise.grey)
            opt[f"jpeg_range{suffix}"] = (part.quality,) * 2
        modes = iter([one.first.mode, one.second.mode, one.mode])
        below_half = 0.25 if one.jpeg_last else 0.75
        chance = SimpleNamespace(
            choices=lambda names, odds: ["keep" if odds[0] == 1 else "up" if odds[0] > 1 else "down"],
            choice=lambda found: next(modes),
        )

        def uniform(*between: float) -> float:
            return next((value for value in between if value != 1), below_half)

        degrader = self.dataset.RealESRGANDegrader(opt, "cpu")
        degrader._dequeue_and_enqueue = lambda: None
        kernels = (one.first.blur, one.second.blur, one.sinc)
        first, second, last = (self.padded(kernel or Kernel("pulse")) for kernel in kernels)
        with (
            patch.object(self.dataset, "random", chance),
            patch.object(self.dataset, "np", SimpleNamespace(random=SimpleNamespace(uniform=uniform))),
            patch.object(self.dataset, "filter2D", self.filter2d),
            patch.object(self.dataset, "paired_random_crop", lambda gt, lq, *rest: (gt, lq)),
            self.fields(iter([one.first.noise, one.second.noise])),
        ):
            data = {"gt": hr[None], "kernel1": first, "kernel2": second, "sinc_kernel": last}
            lr: Tensor = degrader.degrade(data)[0][0]
        return lr


def branches(one: Draw) -> set[str]:
    """What a draw goes through."""
    found = {f"last {one.mode}", f"sinc {one.sinc.shape}", f"jpeg last {one.jpeg_last}"}
    for name, part in (("first", one.first), ("second", one.second)):
        size = "keep" if part.resize == 1 else "up" if part.resize > 1 else "down"
        found |= {f"{name} {size}", f"{name} {part.mode}", f"{name} {part.noise.kind} {part.noise.grey}"}
        found |= {f"{name} {part.blur.shape if part.blur else 'no blur'}"}
    return found


def covering(config: RealESRGANConfig) -> list[Draw]:
    """The first draws that together go through everything."""
    kept: list[Draw] = []
    seen: set[str] = set()
    for image in range(400):
        one = draw(config, 0, image, 0)
        if branches(one) - seen:
            kept.append(one)
            seen |= branches(one)
    return kept


def fixtures(upstream: Upstream) -> None:
    draws = covering(MILD) + covering(HARD)[:6]
    (HERE / "draws.json").write_text(to_json(draws))
    hr = picture(SIDE, SIDE)
    arrays = {"lr": np.stack([_bytes(upstream.degrade(hr, one, 4)) for one in draws])}
    found: dict[str, Kernel] = {}
    for one in draws:
        for kernel in filter(None, (one.first.blur, one.second.blur, one.sinc)):
            found.setdefault(kernel.shape, kernel)
    assert set(found) == set(SHAPES)
    for kernel in found.values():
        arrays[f"kernel {kernel.shape}"] = np.float32(upstream.weights(kernel))
    small = picture(20, 28)
    for quality in (12.5, 61.7, 94.2):
        arrays[f"jpeg {quality}"] = upstream.codec(small[None], quality=torch.tensor([quality]))[0].numpy()
    for noise in (Noise(kind, 5.0, grey, 7) for kind in ("gaussian", "poisson") for grey in (False, True)):  # type: ignore[arg-type]
        arrays[f"noise {noise.kind} {noise.grey}"] = upstream.noise(small, noise).numpy()
    np.savez_compressed(HERE / "upstream.npz", **arrays)
    print(f"{len(draws)} draws, {(HERE / 'upstream.npz').stat().st_size / 1e3:.0f} kB")


def _bytes(image: Tensor) -> np.ndarray:
    return (image * 255).round().to(torch.uint8).numpy()


def compare(upstream: Upstream, images: int, side: int = 256) -> None:
    """Prints how far ours is from upstream, step by step with the same input and for whole images."""
    hr = picture(side, side)
    worst: dict[str, float] = {}
    steps = []

    def note(name: str, ours: Tensor, theirs: Tensor) -> None:
        worst[name] = max(worst.get(name, 0.0), float((ours - theirs).abs().max()))

    for config in (MILD, HARD):
        for number in range(images):
            one = draw(config, 1, number, 0)
            for kernel in filter(None, (one.first.blur, one.second.blur, one.sinc)):
                note(f"kernel {kernel.shape}", *(torch.from_numpy(f(kernel)) for f in (weights, upstream.weights)))
                note("blur", blur(hr, kernel), upstream.filter2d(hr[None], upstream.padded(kernel))[0])
            mid = resize(hr, one.first.resize, one.first.mode)
            note("resize", mid, F.interpolate(hr[None], scale_factor=one.first.resize, mode=one.first.mode)[0])
            mid = mid.clamp(0, 1)
            for noise in (one.first.noise, one.second.noise):
                note(f"noise {noise.kind}", add_noise(mid, noise), upstream.noise(mid, noise))
            quality = torch.tensor([one.first.quality])
            difference = (jpeg(mid, one.first.quality) - upstream.codec(mid[None], quality=quality)[0]).abs()
            worst["jpeg, share above 1e-5"] = worst.get("jpeg, share above 1e-5", 0.0) + float(
                (difference > 1e-5).double().mean() / images / 2
            )
            note("jpeg", difference, torch.zeros(()))
            ours, theirs = degrade(hr[None], [one], config)[0], upstream.degrade(hr, one, config.scale)
            steps.append(((ours - theirs) * 255).abs().round().ravel())
    for name, value in sorted(worst.items()):
        print(f"{name:28s} {value:.2e}")
    every = torch.cat(steps)
    equal = float(np.mean([not one.any() for one in steps]))
    print(f"LR of {len(steps)} images: {float((every > 0).double().mean()):.2e} of values differ, ", end="")
    print(f"by {float(every.max()):.0f} of 255 at most; {equal:.1%} of images equal")


if __name__ == "__main__":
    torch.set_num_threads(1)
    official = Upstream(sys.argv[1])
    with torch.no_grad():
        fixtures(official)
        compare(official, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
