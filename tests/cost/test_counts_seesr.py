"""SeeSR counted on the meta device against independent counts of the official code (facts/image_counts.json)."""

from __future__ import annotations

from typing import Any

import pytest
from paper_readings import paper_readings

from adcbench.cost import counts
from adcbench.cost.counts import count, total

# component -> parameters, fvcore's GMACs, torch's GMACs of one run
FACTS = {"unet": (1_126_760_324, 469.516, 596.505), "controlnet": (489_031_440, 170.166, 221.016)}
KINDS = {  # GMACs of one run by kind
    "unet": {"conv": 209.1804, "linear": 259.7015, "matmul": 0, "attention": 127.6232},
    "controlnet": {"conv": 63.2973, "linear": 106.6355, "matmul": 0, "attention": 51.0837},
}
PRINTED_PARAMS, PRINTED_MACS = 2524.15e6, 65857.24e9
WITHOUT = "one encoding by VAE and DAPE, without text encoder and tagging head"


@pytest.fixture(scope="module")
def payload() -> dict[str, Any]:
    return count("seesr")


@pytest.mark.parametrize("name", list(FACTS))
def test_components_equal_independent_counts(payload: dict[str, Any], name: str) -> None:
    part = next(part for part in payload["components"] if part["name"] == name)
    params, fvcore, torch_counter = FACTS[name]
    assert part["params"] == params
    assert part["times"] == 100
    for kind, expected in KINDS[name].items():
        assert part["macs"][kind] / part["times"] / 1e9 == pytest.approx(expected, abs=2.1e-4), kind
    for kinds, expected in ((counts.PUBLISHED_KINDS, fvcore), (counts.HONEST_KINDS, torch_counter)):
        assert sum(part["macs"][kind] for kind in kinds) / part["times"] / 1e9 == pytest.approx(expected, abs=6e-4)


def test_both_counters_agree_exactly(payload: dict[str, Any]) -> None:
    for part in payload["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


def test_readings_reach_the_printed_figures(payload: dict[str, Any]) -> None:
    ways = {
        quantity: {way: one["value"] for one in found["different"] for way in one["ways"]}
        for quantity, found in paper_readings(payload).items()
    }
    params = ways["params.published"]["loaded, tied tensors counted twice"]
    assert params == pytest.approx(PRINTED_PARAMS, rel=2e-5) and round(params / 1e6) == 2524
    assert ways["macs.published"][WITHOUT] == pytest.approx(PRINTED_MACS, rel=2e-5)
    assert ways["macs.published"][f"{WITHOUT}, attention counted"] == pytest.approx(83671.8e9, rel=2e-5)


def test_all_that_runs(payload: dict[str, Any]) -> None:
    runs = {part["name"]: part["times"] for part in payload["components"] if part["runs"]}
    assert runs == {
        "dape_image_encoder": 2,
        "dape_tagging_head": 1,
        "text_encoder": 2,
        "vae_encoder": 2,
        "controlnet": 100,
        "unet": 100,
        "vae_decoder": 1,
    }
    assert total(payload, "steps") == 50
    dape, vae, text = 470_926_449, 83_653_863, 340_387_840
    assert total(payload, "params.published") == dape + vae + text + sum(params for params, _, _ in FACTS.values())
