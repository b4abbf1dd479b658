"""Counts of whole networks, cached: parameters and MACs by component, in two conventions.

``published`` is one convention for the whole column: every parameter that upstream's default run loads, each tensor
once; fvcore's totals of the whole pipeline (convolutions, linear layers, written-out products, norms, resizing) with
fused attention left out. ``honest`` is everything that runs: its parameters; its convolutions, linear layers and all
attention. ``readings`` has other ways to count. No torch here, so that a warm run does without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, source_hash, versions
from adcbench.core.own_code import calling, home
from adcbench.systems import find_system, system_names
from adcbench.systems.system import Builder, System

if TYPE_CHECKING:
    from adcbench.systems.components import Component, Network

Payload = dict[str, Any]

SIGNATURES = {
    "steps": "diffusion steps (with guidance, two passes each)",
    "params.published": "parameters of everything that is loaded, each tensor once",
    "params.honest": "parameters of the components that run, each tensor once",
    "macs.published": (
        "multiply-adds of {input}: convolutions, linear layers, written-out products, norms (5 an element), "
        "nearest resizing; fused attention left out, as by fvcore; of {running}"
    ),
    "macs.honest": "multiply-adds of {input}: convolutions, linear layers, all attention; of {running}",
}
PUBLISHED_KINDS = ("conv", "linear", "matmul", "norm", "resize")
HONEST_KINDS = ("conv", "linear", "matmul", "attention")
_TOLERANCE = 0.01  # between the two counters; they agree exactly where nothing is overlooked


def count(name: str) -> Payload:
    """Count a system on the meta device, by torch's counter and by the closed form.

    Args:
        name: see ``systems.find_system``.

    Returns:
        JSON-able: ``network`` (the name), ``signatures`` by quantity, ``sources`` (hash of the code that defines and
        counts it), ``libraries`` (versions), ``components``, each with ``params`` (without tensors that an
        earlier component holds), ``params_tied`` (again in every part that holds them), ``params_lora``,
        ``macs`` and ``closed_form`` by kind for one image or clip, ``runs``, ``times``, ``steps``, ``varies``.

    Raises:
        AdcbenchError: unknown system, one without components, or the two counters differ by more than 1 %.
    """
    from adcbench.cost.params import unique_counts

    built = build(name)
    unique = unique_counts(built.components)
    own = not _module(_builder(find_system(name))).startswith("adcbench.")
    counted = [_count_part(name, part, unique[part.name], own) for part in built.components]
    return {
        "network": name,
        "signatures": _signatures(built.input, counted),
        **_made_by(find_system(name)),
        "components": counted,
    }


def _count_part(name: str, part: Component, params: int, own: bool) -> Payload:
    from adcbench.cost.closed_form import closed_form_macs
    from adcbench.cost.macs import KINDS, count_macs
    from adcbench.cost.params import lora_count, tied_count

    macs = by_hand = dict.fromkeys(KINDS, 0)
    if part.call is not None:
        with calling(f"{name} / {part.name}: its call fails with") if own else nullcontext():
            macs, by_hand = count_macs(part.call, part.inputs), closed_form_macs(part.call, part.inputs, part.formulas)
        _cross_check(f"{name} / {part.name}", macs, by_hand)
    return {
        "name": part.name,
        "params": params,
        "params_tied": tied_count(part.parts),
        "params_lora": lora_count(part.parts),
        "macs": {kind: part.times * value for kind, value in macs.items()},
        "closed_form": {kind: part.times * value for kind, value in by_hand.items()},
        "runs": part.call is not None,
        "times": part.times,
        "steps": part.steps,
        "varies": part.varies,
    }


def build(name: str) -> Network:
    """A system's components, on the meta device.

    Raises:
        AdcbenchError: unknown system, or one without components; the message lists those that have some.
    """
    from adcbench.systems.components import Network

    system = find_system(name)
    builder = _builder(system)
    if _module(builder).startswith("adcbench."):
        return _made(builder)(system.config)
    with calling(f"system {name!r}: its components fail with"):
        built = _made(builder)(system.config)
    if not isinstance(built, Network):
        raise AdcbenchError(f"system {name!r}: its components are a {type(built).__name__}, not a Network")
    if wrong := _wrong_components(built):
        raise AdcbenchError(f"system {name!r}: {wrong}")
    return built


def _wrong_components(built: Network) -> str:
    """What can't be counted of a user's components; empty where all can."""
    from adcbench.systems.components import Component

    if stranger := next((one for one in built.components if not isinstance(one, Component)), None):
        return f"{stranger!r:.80} among its components is no Component"
    names = [one.name for one in built.components]
    twice = next((one for one in names if names.count(one) > 1), None)
    return "" if twice is None else f"two of its components are called {twice!r}; give each a name of its own"


def cached_count(name: str) -> Payload:
    """``count`` through the store; where it is known, torch is not imported.

    Raises:
        AdcbenchError: as ``count``.
    """
    key = count_key(name)
    known = store.get([key])
    if key not in known:
        known = {key: count(name)}
        store.put("count", known)
    payload: Payload = known[key]
    return payload


def count_key(name: str) -> str:
    """The cache key of a count: the system and its settings, the code that defines and counts it, torch's version."""
    system = find_system(name)
    return digest("count", name, system.settings(), _made_by(system))


