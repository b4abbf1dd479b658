"""DiffBIR v1 counted on the meta device against independent counts of the official code, and the printed figures."""

from __future__ import annotations

from typing import Any

import pytest
from paper_readings import paper_readings

from adcbench.cost import counts
from adcbench.cost.counts import count, quantity, total

# Of the official networks, one call each: parameters, G multiply-adds by fvcore and by torch's counter.
FACTS = {
    "swinir": (15_792_587, 91.122, 90.739),
    "vae_encoder": (34_163_592 + 72, 542.365, 558.329),  # the facts leave quant_conv out: 72 parameters
    "controlnet": (363_153_280, 109.475, 134.559),
    "unet": (865_910_724, 448.980 - 109.475, 536.688 - 134.559),
    "vae_decoder": (49_490_179 + 20, 1242.485, 1257.259),  # and post_quant_conv: 20
}
TEXT = 354_032_641  # with the last layer, which never runs
PRINTED_PARAMS, PRINTED_MACS = 1716.71, 24233.87  # reached by the facts' readings of 1717 M and 24234 G


@pytest.fixture(scope="module")
def payload() -> dict[str, Any]:
    return count("diffbir")


@pytest.mark.parametrize("name", FACTS)
def test_components_equal_independent_counts(payload: dict[str, Any], name: str) -> None:
    part = next(part for part in payload["components"] if part["name"] == name)
    params, fvcore, torch_ = FACTS[name]
    assert part["params"] == params
    for kinds, fact in ((counts.PUBLISHED_KINDS, fvcore), (counts.HONEST_KINDS, torch_)):
        assert sum(part["macs"][kind] for kind in kinds) / part["times"] / 1e9 == pytest.approx(fact, abs=1.1e-3)


def test_both_counters_agree_exactly(payload: dict[str, Any]) -> None:
    for part in payload["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


def test_parameters(payload: dict[str, Any]) -> None:
    params = dict(quantity(payload, "params.published"))
    assert params["text_encoder"] + params["text_last_layer_never_run"] == TEXT
    assert params["vae_encoder_never_run"] == params["vae_encoder"]
    assert total(payload, "params.published") / 1e6 == pytest.approx(PRINTED_PARAMS, abs=0.005)


def test_multiply_adds(payload: dict[str, Any]) -> None:
    assert total(payload, "steps") == 50
    assert total(payload, "macs.published") / 1e9 == pytest.approx(24_347.6, abs=0.1)
    different = paper_readings(payload)["macs.published"]["different"]
    ways = {way: one["value"] / 1e9 for one in different for way in one["ways"]}
    assert ways["without SwinIR and text encoder"] == pytest.approx(PRINTED_MACS, rel=1e-5)
    assert ways["without SwinIR and text encoder, attention counted"] == pytest.approx(28_650.0, abs=1)
