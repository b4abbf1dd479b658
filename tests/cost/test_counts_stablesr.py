"""StableSR's counts against an independent count of upstream's own modules (torch and fvcore)."""

from __future__ import annotations

from typing import Any

import pytest
from paper_readings import paper_readings

from adcbench.cost import counts

STEPS = 200
# parameters; multiply-adds of convolutions, linear layers and attention at one run, in G
FACTS = {
    "unet": (918_930_884, 244.9851, 102.3689 + 27.5533, 63.0261),
    "structure_encoder": (52_494_080, 26.3151, 0.0066, 18.392),
}
ENCODER, DECODER_AND_CFW, CFW = 34_163_592, 93_883_907, 44_393_728
ONE_BY_ONE = (8 * 8 + 8, 4 * 4 + 4)  # quant_conv and post_quant_conv, which the facts leave out
OPENCLIP = 354_032_641


@pytest.fixture(scope="module")
def payload() -> dict[str, Any]:
    return counts.count("stablesr")


def parts(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in payload["components"]}


def test_components_equal_the_facts(payload: dict[str, Any]) -> None:
    found = parts(payload)
    for name, (params, conv, linear, attention) in FACTS.items():
        part = found[name]
        assert (part["params"], part["times"]) == (params, STEPS)
        macs = [part["macs"][kind] / STEPS / 1e9 for kind in ("conv", "linear", "attention")]
        assert macs == pytest.approx([conv, linear, attention], abs=2e-4), name
    assert found["vae_encoder"]["params"] == ENCODER + ONE_BY_ONE[0]
    assert found["cfw"]["params"] == CFW
    assert found["vae_decoder"]["params"] == DECODER_AND_CFW - CFW + ONE_BY_ONE[1]
    assert found["text_encoder"]["params"] + found["text_encoder_rest"]["params"] == OPENCLIP


def test_decoder_macs_equal_the_facts(payload: dict[str, Any]) -> None:
    found, kinds = parts(payload), counts.HONEST_KINDS
    decoder = sum(found[name]["macs"][kind] for name in ("vae_decoder", "cfw") for kind in kinds)
    encoder = sum(found["vae_encoder"]["macs"][kind] for kind in kinds)
    assert decoder / 1e9 == pytest.approx(2499.914, abs=1e-3)
    assert encoder / 1e9 == pytest.approx(558.329, abs=1e-3)


def test_both_counters_agree(payload: dict[str, Any]) -> None:
    for part in payload["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


def test_readings_come_near_the_printed_figures(payload: dict[str, Any]) -> None:
    found = {
        (quantity, way): reading["value"]
        for quantity, tried in paper_readings(payload).items()
        for reading in tried["different"]
        for way in reading["ways"]
    }
    params = found["params.published", "without CFW"]
    macs = found["macs.published", "U-Net and structure encoder only"]
    assert params / 1e6 == pytest.approx(1409.11, abs=0.01)
    assert params / 1e6 == pytest.approx(1410, rel=0.002)
    assert macs / 1e9 == pytest.approx(80338.46, rel=0.001)
    assert 0.004 < macs / 79940e9 - 1 < 0.006  # near the printed figure, but not it
    assert counts.total(payload, "steps") == STEPS