def counted_modules(system: System) -> tuple[str, ...]:
    """The modules that a system's components come from: its builder's; of a user's system also its own.

    Raises:
        AdcbenchError: it has no components; the message lists those that have some.
    """
    module = _module(_builder(system))
    return (module,) if module.startswith("adcbench.") else (module, *system.modules)


def _builder(system: System) -> Builder:
    if system.components is None:
        can = ", ".join(name for name in system_names() if find_system(name).components)
        raise AdcbenchError(
            f"{system.name} has no components to count. Those that have: {can}; and AdcSR's ablations. One of your own "
            "is counted once its System names components (docs/own_system.md)"
        )
    return system.components


def _module(builder: Builder) -> str:
    return builder.partition(":")[0] if isinstance(builder, str) else home(builder)


def _made(builder: Builder) -> Callable[[Any], Network]:
    if not isinstance(builder, str):
        return builder
    module, _, function = builder.partition(":")
    made: Callable[[Any], Network] = getattr(importlib.import_module(module), function)
    return made


def _made_by(system: System) -> dict[str, Any]:
    modules = (*counted_modules(system), __name__, *_COUNTERS)
    return {"sources": source_hash(*modules), "libraries": versions("torch")}


def _signatures(what: str, components: list[Payload]) -> dict[str, str]:
    running = [part for part in components if part["runs"]]
    words = {
        "input": what,
        "running": " + ".join(part["name"] for part in running)
        + "".join(f"; without the {part['name']}: {part['varies']}" for part in components if part["varies"]),
    }
    return {name: text.format(**words) for name, text in SIGNATURES.items()}


_COUNTERS = ("adcbench.cost.macs", "adcbench.cost.closed_form", "adcbench.cost.params")


def quantity(payload: Payload, name: str) -> tuple[tuple[str, int], ...]:
    """A count by component, in units (steps, parameters, multiply-adds); the sum is the network's.

    Args:
        name: one of ``SIGNATURES``, such as ``params.published`` or ``macs.honest``.

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


def macs_of(part: Mapping[str, Any], kinds: tuple[str, ...]) -> int:
    """Multiply-adds of a counted component that are of these kinds (``macs.KINDS``)."""
    return sum(part["macs"][kind] for kind in kinds)


def _cross_check(what: str, macs: Mapping[str, int], by_hand: Mapping[str, int]) -> None:
    one, other = sum(macs.values()), sum(by_hand.values())
    if abs(one - other) > _TOLERANCE * max(one, other):
        raise AdcbenchError(
            f"{what}: torch counts {one:,} MACs, the closed form {other:,}. One overlooks an operator: "
            f"compare by kind, {dict(macs)} and {dict(by_hand)}"
        )


_Value = Callable[[Payload], int]
_QUANTITIES: dict[str, tuple[Callable[[Payload], bool], _Value]] = {
    "steps": (lambda part: part["steps"] > 0, lambda part: part["steps"]),
    "params.published": (lambda part: True, lambda part: part["params"]),
    "params.honest": (lambda part: part["runs"] or part["varies"], lambda part: part["params"]),
    "macs.published": (
        lambda part: part["runs"],
        lambda part: macs_of(part, PUBLISHED_KINDS),
    ),
    "macs.honest": (lambda part: part["runs"], lambda part: macs_of(part, HONEST_KINDS)),
}
