"""AdcSR at small widths: any size, threads, every parameter matters, the system contract."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from adcsr_files import GOLDEN, mini_input, mini_network
from parity import EXACT, OTHER_DRAWS, SAME_DRAWS, equals, errors, perturbed
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.systems import adcsr
from adcbench.systems.adcsr import MINI
from adcbench.systems.adcsr.network import AdcSR, load_network, upscaler


@pytest.fixture(scope="module")
def network() -> AdcSR:
    return mini_network()


@pytest.fixture(scope="module")
def exact() -> AdcSR:
    """In float64, which every processor computes alike."""
    return mini_network().double()


@pytest.fixture(scope="module")
def golden() -> Tensor:
    return torch.from_numpy(np.load(GOLDEN / "mini.npz")["raw"])


def run(network: AdcSR, x: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(x)


def test_output_has_not_drifted(exact: AdcSR, network: AdcSR, golden: Tensor) -> None:
    assert equals(run(exact, mini_input().double()), golden, EXACT)
    assert equals(run(network, mini_input()), golden)


def group_of(name: str) -> str:
    """A parameter's name without the block it is in."""
    return re.sub(r"\b(down_blocks|up_blocks|mid_block|resnets|attentions|\d+)\.", "", name)


def groups() -> list[str]:
    with torch.device("meta"):
        return sorted({group_of(name) for name, _ in AdcSR(MINI).named_parameters()})


INVISIBLE = "decoder.to_k.bias"  # adds the same to all scores of a query: the softmax takes it out


def test_the_invisible_group_exists() -> None:
    assert INVISIBLE in groups()


@pytest.mark.skipif(not SAME_DRAWS, reason=OTHER_DRAWS)
@pytest.mark.parametrize("name", [group for group in groups() if group != INVISIBLE])
def test_perturbing_any_group_breaks_the_golden(exact: AdcSR, golden: Tensor, name: str) -> None:
    group = [own for own, _ in exact.named_parameters() if group_of(own) == name]
    with perturbed(exact, group):
        assert group and not equals(run(exact, mini_input().double()), golden, EXACT)


def test_every_single_tensor_reaches_the_output() -> None:
    network = mini_network().requires_grad_(True)
    output = network(mini_input())
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(0))
    (output * direction).sum().backward()
    largest = {name: p.grad.abs().max().item() for name, p in network.named_parameters() if p.grad is not None}
    assert len(largest) == len(list(network.parameters()))
    assert [name for name, grad in largest.items() if grad < 1e-3] == ["decoder.mid_block.attentions.0.to_k.bias"]


@pytest.mark.parametrize("size", [(33, 47), (8, 8), (1, 1), (16, 17), (9, 32)])
def test_any_size(size: tuple[int, int]) -> None:
    upscale = adcsr.system(adcsr.MINI).mini().load(None, "cpu", "float32")
    lr = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    sr = upscale(lr)
    assert sr.shape == (2, 3, 4 * size[0], 4 * size[1]) and sr.dtype == torch.float32
    assert bool(sr.isfinite().all())
    torch.testing.assert_close(sr.mean((2, 3)), lr.mean((2, 3)), atol=1e-5, rtol=0)  # colours matched whole


def test_padding_does_not_touch_sizes_that_fit(network: AdcSR) -> None:
    lr = mini_input() / 2 + 0.5
    raw = run(network, mini_input())
    sr = upscaler(network, "float32")(lr)
    matched = (raw - raw.mean((2, 3), keepdim=True)) / raw.std((2, 3), keepdim=True)
    matched = matched * mini_input().std((2, 3), keepdim=True) + mini_input().mean((2, 3), keepdim=True)
    assert equals(sr, matched / 2 + 0.5)


def test_a_flat_image_stays_finite_and_keeps_its_colour() -> None:
    upscale = adcsr.system(adcsr.MINI).mini().load(None, "cpu", "float32")
    lr = torch.tensor([0.25, 0.5, 1.0]).reshape(1, 3, 1, 1).expand(1, 3, 16, 16)
    torch.testing.assert_close(upscale(lr), lr.repeat(1, 1, 4, 4), atol=1e-5, rtol=0)


def test_batch_items_do_not_influence_each_other(network: AdcSR) -> None:
    images = torch.rand(3, 3, 16, 32, generator=torch.Generator().manual_seed(1))
    upscale = upscaler(network, "float32")
    alone = torch.cat([upscale(image[None]) for image in images])
    torch.testing.assert_close(upscale(images), alone, atol=1e-4, rtol=0)


def test_threads_share_one_network(network: AdcSR) -> None:
    upscale = upscaler(network, "float32")
    generator = torch.Generator().manual_seed(2)
    images = [torch.rand(1, 3, 16 + 16 * (i % 3), 16, generator=generator) for i in range(12)]
    serial = [upscale(image) for image in images]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(upscale, images))
    for one, two in zip(serial, together, strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=0)


def test_reduced_precision_is_near(network: AdcSR) -> None:
    lr = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    reduced, exact = upscaler(network, "bfloat16")(lr), upscaler(network, "float32")(lr)
    assert reduced.dtype == torch.float32
    assert 1e-4 < errors(reduced, exact)[1] < 0.1


@pytest.mark.parametrize(("field", "value"), [("source", "vae"), ("link", "latent")])
def test_ablation_variants_run(field: str, value: str) -> None:
    network = load_network(replace(MINI, **{field: value}), None)  # type: ignore[arg-type]
    assert run(network, mini_input()).shape == (1, 3, 128, 64)


def test_wrong_inputs_are_named(network: AdcSR) -> None:
    with pytest.raises(AdcbenchError, match=r"divide by 16, got \(20, 32\)"):
        network(torch.zeros(1, 3, 20, 32))
    with pytest.raises(AdcbenchError, match=r"RGB images .* shape \(1, 1, 16, 16\)"):
        upscaler(network, "float32")(torch.zeros(1, 1, 16, 16))
    with pytest.raises(AdcbenchError, match="unknown dtype 'int8'"):
        upscaler(network, "int8")


# ---- the systems --------------------------------------------------------------------------------


def test_mini_system_is_deterministic() -> None:
    system = adcsr.system(adcsr.MINI).mini()
    lr = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(4))
    first, second = (system.load(None, "cpu", "float32")(lr) for _ in range(2))
    assert torch.equal(first, second)
    assert (system.name, system.scale, system.files, system.seed_use) == ("adcsr-mini", "mini", (), "")


def test_full_system_names_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    system = adcsr.system()
    assert [file.name for file in system.files] == ["net_params_200.pkl", "halfDecoder.ckpt"]
    assert system.files[0].url.endswith("/Guaishou74851/AdcSR/resolve/main/weight/net_params_200.pkl")
    assert system.files[1].url.endswith("/weight/pretrained/halfDecoder.ckpt")
    assert all("Apache-2.0" in f.licence and "RAIL" in f.licence and not f.non_commercial for f in system.files)
    with pytest.raises(Blocked, match="adcbench weights fetch adcsr"):
        system.find_weights()


def test_full_system_never_falls_back_to_deterministic_weights() -> None:
    with pytest.raises(AdcbenchError, match=r"needs net_params_200\.pkl and halfDecoder\.ckpt"):
        adcsr.system().load({}, "cpu", "float32")


def test_configurations_import_no_torch() -> None:
    code = "import sys, adcbench.systems.adcsr, adcbench.systems.adcvsr; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
