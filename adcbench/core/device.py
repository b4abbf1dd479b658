"""The devices that networks run on: which there are here, and one check of what a user asks for."""

from __future__ import annotations

import re

from adcbench.core.errors import AdcbenchError, Blocked


def check_device(device: str) -> None:
    """Refuse a device that is none, or not here; torch is looked at only where it is not the CPU.

    Raises:
        Blocked: a GPU that torch can't use on this machine; names those that it can.
        AdcbenchError: not a device that adcbench runs on.
    """
    if device == "cpu":
        return
    here = devices_here()
    if device in here:
        return
    usable = f"here are: {', '.join(here)}"
    if re.fullmatch(r"cuda(:[0-9]+)?", device, re.ASCII):
        what = "no CUDA device that torch can use" if here == ("cpu",) else "no such CUDA device"
        raise Blocked(f"--device {device}: {what}; {usable}")
    raise AdcbenchError(f"--device {device!r} is none that adcbench runs on; {usable}")


def devices_here() -> tuple[str, ...]:
    """``cpu``, and ``cuda``, ``cuda:0``, ... as far as torch can use them."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *["cuda"] * bool(count), *(f"cuda:{number}" for number in range(count)))
