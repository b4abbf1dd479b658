"""AdcSR and OSEDiff counted on the meta device against independent counts of the official code. 25 s, 1 GB."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from paper_readings import paper_readings

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.cost import counts
from adcbench.cost.counts import cached_count, count, count_key, quantity, total
from adcbench.systems.adcsr import variants
from adcbench.systems.layers import sd_components as sd_parts

GOLDEN = Path(__file__).parents[1] / "golden" / "cost"
FACTS: dict[str, Any] = json.loads((GOLDEN / "counts.json").read_text())
FVCORE: dict[str, Any] = json.loads((GOLDEN / "fvcore.json").read_text())
KINDS = {"torch": counts.HONEST_KINDS, "fvcore": counts.PUBLISHED_KINDS}
KEPT = ("cross-attention", "time-embedding", "text", "prompt-extractor")
ROUNDED = 2.1e-4  # G: the facts are rounded to 4 digits, sometimes twice


counted = cache(count)


def different(payload: dict[str, Any], quantity: str) -> dict[str, int]:
    """Value of each other way to count that was tried and differs from the count."""
    return {way: one["value"] for one in paper_readings(payload)[quantity]["different"] for way in one["ways"]}


@pytest.fixture(scope="module")
def payloads() -> dict[str, Any]:
    return {network: count(network) for network in ("adcsr", "osediff")}


def check(payload: dict[str, Any]) -> None:
    """Every component that the facts have: its parameters, and its MACs by kind for both counters."""
    parts = {part["name"]: part for part in payload["components"]}
    for name, facts in FACTS["networks"][payload["network"]].items():
        assert parts[name]["params"] == facts["params"], name
        for counter, kinds in KINDS.items():
            for kind in kinds:
                ours = parts[name]["macs"][kind] / 1e9
                assert ours == pytest.approx(facts[counter].get(kind, 0), abs=ROUNDED), (name, counter, kind)


@pytest.mark.parametrize("network", ["adcsr", "osediff"])
def test_components_equal_independent_counts(payloads: dict[str, Any], network: str) -> None:
    check(payloads[network])


@pytest.mark.parametrize("network", ["adcsr", "osediff"])
def test_both_counters_agree_exactly(payloads: dict[str, Any], network: str) -> None:
    for part in payloads[network]["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


@pytest.mark.parametrize("network", ["adcsr", "osediff"])
def test_fvcore_agrees_exactly_but_for_attention(payloads: dict[str, Any], network: str) -> None:
    parts = {part["name"]: part for part in payloads[network]["components"]}
    checked = {line["component"]: line for line in FVCORE[network]}
    assert set(checked) == {name for name, part in parts.items() if part["runs"]}
    for name, line in checked.items():
        macs = parts[name]["macs"]
        assert sum(macs[kind] for kind in counts.PUBLISHED_KINDS) == line["fvcore"], name
        assert bool(macs["attention"]) == bool(line["fused_attention"]), name


@pytest.mark.parametrize(
    ("network", "row", "params", "published", "honest"),
    [("adcsr", "AdcSR", 456_073_683, 496.434, 549.498), ("osediff", "OSEDiff", 1_765_303_944, 2323.03, 2416.14)],
)
def test_totals(payloads: dict[str, Any], network: str, row: str, params: int, published: float, honest: float) -> None:
    payload, facts = payloads[network], FACTS["published"][row]
    assert total(payload, "params.published") == params
    assert total(payload, "macs.published") / 1e9 == pytest.approx(published, abs=0.005)
    assert total(payload, "macs.honest") / 1e9 == pytest.approx(honest, abs=0.005)
    assert total(payload, "params.published") / 1e6 == pytest.approx(facts["reproduced_params_M"], rel=0.002)
    printed = different(payload, "macs.published").get("without the tagging head", total(payload, "macs.published"))
    assert printed / 1e9 == pytest.approx(facts["reproduced_MACs_G"], rel=2e-5)
    assert total(payload, "steps") == 1
    assert set(payload["signatures"]) == {"steps", "params.published", "params.honest", "macs.published", "macs.honest"}


def test_prompt_extractor(payloads: dict[str, Any]) -> None:
    parts = {part["name"]: part for part in payloads["osediff"]["components"] if part["name"].startswith("dape")}
    facts = FACTS["dape"]
    assert sum(part["params"] for part in parts.values()) == facts["params_total_unique"]
    tied = facts["params_sum_of_children (tied tagging-head weights counted twice)"]
    assert sum(part["params_tied"] for part in parts.values()) == tied
    macs = sum(part["macs"][kind] for part in parts.values() for kind in counts.HONEST_KINDS)
    assert macs / 1e9 == pytest.approx(facts["generate_tag"]["torch_flop_counter"], abs=6e-4)
    assert not parts["dape_never_run"]["runs"]


def test_other_readings_of_osediff(payloads: dict[str, Any]) -> None:
    payload = payloads["osediff"]
    params = {name: round(value / 1e6, 2) for name, value in different(payload, "params.published").items()}
    assert params["loaded, tied tensors counted twice"] == 1778.69
    assert params["loaded, tied tensors counted twice, without LoRA"] == 1774.27
    assert {name: found["tried"] for name, found in paper_readings(payload).items()} == {
        "params.published": 4,
        "macs.published": 5,
    }
    attended = different(payload, "macs.published")["without the tagging head, attention counted"]
    assert attended / 1e9 == pytest.approx(2358.0, abs=0.05)


@pytest.mark.parametrize(
    ("variant", "params", "macs"),
    [  # derived by hand (facts, section 6): parameters in M, multiply-adds in G without attention products and norms
        ("vae-encoder", 490.22, 1036),  # 490.24 with AdcSR's conv_in, which takes 12 channels, not 4
        ("latent-link", 455.54, 493),
        ("unet-100", 800.78, 638),
        ("unet-50", 209.77, 393),
        ("decoder-100", 493.72, 1427),  # 493.2 and 1425 with a conv_out of 256 channels, but this decoder takes 512
    ],
)
def test_variants_count_as_derived_by_hand(variant: str, params: float, macs: float) -> None:
    payload = counted(f"adcsr-{variant}")
    assert total(payload, "params.published") / 1e6 == pytest.approx(params, abs=0.005)
    products = sum(part["macs"][kind] for part in payload["components"] for kind in ("conv", "linear"))
    assert products / 1e9 == pytest.approx(macs, abs=0.5)


def test_what_the_kept_modules_add(payloads: dict[str, Any]) -> None:
    base = total(payloads["adcsr"], "params.published")
    more = {name: total(counted(f"adcsr-{name}"), "params.published") - base for name in KEPT}
    widths = [240] * 5 + [480] * 5 + [960] * 6  # of the 16 transformers
    assert more["cross-attention"] == sum(2 * w * w + 2 * 1024 * w + w + 2 * w for w in widths)
    resnets = [240] * 5 + [480] * 5 + [960] * 12  # output widths of the 22 residual blocks
    assert more["time-embedding"] == sum(961 * w for w in resnets) + 241 * 960 + 961 * 960
    assert more["text"] - more["cross-attention"] == 340_387_840
    extractor = sum(p["params"] for p in payloads["osediff"]["components"] if p["name"].startswith("dape"))
    assert more["prompt-extractor"] - more["text"] == extractor


@pytest.mark.parametrize("variant", sorted(variants()))
def test_both_counters_agree_on_every_variant(variant: str) -> None:
    for part in counted(f"adcsr-{variant}")["components"]:
        assert part["macs"] == part["closed_form"], part["name"]


def test_adcvsr() -> None:
    payload = counted("adcvsr")
    assert total(payload, "params.published") == 572_935_443
    assert total(payload, "macs.honest") == 14_869_902_131_200  # 25 frames
    assert "25 frames" in payload["signatures"]["macs.published"]


@pytest.mark.parametrize("kind", ["conv", "linear", "attention", "norm"])
@pytest.mark.parametrize("factor", [0, 2])
def test_a_doubled_or_dropped_kind_is_caught(payloads: dict[str, Any], kind: str, factor: int) -> None:
    wrong = copy.deepcopy(payloads["adcsr"])
    wrong["components"][0]["macs"][kind] *= factor
    with pytest.raises(AssertionError):
        check(wrong)


def test_a_component_counted_twice_is_caught(payloads: dict[str, Any]) -> None:
    wrong = copy.deepcopy(payloads["adcsr"])
    wrong["components"][1]["params"] *= 2
    with pytest.raises(AssertionError):
        check(wrong)


def test_attention_dropped_by_one_counter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from adcbench.systems.layers.blocks import SelfAttention

    monkeypatch.delitem(sd_parts.FORMULAS, SelfAttention)
    with pytest.raises(AdcbenchError, match=r"adcsr / unet: torch counts 230.* closed form 185"):
        count("adcsr")


def test_a_known_count_needs_no_torch(payloads: dict[str, Any]) -> None:
    store.put("count", {count_key("osediff"): payloads["osediff"]})
    code = (
        "import sys; from adcbench.cost.counts import cached_count, quantity; "
        "print(len(quantity(cached_count('osediff'), 'params.published')), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7", "False"]


def test_counts_are_kept_by_code_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(network: str) -> dict[str, Any]:
        calls.append(network)
        return {"network": network, "components": []}

    monkeypatch.setattr(counts, "count", counted)
    assert cached_count("adcsr") == cached_count("adcsr")
    assert len(calls) == 1
    monkeypatch.setattr(counts, "versions", lambda *names: {"torch": "another"})
    cached_count("adcsr")
    assert len(calls) == 2


def test_unknown_names(payloads: dict[str, Any]) -> None:
    with pytest.raises(AdcbenchError, match=r"unknown system 'x'. Built in: adcsr, "):
        count("x")
    with pytest.raises(
        AdcbenchError, match=r"bicubic has no components to count. Those that have: adcsr, .*sinsr.*own_system"
    ):
        count("bicubic")
    with pytest.raises(AdcbenchError, match=r"unknown quantity 'params'. Quantities: steps, params.published"):
        quantity(payloads["adcsr"], "params")
