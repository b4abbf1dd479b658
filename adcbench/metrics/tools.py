"""What metrics of clips need beside frames, and what all that has checkpoint files has in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from adcbench.core.weight_files import WeightFile, checked_files

if TYPE_CHECKING:
    from adcbench.metrics.metric import Metric


@dataclass(frozen=True)
class Runtime:
    """What tools are opened with, once a run.

    Args:
        device: where networks run.
        deterministic: deterministic weights instead of files.
        score: gives a batch of SR and HR to an image metric that is a network, in the process of those.
        enter: enters a context manager that is left when scoring ends.
    """

    device: str
    deterministic: bool
    score: Callable[[Metric, np.ndarray, np.ndarray | None], np.ndarray]
    enter: Callable[[AbstractContextManager[Any]], Any]


class Tool(Protocol):
    """What a clip metric needs beside frames: an optical flow, a distance of frames, a network elsewhere.

    ``text`` stands in the signature; ``key`` changes with what the tool gives; ``networks`` are image metrics that it
    gives batches to; ``open`` makes the callable that the metric's function gets.
    """

    @property
    def text(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def modules(self) -> tuple[str, ...]: ...
    @property
    def libraries(self) -> tuple[str, ...]: ...
    @property
    def is_network(self) -> bool: ...
    @property
    def networks(self) -> tuple[Metric, ...]: ...
    def check_here(self) -> None: ...
    def open(self, runtime: Runtime) -> Any: ...


class HasFiles:
    """What metrics and optical flows have in common: checkpoint files in one folder, as they share backbones."""

    name: str
    files: tuple[WeightFile, ...]
    locate: Callable[[str], Path | None] | None

    @property
    def home(self) -> str:
        """Its folder below ``weights_dir()``."""
        return "metrics"

    @property
    def get(self) -> str:
        """The command that fetches its files; variants share those of their head."""
        return f"adcbench weights fetch {self.name.partition(':')[0]}"

    def find_weights(self) -> dict[str, Path]:
        """Paths of its files, hashes checked.

        Raises:
            Blocked: a file is not here; names it and the command that gets it.
            AdcbenchError: a file is not the one it should be.
        """
        return checked_files(self)
