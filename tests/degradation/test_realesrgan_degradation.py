"""Whole LR images: against upstream's, and what must hold for any image, draw and machine."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from degradation_cases import GOLDEN, from_json, picture
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.degradation.jpeg import jpeg
from adcbench.degradation.kernels import Kernel
from adcbench.degradation.realesrgan import HARD, MILD, RealESRGANConfig, blur, degrade, draw, resize, smallest_side

CONFIGS = pytest.mark.parametrize("config", [MILD, HARD], ids=["mild", "hard"])


def test_lr_images_are_upstreams() -> None:
    """Every branch: at most a value in a thousand is a step of 255 off (JPEG rounds what is a tie but for 1e-7)."""
    draws = from_json((GOLDEN / "draws.json").read_text())
    with np.load(GOLDEN / "upstream.npz") as arrays:
        theirs = arrays["lr"].astype(int)
    lr = degrade(picture(96, 96).expand(len(draws), -1, -1, -1), draws, MILD)
    off = np.abs((lr * 255).round().int().numpy() - theirs)
    assert off.max() <= 1 and (off > 0).mean() <= 1e-3


@CONFIGS
def test_an_image_does_not_know_its_neighbours(config: RealESRGANConfig) -> None:
    hr = torch.stack([picture(96, 128).roll(17 * i, 2) for i in range(8)])
    draws = [draw(config, 0, i, 3) for i in range(8)]
    together = degrade(hr, draws, config)
    assert all(torch.equal(degrade(hr[i : i + 1], draws[i : i + 1], config)[0], together[i]) for i in range(8))
    assert torch.equal(degrade(hr.flip(0), draws[::-1], config).flip(0), together)
    assert len({one.numpy().tobytes() for one in together}) == 8


@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
def test_threads_make_no_difference(mode: str) -> None:
    """torch's bilinear resize of RGB would be 1e-6 off in most pixels: step by step, for rounding hides it later."""
    hr = picture(256, 256)

    def steps() -> list[torch.Tensor]:
        small = resize(hr, 0.63, mode)  # type: ignore[arg-type]
        return [small, blur(small, Kernel("sinc", 13, cutoff=2.0)), jpeg(hr, 80)]

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = steps()
        torch.set_num_threads(2)
        assert all(map(torch.equal, steps(), alone))
    finally:
        torch.set_num_threads(before)


def test_layout_of_the_input_makes_no_difference() -> None:
    hr, draws = picture(96, 96)[None], [draw(MILD, 0, 1, 0)]
    assert torch.equal(degrade(hr.contiguous(memory_format=torch.channels_last), draws, MILD), degrade(hr, draws, MILD))


def test_another_process_makes_the_same_image() -> None:
    code = """
import sys
sys.path.insert(0, "tests/degradation")
from degradation_cases import picture
from adcbench.degradation.realesrgan import MILD, degrade, draw
sys.stdout.buffer.write(degrade(picture(96, 96)[None], [draw(MILD, 1, 2, 3)], MILD).numpy().tobytes())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=GOLDEN.parents[2])
    assert done.stdout == degrade(picture(96, 96)[None], [draw(MILD, 1, 2, 3)], MILD).numpy().tobytes()


def test_global_generators_are_left_alone() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    states = torch.get_rng_state(), np.random.get_state()[1].tobytes()  # type: ignore[union-attr]  # noqa: NPY002
    degrade(picture(96, 96)[None], [draw(MILD, 0, 0, 0)], MILD)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tobytes() == states[1]  # type: ignore[union-attr]  # noqa: NPY002


def test_autocast_makes_no_difference() -> None:
    hr, draws = picture(96, 96)[None], [draw(MILD, 0, 0, 0)]
    with torch.autocast("cpu", torch.bfloat16):
        lr = degrade(hr, draws, MILD)
    assert torch.equal(lr, degrade(hr, draws, MILD))


def test_settings_of_torch_are_put_back() -> None:
    torch.set_float32_matmul_precision("medium")
    try:
        degrade(picture(96, 96)[None], [draw(MILD, 0, 0, 0)], MILD)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


FLAT = st.sampled_from((0.0, 1.0, 128 / 255))


@settings(max_examples=40)
@given(
    st.sampled_from((MILD, HARD)),
    st.integers(0, 25),
    st.integers(0, 25),
    st.integers(0, 10**6),
    st.one_of(st.none(), FLAT),
)
def test_any_image_gives_an_lr_of_8_bit_values(
    config: RealESRGANConfig, tall: int, wide: int, number: int, flat: float | None
) -> None:
    least = smallest_side(config)
    height, width = least + 4 * tall, least + 4 * wide
    hr = picture(height, width) if flat is None else torch.full((3, height, width), flat)
    lr = degrade(hr[None], [draw(config, 5, number, 1)], config)
    assert lr.shape == (1, 3, height // 4, width // 4) and lr.dtype == torch.float32
    assert torch.equal((lr * 255).round().clamp(0, 255) / 255, lr)
    if flat is None:
        assert lr.std() > 0.02


@CONFIGS
def test_lr_images_resemble_their_hr(config: RealESRGANConfig) -> None:
    """The mean stays, and HARD is worse than MILD."""
    hr = picture(128, 128)
    lr = degrade(hr.expand(32, -1, -1, -1), [draw(config, 9, i, 0) for i in range(32)], config)
    assert lr.mean((1, 2, 3)).numpy() == pytest.approx(np.full(32, hr.mean()), abs=0.08)


def test_hard_is_harder() -> None:
    hr = picture(128, 128)
    small = resize(hr, (32, 32), "area")
    losses = [
        (degrade(hr.expand(48, -1, -1, -1), [draw(config, 2, i, 0) for i in range(48)], config) - small).square().mean()
        for config in (MILD, HARD)
    ]
    assert losses[1] > 1.3 * losses[0]


@pytest.mark.parametrize(
    ("hr", "draws", "message"),
    [
        (torch.zeros(1, 3, 96, 98), 1, "96x98.*multiples of 4 and at least 44"),
        (torch.zeros(1, 3, 96, 40), 1, "at least 44"),
        (torch.zeros(1, 3, 96, 96, dtype=torch.uint8), 1, "float32"),
        (torch.zeros(3, 96, 96), 1, "float32"),
        (torch.zeros(2, 3, 96, 96), 1, "1 draws for 2 images"),
    ],
)
def test_wrong_input_is_refused(hr: torch.Tensor, draws: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        degrade(hr, [draw(MILD, 0, i, 0) for i in range(draws)], MILD)


def test_no_images_give_none() -> None:
    assert degrade(torch.zeros(0, 3, 96, 96), [], MILD).shape == (0, 3, 24, 24)
