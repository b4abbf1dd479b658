"""S3Diff counted on the meta device against independent counts of the official code. 10 s."""

from __future__ import annotations

from typing import Any

import pytest

from adcbench.cost import counts
from adcbench.cost.counts import count, total

# component -> parameters; GMACs of one run by fvcore (its pooling is not counted here), and by torch's counter
FACTS = {
    "degradation_network": (2_351_362, 19.988, 19.988),
    "lora_matrices": (551_872, 0.004, 0.004),
    "text_encoder": (340_387_840, None, None),
    "vae_encoder": (35_640_832, 585.469, 601.433),
    "unet": (898_345_028, 363.846, 426.469),
    "vae_decoder": (49_490_199, None, None),
}


@pytest.fixture(scope="module")
def payload() -> dict[str, Any]:
    return count("s3diff")


def test_components_equal_independent_counts(payload: dict[str, Any]) -> None:
    parts = {part["name"]: part for part in payload["components"]}
    assert {name: part["params"] for name, part in parts.items()} == {name: fact[0] for name, fact in FACTS.items()}
    for name, (_, *facts) in FACTS.items():
        for fact, kinds in zip(facts, (counts.PUBLISHED_KINDS, counts.HONEST_KINDS), strict=True):
            ours = sum(parts[name]["macs"][kind] for kind in kinds) / parts[name]["times"] / 1e9
            assert fact is None or ours == pytest.approx(fact, abs=6e-4), (name, kinds)
    assert (parts["unet"]["times"], parts["unet"]["steps"], parts["text_encoder"]["times"]) == (2, 1, 2)
    assert parts["unet"]["macs"]["matmul"] / 2e9 == pytest.approx(0.3635, abs=1e-4)  # the LoRA's matrices


def test_both_counters_agree_exactly(payload: dict[str, Any]) -> None:
    for part in payload["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


def test_totals(payload: dict[str, Any]) -> None:
    """Printed: 1327 M; 2621 G by one reading of the paper, 2627 G by another."""
    assert total(payload, "params.published") == 1_326_767_133
    assert total(payload, "macs.published") / 1e9 == pytest.approx(2620.8, abs=0.1)
    assert total(payload, "macs.honest") / 1e9 == pytest.approx(2776.7, abs=0.1)
    assert total(payload, "steps") == 1
