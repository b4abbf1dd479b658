"""SD 2.1's VAE against diffusers'."""

from __future__ import annotations

from osediff_files import golden_make
from sd21_files import close, example

from adcbench.systems.layers.vae import Vae


def test_vae_equals_diffusers(vae: Vae) -> None:
    image, noise = example("image", golden_make.IMAGE), example("noise", (1, 4, 6, 4))
    assert close(vae.encode(image, None), "vae_mean")
    assert close(vae.encode(image, noise), "vae_sample")
    assert close(vae.decode(example("latent", golden_make.ODD_LATENT)), "vae_decode")
