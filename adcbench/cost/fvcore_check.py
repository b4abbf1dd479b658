"""The published convention checked with the tool that made it: fvcore on CPU, one process per component.

A step of its own (minutes, and gigabytes for the U-Net), never part of a count: fvcore needs a trace with
real tensors, since tracing on the meta device fails inside torch's shape checks. It counts convolutions,
linear layers, matrix products, norms and nearest resizing, and says of fused attention only that it is
unsupported.

    python -m adcbench.cost.fvcore_check NETWORK COMPONENT    prints one component's counts as JSON
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

from tqdm import tqdm

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, source_hash, versions
from adcbench.cost.counts import PUBLISHED_KINDS, Payload, build, cached_count, counted_modules
from adcbench.systems import find_system

TOLERANCE = 0.01
# Its work is matrix products that fvcore does not know; everything else it skips is element-wise.
_FUSED_ATTENTION = "aten::scaled_dot_product_attention"


def check(network: str) -> list[Payload]:
    """Compare our published-convention count with fvcore's, for every component that runs.

    Returns:
        per component: its name, ``ours`` and ``fvcore`` in MACs, their relative ``difference``, fvcore's
        ``by_operator`` and ``unsupported`` operators with their number of calls, ``fused_attention`` (calls
        that fvcore skips), and ``explanation`` (empty where both agree within 1 %).

    Raises:
        AdcbenchError: unknown network, or fvcore's process failed.
    """
    parts = [part for part in cached_count(network)["components"] if part["runs"]]
    bar = tqdm(parts, desc=f"fvcore on {network}", unit="component", delay=2)
    return [compare(part, cached_fvcore(network, part["name"])) for part in bar]


def compare(part: Payload, fvcore: Payload) -> Payload:
    """One line of ``check`` from a component of ``counts.count`` and a result of ``fvcore_macs``."""
    ours = sum(part["macs"][kind] for kind in PUBLISHED_KINDS)
    theirs = part["times"] * sum(fvcore["by_operator"].values())
    difference = abs(ours - theirs) / max(ours, theirs, 1)
    unsupported = ", ".join(f"{name} x{calls}" for name, calls in fvcore["unsupported"].items())
    return {
        "component": part["name"],
        "ours": ours,
        "fvcore": theirs,
        "difference": difference,
        "fused_attention": fvcore["unsupported"].get(_FUSED_ATTENTION, 0),
        "explanation": "" if difference <= TOLERANCE else f"fvcore does not know {unsupported}",
        **fvcore,
    }


def cached_fvcore(network: str, component: str) -> Payload:
    """``fvcore_macs`` through the store, in a process of its own.

    Raises:
        AdcbenchError: the process failed; its last line of output says why.
    """
    sources = source_hash(*counted_modules(find_system(network)))
    key = digest("fvcore", network, component, sources, versions("fvcore", "torch"))
    known: dict[str, Any] = store.get([key])
    if key not in known:
        command = [sys.executable, "-m", "adcbench.cost.fvcore_check", network, component]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["killed, perhaps out of memory"])[-1]
            raise AdcbenchError(f"fvcore on {network} / {component} failed: {reason}")
        known = {key: json.loads(done.stdout)}
        store.put("fvcore", known)
    counted: Payload = known[key]
    return counted


def fvcore_macs(network: str, component: str) -> Payload:
    """Run fvcore here: MACs ``by_operator`` and the ``unsupported`` operators with their number of calls.

    Weights and inputs are whatever memory holds, or zero: only shapes matter.

    Raises:
        AdcbenchError: no such network, or no such component that runs.
    """
    parts = {part.name: part for part in build(network).components if part.call is not None}
    if component not in parts:
        raise AdcbenchError(f"{network} has no component {component!r} that runs. There are {', '.join(parts)}")
    return trace(parts[component].call, parts[component].inputs)


def trace(module: Any, inputs: Any) -> Payload:
    """fvcore's count of ``module(*inputs)``, moved here from the meta device."""
    import torch
    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    module = module.to_empty(device="cpu").eval()
    for buffer in module.buffers():
        buffer.zero_()  # some are indices
    for part in module.modules():  # tensors that are neither parameters nor buffers, such as S3Diff's matrices
        for name, value in list(vars(part).items()):
            if isinstance(value, torch.Tensor):
                setattr(part, name, torch.zeros_like(value, device="cpu"))
    with torch.no_grad():
        analysis = FlopCountAnalysis(module, tuple(torch.zeros_like(x, device="cpu") for x in inputs))
        analysis.uncalled_modules_warnings(False)
        by_operator = {name: int(value) for name, value in analysis.by_operator().items()}
        return {"by_operator": by_operator, "unsupported": dict(analysis.unsupported_ops())}


if __name__ == "__main__":
    print(json.dumps(fvcore_macs(*sys.argv[1:3])))
