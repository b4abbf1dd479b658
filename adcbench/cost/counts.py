"""Counts of whole networks, cached: parameters and MACs by component, in two conventions.

``published`` is what the papers' columns hold, fixed before looking at any cell: every parameter that is
loaded, each tensor once; fvcore's totals of the whole pipeline (convolutions, linear layers, written-out
products, norms, resizing) with fused attention left out. ``honest`` is everything that runs: its parameters;
its convolutions, linear layers and all attention. No torch here, so that a warm run does without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, source_hash, versions

Payload = dict[str, Any]

NETWORKS = {
    "adcsr": "adcbench.cost.adcsr_networks:student",
    "adcsr-vae-encoder-kept": "adcbench.cost.adcsr_networks:vae_encoder_kept",
    "adcsr-latent-link": "adcbench.cost.adcsr_networks:latent_link",
    "adcvsr": "adcbench.cost.adcsr_networks:video_student",
    "osediff": "adcbench.cost.osediff_networks:teacher",
}
PUBLISHED_KINDS = ("conv", "linear", "matmul", "norm", "resize")
HONEST_KINDS = ("conv", "linear", "matmul", "attention")
_TOLERANCE = 0.01  # between the two counters; they agree exactly where nothing is overlooked


class Other(NamedTuple):
    """Another way to count a quantity, listed after the fact; ``tried`` ways were tried in all."""

    quantity: str
    name: str
    value: int
    tried: int


def count(network: str) -> Payload:
    """Count a network on the meta device, by torch's counter and by the closed form.

    Returns:
        JSON-able: the network's name and its ``components``, each with ``params`` (tensors that an earlier
        component holds left out), ``params_tied`` (again in every part that holds them), ``params_lora``,
        ``macs`` and ``closed_form`` (by kind, for one image or clip), ``runs``, ``times``, ``published``.

    Raises:
        AdcbenchError: unknown network, or the two counters differ by more than 1 %.
    """
    from adcbench.cost.closed_form import closed_form_macs
    from adcbench.cost.macs import KINDS, count_macs
    from adcbench.cost.params import lora_count, tied_count, unique_counts

    components = build(network)
    params = unique_counts(components)
    counted = []
    for part in components:
        nothing = dict.fromkeys(KINDS, 0)
        counters = (count_macs, closed_form_macs)
        macs, by_hand = ((c(part.call, part.inputs) if part.call else nothing) for c in counters)
        _cross_check(f"{network} / {part.name}", macs, by_hand)
        counted.append(
            {
                "name": part.name,
                "params": params[part.name],
                "params_tied": tied_count(part.parts),
                "params_lora": lora_count(part.parts),
                "macs": {kind: part.times * value for kind, value in macs.items()},
                "closed_form": {kind: part.times * value for kind, value in by_hand.items()},
                "runs": part.call is not None,
                "times": part.times,
                "published": part.published,
            }
        )
    return {"network": network, "components": counted}


def build(network: str) -> list[Any]:
    """The components of a network, on the meta device.

    Raises:
        AdcbenchError: unknown network; the message lists those there are.
    """
    module, _, function = _target(network).partition(":")
    components: list[Any] = getattr(importlib.import_module(module), function)()
    return components


def cached_count(network: str) -> Payload:
    """``count`` through the store; where it is known, torch is not imported.

    Raises:
        AdcbenchError: as ``count``, or the store can't be used.
    """
    key = count_key(network)
    known = store.get([key])
    if key not in known:
        known = {key: count(network)}
        store.put("count", known)
    payload: Payload = known[key]
    return payload


def count_key(network: str) -> str:
    """The cache key of a count: the network, the code that defines and counts it, torch's version."""
    module = _target(network).partition(":")[0]
    return digest("count", network, source_hash(module, __name__, *_COUNTERS), versions("torch"))


_COUNTERS = ("adcbench.cost.macs", "adcbench.cost.closed_form", "adcbench.cost.params")


def quantity(payload: Payload, name: str) -> tuple[tuple[str, int], ...]:
    """A count by component, in units (parameters, or multiply-adds); the sum is the network's.

    Args:
        name: ``params.published``, ``params.honest``, ``macs.published`` or ``macs.honest``.

    Raises:
        AdcbenchError: another name.
    """
    if name not in _QUANTITIES:
        raise AdcbenchError(f"unknown quantity {name!r}. Quantities: {', '.join(_QUANTITIES)}")
    included, value = _QUANTITIES[name]
    return tuple((part["name"], value(part)) for part in payload["components"] if included(part))


def total(payload: Payload, name: str) -> int:
    """The sum of ``quantity``."""
    return sum(value for _, value in quantity(payload, name))


def readings(payload: Payload) -> tuple[Other, ...]:
    """Other ways to count the same network. Post hoc: they were listed knowing the printed figures."""
    ways = {
        "params": {
            "loaded, each tensor once": lambda p: p["params"],
            "loaded, each tensor once, without LoRA": lambda p: p["params"] - p["params_lora"],
            "loaded, tied tensors counted twice": lambda p: p["params_tied"],
            "loaded, tied tensors counted twice, without LoRA": lambda p: p["params_tied"] - p["params_lora"],
            "only what runs": lambda p: p["params"] if p["runs"] else 0,
        },
        "macs": {
            "published parts, fvcore's kinds": lambda p: _macs(p, PUBLISHED_KINDS, p["published"]),
            "published parts, without norms and resizing": lambda p: _macs(
                p, HONEST_KINDS[:3], p["published"]
            ),
            "published parts, attention counted": lambda p: _macs(p, HONEST_KINDS, p["published"]),
            "all parts that run, attention left out": lambda p: _macs(p, HONEST_KINDS[:3], True),
            "all parts that run, attention counted": lambda p: _macs(p, HONEST_KINDS, True),
        },
    }
    return tuple(
        Other(quantity_, name, sum(map(way, payload["components"])), len(named))
        for quantity_, named in ways.items()
        for name, way in named.items()
    )


def _target(network: str) -> str:
    if network not in NETWORKS:
        raise AdcbenchError(f"unknown network {network!r}. Networks: {', '.join(NETWORKS)}")
    return NETWORKS[network]


def _macs(part: Mapping[str, Any], kinds: tuple[str, ...], included: bool) -> int:
    return sum(part["macs"][kind] for kind in kinds) if included else 0


def _cross_check(what: str, macs: Mapping[str, int], by_hand: Mapping[str, int]) -> None:
    one, other = sum(macs.values()), sum(by_hand.values())
    if abs(one - other) > _TOLERANCE * max(one, other):
        raise AdcbenchError(
            f"{what}: torch counts {one:,} MACs, the closed form {other:,}. One overlooks an operator: "
            f"compare by kind, {dict(macs)} and {dict(by_hand)}"
        )


_QUANTITIES: dict[str, tuple[Callable[[Any], bool], Callable[[Any], int]]] = {
    "params.published": (lambda part: True, lambda part: part["params"]),
    "params.honest": (lambda part: part["runs"], lambda part: part["params"]),
    "macs.published": (
        lambda part: part["published"] and part["runs"],
        lambda part: _macs(part, PUBLISHED_KINDS, True),
    ),
    "macs.honest": (lambda part: part["runs"], lambda part: _macs(part, HONEST_KINDS, True)),
}
