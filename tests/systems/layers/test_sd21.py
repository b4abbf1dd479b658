"""Our Stable Diffusion 2.1 against diffusers' and transformers' own classes (tests/golden/osediff/make.py).

All in float64, which every processor computes alike.
"""

from __future__ import annotations

from collections.abc import Callable

import parity
import pytest
import torch
from osediff_files import LIBRARIES, golden_make, own_shapes, shapes
from sd21_files import example
from torch import Tensor, nn

from adcbench.systems.layers import sd21
from adcbench.systems.layers.text_encoder import TextEncoder
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae


def test_full_size_names_and_shapes() -> None:
    official = shapes("sd21")
    with torch.device("meta"):
        assert own_shapes(UNet(sd21.UNetConfig())) == official["unet"]
        assert own_shapes(Vae(sd21.VaeConfig())) == official["vae"]


@pytest.mark.parametrize(
    ("network", "parameters"), [(UNet, 865_910_724), (Vae, 83_653_863), (TextEncoder, 340_387_840)]
)
def test_full_size_parameters(network: type[nn.Module], parameters: int) -> None:
    config = {UNet: sd21.FULL.unet, Vae: sd21.FULL.vae, TextEncoder: sd21.FULL.text}[network]
    with torch.device("meta"):
        assert sum(p.numel() for p in network(config).parameters()) == parameters


@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_parameter_matters(unet: nn.Module, vae: Vae, encoder: nn.Module) -> None:
    latent, text = example("latent", golden_make.LATENT), example("text", (2, 77, 64))
    image, code = example("image", golden_make.IMAGE), example("latent", golden_make.ODD_LATENT)
    encoding = nn.ModuleDict({"encoder": vae.encoder, "quant_conv": vae.quant_conv})
    decoding = nn.ModuleDict({"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv})
    runs: list[tuple[nn.Module, Callable[[], Tensor], str]] = [
        (unet, lambda: unet(latent, 999, text), "unet"),
        (encoding, lambda: vae.encode(image, None), "vae_mean"),
        (decoding, lambda: vae.decode(code), "vae_decode"),
        (encoder, lambda: encoder(torch.tensor(golden_make.IDS)), "text"),
    ]
    quiet = [group for part, run, name in runs for group in parity.unnoticed(part, run, LIBRARIES[name], parity.EXACT)]
    assert quiet == [  # the softmax takes out what a key's bias adds to all scores of a query
        "encoder.mid_block.attentions.#.to_k.bias",
        "decoder.mid_block.attentions.#.to_k.bias",
        "text_model.encoder.layers.#.self_attn.k_proj.bias",
    ]


def test_alpha_bar_is_the_scheduler_s() -> None:
    ours = torch.tensor([sd21.alpha_bar(step) for step in range(0, 1000, 37)])
    assert torch.allclose(ours, LIBRARIES["alpha_bar"][::37], rtol=2e-6)
    assert sd21.alpha_bar(999) == pytest.approx(0.0046601, abs=5e-8)


def test_one_step_equals_the_scheduler_s_step() -> None:
    noise, latent = example("noise", golden_make.LATENT), example("latent", golden_make.LATENT)
    ours = sd21.one_step(latent, noise)
    assert parity.equals(ours, LIBRARIES["one_step"], parity.DOUBLE)  # the library keeps its levels in float32
    assert torch.allclose(0.068265 * ours + 0.997667 * noise, latent, atol=1e-4)
