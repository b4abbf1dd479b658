"""PASD counted on the meta device. Nobody else's counts of it are known: only the printed totals."""

from __future__ import annotations

from typing import Any

import pytest

from adcbench.cost import pasd_networks
from adcbench.cost.counts import count, readings, total

PRINTED_PARAMS, PRINTED_MACS = 1900e6, 29125e9  # AdcSR's table 1
PARAMS = {  # SD1.5's VAE and text encoder; diffusers' UNet2DConditionModel and ControlNetModel with PASD's layers
    "text_encoder": 123_060_480,
    "vae_encoder": 34_163_664,
    "controlnet": 361_289_497,
    "unet": 1_107_755_524,
    "vae_decoder": 49_490_199,
}
GMACS = {  # of one pass: convolutions, linear layers, attention, norms
    "controlnet": (68.668, 47.882, 25.224, 0.140),
    "unet": (230.152, 197.588, 136.573, 0.541),
}


@pytest.fixture(scope="module")
def payload() -> dict[str, Any]:
    return count("pasd")


def test_components(payload: dict[str, Any]) -> None:
    parts = {part["name"]: part for part in payload["components"]}
    assert {name: part["params"] for name, part in parts.items()} == PARAMS
    assert {name: part["times"] for name, part in parts.items()} == {
        "text_encoder": 2, "vae_encoder": 1, "controlnet": 40, "unet": 40, "vae_decoder": 1,
    }  # fmt: skip
    for name, expected in GMACS.items():
        found = [parts[name]["macs"][kind] / 40e9 for kind in ("conv", "linear", "attention", "norm")]
        assert found == pytest.approx(expected, abs=6e-4), name
    for part in parts.values():
        assert part["macs"] == part["closed_form"], part["name"]


def test_totals(payload: dict[str, Any]) -> None:
    assert total(payload, "params.published") == 1_675_759_364
    assert total(payload, "macs.published") / 1e9 == pytest.approx(23597.1, abs=0.1)
    assert total(payload, "macs.honest") / 1e9 == pytest.approx(30072.3, abs=0.1)
    assert total(payload, "steps") == 20


def test_printed_parameters_include_blip(payload: dict[str, Any]) -> None:
    found = {way["name"]: way["value"] for way in readings(payload)["params.published"]}
    assert pasd_networks._blip_parameters() == 223_971_644  # as transformers' BlipForConditionalGeneration
    assert found["with BLIP's captioner (base)"] == pytest.approx(PRINTED_PARAMS, rel=2e-4)


def test_no_reading_reaches_the_printed_macs(payload: dict[str, Any]) -> None:
    ways = readings(payload)["macs.published"]
    off = {way["name"]: round(100 * (way["value"] / PRINTED_MACS - 1), 1) for way in ways}
    assert off == {
        "all that runs, no norms or resizing": -19.1,
        "all that runs, attention counted": 3.3,
        "without the prompts": -19.0,
        "the sampler alone": -25.2,
        "the sampler alone, attention counted": -3.0,
    }
    parts = {part["name"]: part["macs"] for part in payload["components"]}
    unexplained = total(payload, "macs.published") + parts["unet"]["attention"]
    assert unexplained == pytest.approx(PRINTED_MACS, rel=2.5e-3)
