"""The warping error: known answers (facts, ``video_metrics.md`` section 1), each within its stated tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from video_clips import moving

from adcbench.metrics.clip.ewarp import warping_error
from adcbench.metrics.clip.flow import constant, dis

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")
STILL = constant(0, 0)
COUNT, SIDE = 64, 64
UNIFORM = 1000 * (256**2 - 1) / 6 / 255**2  # twice the variance of 256 equally likely levels: 168.0 (of U[0, 1]: 166.7)


def _uniform(count: int = COUNT, shape: tuple[int, int] = (SIDE, SIDE)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape, 3), dtype=np.uint8)


def _noise(sigma: float = 0.05) -> np.ndarray:
    values = np.random.default_rng(0).normal(0.5, sigma, (COUNT, SIDE, SIDE, 3))
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _shifted(shape: tuple[int, int] = (96, 128), step: int = 3, count: int = 6) -> np.ndarray:
    """Uniform texture that moves right by ``step`` pixels a frame."""
    wide = _uniform(1, (shape[0], shape[1] + count * step))[0]
    return np.stack([wide[:, (count - t) * step :][:, : shape[1]] for t in range(count)])


def test_a_still_clip_has_none() -> None:
    clip = np.repeat(_uniform(1), 5, axis=0)
    assert warping_error(clip, flow=STILL, flow_on="output") == 0
    assert warping_error(clip, clip, flow=dis()) == 0


def test_a_translation_with_its_true_flow_has_none() -> None:
    clip = _shifted()
    assert warping_error(clip, flow=constant(3, 0), flow_on="output") < 1e-20


def test_without_the_in_frame_rule_the_border_counts() -> None:
    clip = _shifted()
    # the last 3 columns are compared with the border column
    found = warping_error(clip, flow=constant(3, 0), flow_on="output", in_frame=False)
    assert found == pytest.approx(UNIFORM * 3 / 128, rel=0.06)


def test_a_translation_without_flow_is_twice_the_variance() -> None:
    found = warping_error(_shifted((128, 128)), flow=STILL, flow_on="output")
    assert found == pytest.approx(UNIFORM, rel=0.015)


@pytest.mark.parametrize(
    ("settings", "step", "expected"),
    [
        ({}, (0, 0), 5.0),
        ({"reduction": "sum"}, (0, 0), 15.0),
        ({}, (0.5, 0), 3.75),
        ({}, (0.5, 0.5), 3.125),
        ({}, (0.25, 0.1), 2.5 * (1 + (0.75**2 + 0.25**2) * (0.9**2 + 0.1**2))),
        ({"downscale": 2}, (0, 0), 1.25),
    ],
)
def test_noise_of_known_spread(settings: dict[str, object], step: tuple[float, float], expected: float) -> None:
    found = warping_error(_noise(), flow=constant(*step), flow_on="output", **settings)  # type: ignore[arg-type]
    assert found == pytest.approx(expected, rel=0.01)


def test_uniform_noise() -> None:
    assert warping_error(_uniform(), flow=STILL, flow_on="output") == pytest.approx(UNIFORM, rel=0.01)


def test_flicker_of_whole_frames() -> None:
    # 128 +- 2.55 levels is not 8-bit: +- 3 levels, so 1000 (6 / 255)^2
    levels = np.array([125, 131] * 4, np.uint8)
    clip = np.broadcast_to(levels[:, None, None, None], (8, 32, 32, 3))
    assert warping_error(clip, flow=STILL, flow_on="output") == pytest.approx(1000 * (6 / 255) ** 2, rel=1e-9)


def test_the_sum_over_channels_is_three_times_the_mean() -> None:
    clip = _noise()[:4]
    mean, total = (warping_error(clip, clip, flow=dis(), reduction=r) for r in ("mean", "sum"))  # type: ignore[arg-type]
    assert total / mean == pytest.approx(3, rel=1e-12)


def _by_pixel(now: np.ndarray, then: np.ndarray, forward: np.ndarray, backward: np.ndarray) -> tuple[float, int, int]:
    """The definition, pixel by pixel: (score of the pair, pixels hidden by the first rule, by the second alone)."""
    h, w = now.shape[:2]
    total, visible, lost, jumps = 0.0, 0, 0, 0
    for y in range(h):
        for x in range(w):
            u, v = forward[y, x]
            if not (0 <= x + u <= w - 1 and 0 <= y + v <= h - 1):
                continue
            x0, y0 = int(np.floor(x + u)), int(np.floor(y + v))
            a, b = x + u - x0, y + v - y0
            corners = [(1 - a, 1 - b, x0, y0), (a, 1 - b, x0 + 1, y0), (1 - a, b, x0, y0 + 1), (a, b, x0 + 1, y0 + 1)]
            there, back = np.zeros(3), np.zeros(2)
            for p, q, i, j in corners:
                if p * q:
                    there += p * q * then[j, i] / 255
                    back += p * q * backward[j, i]
            slope = 0.0
            if x + 1 < w:
                slope += ((forward[y, x + 1] - forward[y, x]) ** 2).sum()
            if y + 1 < h:
                slope += ((forward[y + 1, x] - forward[y, x]) ** 2).sum()
            if ((back + forward[y, x]) ** 2).sum() > 0.01 * ((back**2).sum() + u * u + v * v) + 0.5:
                lost += 1
            elif slope > 0.01 * (u * u + v * v) + 0.002:
                jumps += 1
            else:
                visible += 1
                total += ((there - now[y, x] / 255) ** 2).mean()
    return 1000 * total / visible, lost, jumps


def test_equals_the_definition_pixel_by_pixel() -> None:
    draw = np.random.default_rng(3)
    clip = _uniform(2, (40, 56))
    forward = ndimage.gaussian_filter(draw.normal(0, 45, (40, 56, 2)), (4, 4, 0))
    backward = -forward + ndimage.gaussian_filter(draw.normal(0, 12, (40, 56, 2)), (4, 4, 0))
    expected, lost, jumps = _by_pixel(*clip, forward, backward)
    assert min(lost, jumps) > 40  # both rules matter here
    found = warping_error(clip, flow=lambda now, then: (forward, backward), flow_on="output")
    assert found == pytest.approx(expected, rel=1e-10)


def test_halves_as_torch_does() -> None:
    import torch
    from torch.nn.functional import interpolate

    from adcbench.metrics.clip.ewarp import _prepared

    frame = _uniform(1, (33, 47))[0]
    planes = torch.from_numpy(frame.transpose(2, 0, 1))[None].double() / 255
    half = interpolate(planes, scale_factor=0.5, mode="bilinear", align_corners=False)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(_prepared(frame, 2, 0), half, atol=1e-12)
    assert _prepared(frame, 2, 8).shape == (16, 24, 3)
    padded = _prepared(frame, 1, 8)  # 33 x 47 -> 40 x 48: 3 rows above, 4 below, one column to the right
    np.testing.assert_array_equal(padded, (frame / 255)[[0] * 3 + [*range(33)] + [32] * 4][:, [*range(47), 46]])


def test_flow_of_the_reference_leaves_noise_in_and_flow_of_the_output_takes_some_out() -> None:
    still = np.repeat(moving(1, (128, 128)), 6, axis=0)
    noisy = np.clip(still + np.random.default_rng(0).normal(0, 5, still.shape), 0, 255).astype(np.uint8)
    expected = 1000 * 2 * noisy.astype(float).var(axis=0).mean() * 6 / 5 / 255**2
    assert warping_error(noisy, still, flow=dis()) == pytest.approx(expected, rel=0.01)
    assert warping_error(noisy, still, flow=dis(), flow_on="output") < 0.97 * expected


def test_pairs_without_a_visible_pixel_are_skipped_or_count_nothing() -> None:
    clip = _noise()[:3]
    flows = iter([constant(0, 0), constant(500, 0)])

    def flow(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return next(flows)(now, then)

    first = warping_error(clip[:2], flow=STILL, flow_on="output")
    assert warping_error(clip, flow=flow, flow_on="output") == pytest.approx(first)
    flows = iter([constant(0, 0), constant(500, 0)])
    assert warping_error(clip, flow=flow, flow_on="output", empty="zero") == pytest.approx(first / 2)
    with pytest.raises(ValueError, match="no pixel"):
        warping_error(clip, flow=constant(500, 0), flow_on="output")


def test_bad_input_is_refused() -> None:
    clip = _noise()[:3]
    with pytest.raises(ValueError, match="two frames"):
        warping_error(clip[:1], clip[:1], flow=STILL)
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is shorter"):
        warping_error(clip, clip[:2], flow=STILL)
    with pytest.raises(ValueError, match="different sizes"):
        warping_error(clip, clip[:, :32], flow=STILL)
    with pytest.raises(ValueError, match="uint8"):
        warping_error(clip.astype(np.float32), clip, flow=STILL)
    with pytest.raises(ValueError, match="uint8"):
        warping_error(clip.astype(np.uint16), clip, flow=STILL)
    with pytest.raises(ValueError, match="there is none"):
        warping_error(clip, flow=STILL)
    with pytest.raises(ValueError, match="not finite"):
        warping_error(clip, clip, flow=lambda now, then: (np.full((64, 64, 2), np.nan), np.zeros((64, 64, 2))))
