"""ResShift and SinSR counted on the meta device against independent counts of the official code. 10 s."""

from __future__ import annotations

from typing import Any

import pytest
from paper_readings import paper_readings

from adcbench.cost.counts import HONEST_KINDS, PUBLISHED_KINDS, count, total

# GMACs of one run by kind: of the official classes, by torch's flop counter and fvcore
FACTS = {
    "vq_encoder": {"conv": 621.7554, "matmul": 274.8779, "norm": 1.3631},
    "unet": {"conv": 187.5394, "linear": 12.9214, "matmul": 2.1517, "norm": 0.4794, "resize": 0.0072},
    "vq_decoder": {"conv": 1272.4429, "matmul": 275.2806, "norm": 2.3908, "resize": 0.1007},
}
SUMS = {"vq_encoder": (896.633, 897.996), "unet": (202.613, 203.099), "vq_decoder": (1547.723, 1550.215)}
UNET, AUTOENCODER = 118_593_583, 55_322_782
ROUNDED = 1e-4


@pytest.fixture(scope="module")
def payloads() -> dict[str, Any]:
    return {network: count(network) for network in ("resshift", "sinsr")}


@pytest.mark.parametrize(("network", "steps"), [("resshift", 15), ("sinsr", 1)])
def test_components_equal_independent_counts(payloads: dict[str, Any], network: str, steps: int) -> None:
    components = {part["name"]: part for part in payloads[network]["components"]}
    assert set(components) == set(FACTS)
    for name, part in components.items():
        times = steps if name == "unet" else 1
        assert (part["times"], part["steps"]) == (times, steps if name == "unet" else 0)
        assert part["macs"] == part["closed_form"], name
        once = {kind: macs / times / 1e9 for kind, macs in part["macs"].items()}
        for kind, macs in once.items():
            assert macs == pytest.approx(FACTS[name].get(kind, 0), abs=ROUNDED), (name, kind)
        for kinds, fact in zip((HONEST_KINDS, PUBLISHED_KINDS), SUMS[name], strict=True):
            assert sum(once[kind] for kind in kinds) == pytest.approx(fact, abs=6e-4), name
    assert components["unet"]["params"] == UNET
    assert sum(components[name]["params"] for name in ("vq_encoder", "vq_decoder")) == AUTOENCODER


@pytest.mark.parametrize(("network", "ours", "printed"), [("resshift", 5494.70, 5491), ("sinsr", 2651.31, 2649)])
def test_printed_figures(payloads: dict[str, Any], network: str, ours: float, printed: float) -> None:
    payload = payloads[network]
    macs = total(payload, "macs.published") / 1e9
    assert macs == pytest.approx(ours, abs=0.005) and macs == pytest.approx(printed, rel=0.001)
    params = paper_readings(payload)["params.published"]
    assert [(one["ways"], one["value"]) for one in params["different"]] == [
        (["the U-Net alone"], UNET)
    ]  # printed: 119 M
    assert (params["tried"], len(params["as counted"])) == (5, 4)
    assert total(payload, "params.published") == UNET + AUTOENCODER
