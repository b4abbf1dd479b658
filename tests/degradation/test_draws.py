"""The random numbers of the degradation: a pure function, and each as likely as upstream's configuration says."""

from __future__ import annotations

from collections import Counter
from math import pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest

from adcbench.degradation.draws import HARD, MILD, Draw, Pass, RealESRGANConfig, batch_wide, draw

MANY = 3000


@pytest.fixture(scope="module", params=[MILD, HARD], ids=["mild", "hard"])
def drawn(request: pytest.FixtureRequest) -> tuple[RealESRGANConfig, list[Draw]]:
    return request.param, [draw(request.param, 1, image, 2) for image in range(MANY)]


def expect(counted: Counter[object], odds: dict[object, float]) -> None:
    """Every count lies in the interval that all of a run's some 80 counts keep to but once in a million."""
    assert set(counted) <= {name for name, odd in odds.items() if odd}
    for name, odd in odds.items():
        p = binomtest(counted[name], counted.total(), odd).pvalue
        assert p > 1e-8, f"{name}: {counted[name]} of {counted.total()}, expected {odd:.1%}"


def size(one: Pass) -> str:
    return "keep" if one.resize == 1 else "up" if one.resize > 1 else "down"


def test_branches_are_as_likely_as_configured(drawn: tuple[RealESRGANConfig, list[Draw]]) -> None:
    config, draws = drawn
    thirds = dict.fromkeys(("area", "bilinear", "bicubic"), 1 / 3)
    sizes = dict.fromkeys(config.sizes, 1 / 8)
    halves = {True: 0.5, False: 0.5}
    for part, name in ((config.first, "first"), (config.second, "second")):
        passes = [getattr(one, name) for one in draws]
        kernels = [one.blur for one in passes if one.blur]
        shapes = {shape: 0.9 * odd for shape, odd in KERNELS.items()} | {"sinc": 0.1}
        expect(Counter(bool(one.blur) for one in passes), {True: part.blur, False: 1 - part.blur})
        expect(Counter(kernel.shape for kernel in kernels), shapes)
        expect(Counter(kernel.size for kernel in kernels), sizes)
        expect(Counter(map(size, passes)), dict(zip(("up", "down", "keep"), part.resize_odds, strict=True)))
        expect(Counter(one.mode for one in passes), thirds)
        expect(Counter(one.noise.kind for one in passes), {"gaussian": 0.5, "poisson": 0.5})
        expect(Counter(one.noise.grey for one in passes), {True: 0.4, False: 0.6})
        below = [kernel.beta < 1 for kernel in kernels if kernel.shape.startswith("generalised")]
        expect(Counter(below), halves)
    expect(Counter(one.sinc.shape for one in draws), {"sinc": 0.8, "pulse": 0.2})
    expect(Counter(one.sinc.size for one in draws if one.sinc.shape == "sinc"), sizes)
    expect(Counter(one.mode for one in draws), thirds)
    expect(Counter(one.jpeg_last for one in draws), halves)


def uniform(values: list[float], low: float, high: float) -> None:
    assert kstest(values, "uniform", (low, high - low)).pvalue > 1e-6


def test_numbers_are_uniform_in_their_ranges(drawn: tuple[RealESRGANConfig, list[Draw]]) -> None:
    config, draws = drawn
    for part, name in ((config.first, "first"), (config.second, "second")):
        passes = [getattr(one, name) for one in draws]
        bells = [one.blur for one in passes if one.blur and one.blur.shape != "sinc"]
        turned = [kernel for kernel in bells if kernel.shape.endswith("aniso")]
        sincs = [one.blur for one in passes if one.blur and one.blur.shape == "sinc"]
        uniform([one.resize for one in passes if one.resize > 1], 1, part.resize[1])
        uniform([one.resize for one in passes if one.resize < 1], part.resize[0], 1)
        uniform([one.noise.strength for one in passes if one.noise.kind == "gaussian"], *part.gaussian)
        uniform([one.noise.strength for one in passes if one.noise.kind == "poisson"], *part.poisson)
        uniform([one.quality for one in passes], *part.quality)
        uniform([kernel.sigmas[0] for kernel in bells], *part.sigma)
        uniform([kernel.sigmas[1] for kernel in turned], *part.sigma)
        uniform([kernel.rotation for kernel in turned], -pi, pi)
        uniform(
            [kernel.beta for kernel in bells if kernel.beta > 1 and "gen" in kernel.shape], 1, config.generalised[1]
        )
        uniform([kernel.beta for kernel in bells if kernel.beta < 1], config.generalised[0], 1)
        uniform([kernel.beta for kernel in bells if kernel.beta > 1 and "pla" in kernel.shape], 1, config.plateau[1])
        uniform([kernel.cutoff for kernel in sincs if kernel.size < 13], pi / 3, pi)
        uniform([kernel.cutoff for kernel in sincs if kernel.size >= 13], pi / 5, pi)
        assert all(kernel.sigmas[0] == kernel.sigmas[1] for kernel in bells if not kernel.shape.endswith("aniso"))
    uniform([one.sinc.cutoff for one in draws if one.sinc.shape == "sinc"], pi / 3, pi)
    seeds = [part.noise.seed for one in draws for part in (one.first, one.second)]
    assert len(set(seeds)) == 2 * MANY


