"""What inference paths share: 8-bit levels, enlarging in Pillow, noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers import sd21
from adcbench.systems.layers.pixels import (
    check_images,
    enlarge_in_levels,
    from_picture,
    resized,
    shared_noise,
    to_picture,
    truncate,
)
from adcbench.systems.layers.vae import Vae

IMAGE = torch.rand((3, 9, 14), generator=torch.Generator().manual_seed(0))


def test_only_batches_of_rgb_pass() -> None:
    check_images(IMAGE[None], "Net")
    for wrong in (IMAGE, IMAGE[None, :1]):
        with pytest.raises(AdcbenchError, match=r"Net takes RGB images \(B, 3, h, w\); got a tensor of shape"):
            check_images(wrong, "Net")


def test_levels() -> None:
    assert truncate(torch.tensor([0.0, 0.9999, 1.0])).mul(255).round().tolist() == [0, 254, 255]
    assert (from_picture(to_picture(IMAGE)) - IMAGE).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("last", [Image.Resampling.LANCZOS, Image.Resampling.BICUBIC])
def test_enlarging_by_hand(last: Image.Resampling) -> None:
    picture = Image.fromarray((IMAGE * 255).round().byte().permute(1, 2, 0).numpy())
    picture = picture.resize((int(12 / 9 * 14), 12)).resize((4 * 18, 48)).resize((72, 48), last)
    found = enlarge_in_levels(IMAGE, 4, 12, last)
    assert np.array_equal((found * 255).round().permute(1, 2, 0).numpy(), np.array(picture))


def test_resized_only_where_it_must_be() -> None:
    assert resized(IMAGE[None], (9, 14)).data_ptr() == IMAGE.data_ptr()
    assert resized(IMAGE[None], (18, 7)).shape == (1, 3, 18, 7)


def test_noise_is_one_for_all_images_of_a_batch() -> None:
    torch.manual_seed(0)
    first, second = (shared_noise(torch.empty(3, 4, 40, 40)) for _ in range(2))
    assert torch.equal(first[0], first[2]) and not torch.equal(first, second)
    assert 0.95 < float(first.std()) < 1.05
    torch.manual_seed(0)
    assert torch.equal(first[:1], shared_noise(torch.empty(1, 4, 40, 40)))


def test_a_latent_s_worth_of_noise() -> None:
    assert Vae(sd21.MINI.vae).noise(torch.empty(2, 3, 64, 96)).shape == (2, 4, 8, 12)
