"""When to stop a training run that has gone wrong."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Any

from adcbench.core.errors import AdcbenchError

_REMEMBERED = 100
_SMALL = 0.1  # a median below this is taken for this: a loss near zero may well jump a hundredfold
_PATIENCE = 20  # fp16: steps in a row whose gradients overflow while the loss scale falls from 2^16 to 1 and beyond
_REMEDY = (
    "the same settings would come to the same: lower the learning rate, set clip_norm, or train in float32, "
    "in another folder"
)


class Diverged(AdcbenchError):
    """A loss or a gradient is not finite, or exploded."""


class DivergenceWatch:
    """Watches losses and gradients of a run; what it remembers is part of a checkpoint."""

    def __init__(self, explode: float, skips: bool) -> None:
        """``explode``: see ``LoopConfig``. ``skips``: whether a step may overflow (fp16)."""
        self._explode, self._skips = explode, skips
        self._recent: dict[str, deque[float]] = {}
        self._overflows = 0

    def state(self) -> dict[str, Any]:
        """For ``restore``; JSON."""
        return {"recent": {name: list(values) for name, values in self._recent.items()}, "overflows": self._overflows}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what another watch did."""
        self._recent = {name: deque(values, _REMEMBERED) for name, values in state["recent"].items()}
        self._overflows = state["overflows"]

    def gradients(self, step: int, norms: Mapping[str, float]) -> None:
        """Look at the gradients' norms (unscaled) before they are used.

        Raises:
            Diverged: not finite (fp16: too many steps in a row).
        """
        broken = [name for name, norm in norms.items() if not math.isfinite(norm)]
        self._overflows = self._overflows + 1 if broken else 0
        if broken and (not self._skips or self._overflows >= _PATIENCE):
            often = f" for {self._overflows} steps in a row" if self._skips else ""
            raise Diverged(f"step {step}: the gradient of {' and '.join(broken)} is not finite{often}; {_REMEDY}")

    def losses(self, step: int, values: Mapping[str, float], watched: tuple[str, ...]) -> None:
        """Look at a step's losses before its update.

        Args:
            values: all losses and their parts.
            watched: which of them may not explode.

        Raises:
            Diverged: one is not finite (in fp16 its gradient says so), or has exploded.
        """
        broken = {name: value for name, value in values.items() if not math.isfinite(value)}
        if broken and not self._skips:
            shown = ", ".join(f"{name} is {value}" for name, value in broken.items())
            raise Diverged(f"step {step}: a loss is not finite ({shown}); {_REMEDY}")
        for name in (name for name in watched if name in values):  # some losses start later
            recent = self._recent.setdefault(name, deque(maxlen=_REMEMBERED))
            usual = max(median(map(abs, recent)), _SMALL) if len(recent) == _REMEMBERED else math.inf
            if math.isfinite(values[name]):
                if values[name] > self._explode * usual:
                    raise Diverged(
                        f"step {step}: the loss {name} exploded: {values[name]:.4g}, where the median of the last "
                        f"{_REMEMBERED} is {median(recent):.4g}; {_REMEDY}"
                    )
                recent.append(values[name])
