"""ResShift and SinSR against upstream's own classes, and at mini size end to end."""

from __future__ import annotations

import copy
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import parity
import pytest
import torch
from resshift_files import GOLDEN, LR, arrays, official_files
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest
from adcbench.core.windows import window_starts
from adcbench.systems.layers.stepping import Stopwatch
from adcbench.systems.resshift import (
    FULL,
    MINI,
    SINSR,
    SINSR_FILE,
    SINSR_MINI,
    UNET_FILE,
    VQ_FILE,
    ResShiftConfig,
    load,
    sinsr_system,
    system,
)
from adcbench.systems.resshift.network import ResShift, chopped, load_network, upscaler


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("resshift_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden_make = _load_make()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ResShift:
    """The mini network of the fixtures, through the official files."""
    return load_network(MINI, official_files(tmp_path_factory.mktemp("official")))


@pytest.fixture
def exact(network: ResShift, monkeypatch: pytest.MonkeyPatch) -> ResShift:
    """In float64, which every processor computes alike."""
    monkeypatch.setattr(Tensor, "float", parity.as_given)
    network = copy.deepcopy(network).double()
    network.unet.time_embed.register_forward_pre_hook(lambda _, sines: (sines[0].double(),))
    return network


@torch.inference_mode()
def run(network: ResShift, lr: Tensor, seed: int = 0, dtype: str = "float32", **changes: Any) -> Tensor:
    """The network under other settings, seeded as inference does."""
    before, network.config = network.config, replace(network.config, **changes)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return upscaler(network, dtype)(lr)
    finally:
        network.config = before


@torch.inference_mode()
def parts(network: ResShift, scale: str) -> dict[str, Tensor]:
    """What ours makes of the fixtures' inputs."""
    given = parity.suited(network.unet, golden_make.inputs(scale))
    return {
        "unet": network.unet(given["x"], golden_make.STEP, given["lr"]),
        "encode": network.vq.encode(given["image"]),
        "decode": network.vq.decode(given["latent"]),
    }


@pytest.mark.parametrize("part", ["unet", "encode", "decode"])
def test_networks_equal_upstream(exact: ResShift, part: str) -> None:
    found, expected = parts(exact, "mini")[part], arrays("mini")[part]
    assert expected.std() > 0.01
    assert parity.equals(found, expected, parity.DOUBLE), parity.errors(found, expected)


@pytest.mark.skipif(not parity.SAME_DRAWS, reason=parity.OTHER_DRAWS)
def test_every_parameter_matters(exact: ResShift) -> None:
    given, expected = parity.suited(exact.unet, golden_make.inputs("mini")), arrays("mini")
    unet, vq = exact.unet, exact.vq
    with torch.no_grad():
        assert not parity.unnoticed(
            unet, lambda: unet(given["x"], golden_make.STEP, given["lr"]), expected["unet"], parity.DOUBLE
        )
        both = torch.cat([expected[name].flatten() for name in ("encode", "decode")])
        silent = parity.unnoticed(vq, lambda: torch.cat([
            vq.encode(given["image"]).flatten(), vq.decode(given["latent"]).flatten(),
        ]), both, parity.DOUBLE)  # fmt: skip
    # softmax over the keys: what is added to all of a query's scores is lost
    assert silent == ["encoder.mid.attn_#.k.bias", "decoder.mid.attn_#.k.bias"]


@pytest.mark.parametrize(("fixture", "one_step"), [("mini", False), ("sinsr", True)])
def test_sampling_equals_upstream(network: ResShift, fixture: str, one_step: bool) -> None:
    """All steps, with the noise that upstream draws after the same seed."""
    expected, given = arrays(fixture)["sampled"], golden_make.inputs("mini")["lr"]
    network.config = replace(MINI, one_step=one_step)
    torch.manual_seed(golden_make.SEED)
    with torch.inference_mode():
        found = network.latent(given)
    network.config = MINI
    assert parity.equals(found, expected, parity.DEEP), parity.errors(found, expected)


@pytest.mark.parametrize(("fixture", "one_step"), [("mini", False), ("sinsr", True)])
def test_images_equal_upstream(network: ResShift, fixture: str, one_step: bool) -> None:
    """From an LR of odd size: padding, codes, cropping and clamping too."""
    lr = golden_make.inputs("mini")["small"] / 2 + 0.5
    expected = arrays(fixture)["sr"] / 2 + 0.5
    assert expected.shape[2:] == (28, 52)
    found = run(network, lr, golden_make.SEED, one_step=one_step)
    assert parity.equals(found, expected, parity.DEEP), parity.errors(found, expected)


def test_full_size_equals_upstream(full_size: None, tmp_path: Path) -> None:
    found, expected = parts(load_network(FULL, official_files(tmp_path, "full")), "full"), arrays("full")
    for name, value in found.items():
        assert parity.equals(value, expected[name], parity.DEEP), (name, parity.errors(value, expected[name]))


def test_full_configurations_are_the_published_ones() -> None:
    assert (FULL.steps, FULL.kappa, FULL.multiple, FULL.chop, FULL.stride) == (15, 2.0, 64, 512, 448)
    assert replace(FULL, one_step=True) == SINSR


def test_seeds_and_batches(network: ResShift) -> None:
    for one_step in (False, True):
        first, again, other = (run(network, LR, seed, one_step=one_step) for seed in (1, 1, 2))
        assert torch.equal(first, again) and not torch.allclose(first, other, atol=1e-3)
        alone = run(network, LR[1:], 1, one_step=one_step)
        assert parity.errors(first[1:], alone)[1] < 1e-3  # a batch rounds otherwise, which can move a code


@pytest.mark.parametrize("size", [(1, 1), (9, 13), (8, 3), (33, 7)])
def test_any_size(network: ResShift, size: tuple[int, int]) -> None:
    lr = torch.rand((1, 3, *size), generator=torch.Generator().manual_seed(1))
    sr = run(network, lr, one_step=True)
    assert sr.shape == (1, 3, 4 * size[0], 4 * size[1])
    assert float(sr.min()) >= 0 and float(sr.max()) <= 1


@pytest.mark.parametrize(
    ("length", "expected"), [(512, [0]), (513, [0, 1]), (600, [0, 88]), (960, [0, 448]), (961, [0, 448, 449])]
)
def test_squares_start_where_upstream_s_do(length: int, expected: list[int]) -> None:
    assert window_starts(length, 512, 512 - 448) == expected


def test_squares_are_averaged() -> None:
    enlarge = torch.nn.Upsample(scale_factor=4)
    lr = torch.rand(2, 3, 50, 20)
    torch.testing.assert_close(chopped(enlarge, lr, 32, 24), enlarge(lr))
    calls = iter(range(4))
    found = chopped(lambda x: torch.full_like(enlarge(x), next(calls)), torch.rand(1, 3, 33, 8), 32, 24)
    assert found[0, 0, [0, 4, 127, 128], 0].tolist() == [0, 0.5, 0.5, 1]


def test_bfloat16_stays_near_float32(network: ResShift) -> None:
    full, half = (run(network, LR, dtype=dtype, one_step=True) for dtype in ("float32", "bfloat16"))
    assert half.dtype == torch.float32 and not torch.equal(half, full)
    assert float((half - full).abs().mean()) < 0.05


def test_a_stopwatch_stops_the_steps(network: ResShift) -> None:
    with Stopwatch(2) as watch:
        run(network, LR)
    assert len(watch.seconds) == 2 and watch.skipped == 13


def test_systems() -> None:
    made = (system(), system(MINI).mini(), sinsr_system(), sinsr_system(SINSR_MINI).mini())
    assert [(one.name, one.scale) for one in made] == [
        ("resshift", "full"), ("resshift-mini", "mini"), ("sinsr", "full"), ("sinsr-mini", "mini"),
    ]  # fmt: skip
    assert [[file.name for file in one.files] for one in made] == [
        [UNET_FILE, VQ_FILE], [], [SINSR_FILE, VQ_FILE], [],
    ]  # fmt: skip
    assert {file.folder for one in made for file in one.files if file.name == VQ_FILE} == {"resshift"}
    assert all(file.non_commercial for one in made for file in one.files)
    assert system().get == "adcbench weights fetch resshift" and sinsr_system().get == "adcbench weights fetch sinsr"
    assert all("noise" in one.seed_use for one in made)
    assert len({digest(json.loads(json.dumps(one.settings()))) for one in made}) == 4


def test_bad_arguments(network: ResShift) -> None:
    with pytest.raises(AdcbenchError, match="ResShift takes RGB images"):
        run(network, LR[:, :1])
    with pytest.raises(AdcbenchError, match="unknown dtype 'int8': SinSR"):
        load(SINSR_MINI, None, "cpu", "int8")
    for changes, says in (
        ({"steps": 1}, "steps is 1"), ({"stride": 0}, "stride is 0"), ({"multiple": 12}, "multiple is 12"),
        ({"vq": replace(MINI.vq, multipliers=(1, 2))}, "vq.multipliers must have 3 levels"),
    ):  # fmt: skip
        with pytest.raises(AdcbenchError, match=says):
            replace(MINI, **changes)
    assert ResShiftConfig() == FULL