@settings(max_examples=50)
@given(st.tuples(*[st.integers(0, 2**40)] * 3), st.integers(0, 2), st.integers(1, 2**20))
def test_a_draw_depends_on_seed_image_and_step_alone(key: tuple[int, int, int], which: int, more: int) -> None:
    first = draw(MILD, *key)
    other = list(key)
    other[which] += more
    assert draw(MILD, *other) != first
    assert draw(MILD, *key) == first


def test_a_draw_today_is_a_draw_tomorrow() -> None:
    """Runs are repeated by their seed: this fails where NumPy's generator, or the order of the draws, changes."""
    one = draw(MILD, 3, 1, 4)
    assert (one.first.resize, one.second.quality) == (0.7979142949859082, 87.68088400111381)
    assert one.first.noise.seed == 4005735941505294513


# Upstream's names -> (first pass, second pass), from AdcSR's config.yml and OSEDiff's params_realesrgan.yml
UPSTREAM = {
    "mild": {
        "blur_prob": (1.0, 0.5), "blur_sigma": ((0.2, 1.5), (0.2, 1.0)),
        "resize_prob": ((0.2, 0.7, 0.1), (0.3, 0.4, 0.3)),
        "resize_range": ((0.3, 1.5), (0.6, 1.2)), "noise_range": ((1, 15), (1, 12)),
        "poisson_scale_range": ((0.05, 2.0), (0.05, 1.0)), "jpeg_range": ((60, 95), (60, 100)),
        "betag_range": (0.5, 2.0), "betap_range": (1.0, 1.5),
    },
    "hard": {
        "blur_prob": (1.0, 0.8), "blur_sigma": ((0.2, 3.0), (0.2, 1.5)),
        "resize_prob": ((0.2, 0.7, 0.1), (0.3, 0.4, 0.3)),
        "resize_range": ((0.15, 1.5), (0.3, 1.2)), "noise_range": ((1, 30), (1, 25)),
        "poisson_scale_range": ((0.05, 3.0), (0.05, 2.5)), "jpeg_range": ((30, 95), (30, 95)),
        "betag_range": (0.5, 4.0), "betap_range": (1.0, 2.0),
    },
}  # fmt: skip
KERNELS = {"iso": 0.45, "aniso": 0.25, "generalised-iso": 0.12, "generalised-aniso": 0.03, "plateau-iso": 0.12,
           "plateau-aniso": 0.03}  # fmt: skip


@pytest.mark.parametrize(("name", "config"), [("mild", MILD), ("hard", HARD)])
def test_the_configs_hold_upstreams_numbers(name: str, config: RealESRGANConfig) -> None:
    passes = config.first, config.second
    fields = {"blur_prob": "blur", "blur_sigma": "sigma", "resize_prob": "resize_odds", "resize_range": "resize",
              "noise_range": "gaussian", "poisson_scale_range": "poisson", "jpeg_range": "quality"}  # fmt: skip
    found = {theirs: tuple(getattr(part, ours) for part in passes) for theirs, ours in fields.items()}
    assert found | {"betag_range": config.generalised, "betap_range": config.plateau} == UPSTREAM[name]
    assert config.shape_odds == tuple(KERNELS.values()) and config.sizes == tuple(range(7, 22, 2))
    shares = config.sinc, config.final_sinc, config.gaussian_noise, config.grey_noise, config.jpeg_last, config.scale
    assert shares == (0.1, 0.8, 0.5, 0.4, 0.5, 4)


def test_a_batch_shares_what_upstream_draws_once_and_no_kernel(drawn: tuple[RealESRGANConfig, list[Draw]]) -> None:
    config, draws = drawn
    common, without = (next(d for d in draws if bool(d.second.blur) == blurs) for blurs in (True, False))
    shared = [batch_wide(one, common, config) for one in draws[:200]]
    assert {_sizes(one) for one in shared} == {_sizes(common)}
    kernels = [one.second.blur for one in shared]
    assert None not in kernels and len({k for k in kernels if k and k.shape != "sinc"}) > 150  # sincs have 8 sizes each
    for own, one in zip(draws, shared, strict=False):
        assert own.second.blur in (None, one.second.blur) and batch_wide(own, common, config) == one
        assert batch_wide(own, without, config).second.blur is None


def _sizes(one: Draw) -> tuple[object, ...]:
    return one.first.resize, one.first.mode, one.second.resize, one.second.mode, one.mode, one.jpeg_last
