"""Other ways to count a network: those of every network, and what a table's ``Count`` job lists. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adcbench.core.errors import AdcbenchError
from adcbench.cost.counts import HONEST_KINDS, PUBLISHED_KINDS, Payload, macs_of, total


@dataclass(frozen=True)
class Reading:
    """Another way to count a network that was tried to reach a printed figure. Post hoc: found by looking at it.

    Every way that was tried is listed, those too that come nowhere near.

    Args:
        quantity: the published quantity it competes with.
        name: what it counts, in words.
        of: component -> how often it is counted; those not named are left out.
        kinds: which kinds of work count (``macs.KINDS``); empty: those of the published convention.
        tied: parameters only: a tensor counts again in each part that holds it.
        extra: parameters (or multiply-adds) of what is no component.
        attended: multiply-adds only: components whose fused attention counts too.
        supposes: a run that upstream's default is not, and that no source states: such a reading is no demonstration.
    """

    quantity: Literal["params.published", "macs.published"]
    name: str
    of: Mapping[str, int]
    kinds: tuple[str, ...] = ()
    tied: bool = False
    extra: int = 0
    attended: tuple[str, ...] = ()
    supposes: str = ""


def readings(payload: Payload, own: Sequence[Reading] = ()) -> dict[str, Payload]:
    """Other ways to count the same network, by the published quantity they compete with: all that were tried.

    Post hoc: they were listed knowing the printed figures.

    Args:
        payload: of ``counts.count``.
        own: this network's own readings, besides those of every network.

    Returns:
        JSON-able, for each quantity: ``tried``, how many ways; ``as counted``, the names of those that give the count
        itself; ``different``, each other value once, in units, with the ``ways`` that give it and what it ``supposes``.
    """
    return {name: _tried(payload, name, own) for name in _WAYS}


def _tried(payload: Payload, name: str, own: Sequence[Reading]) -> Payload:
    tried = [(way, sum(map(value, payload["components"])), "") for way, value in _WAYS[name].items()]
    tried += [(one.name, _read(payload, one), one.supposes) for one in own if one.quantity == name]
    by_value: dict[int, dict[str, str]] = {}
    for way, value, supposes in tried:
        by_value.setdefault(value, {})[way] = supposes
    as_counted = by_value.pop(total(payload, name), {})
    return {
        "tried": len(tried),
        "as counted": list(as_counted),
        "different": [
            {"value": value, "ways": list(ways), "supposes": min(ways.values())}  # nothing, if one of them does without
            for value, ways in by_value.items()
        ],
    }


def _read(payload: Payload, reading: Reading) -> int:
    parts = {part["name"]: part for part in payload["components"]}
    if strange := set(reading.of) - set(parts):
        raise AdcbenchError(f"{payload['network']}: the reading {reading.name!r} names no component {strange}")
    if reading.quantity == "params.published":
        field = "params_tied" if reading.tied else "params"
        value: int = reading.extra + sum(times * parts[name][field] for name, times in reading.of.items())
        return value
    kinds = reading.kinds or PUBLISHED_KINDS
    counted = {name: (*kinds, "attention") if name in reading.attended else kinds for name in reading.of}
    return reading.extra + sum(  # type: ignore[no-any-return]
        times * macs_of(parts[name], counted[name]) // parts[name]["times"] for name, times in reading.of.items()
    )


_Value = Callable[[Payload], int]
_WITHOUT_EXTRAS = ("conv", "linear", "matmul")
_WAYS: dict[str, dict[str, _Value]] = {
    "params.published": {
        "loaded, each tensor once, without LoRA": lambda part: part["params"] - part["params_lora"],
        "loaded, tied tensors counted twice": lambda part: part["params_tied"],
        "loaded, tied tensors counted twice, without LoRA": lambda part: part["params_tied"] - part["params_lora"],
        "only what runs": lambda part: part["params"] if part["runs"] or part["varies"] else 0,
    },
    "macs.published": {
        "all that runs, no norms or resizing": lambda part: macs_of(part, _WITHOUT_EXTRAS),
        "all that runs, attention counted": lambda part: macs_of(part, HONEST_KINDS),
    },
}
