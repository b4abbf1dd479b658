"""The system contract: what a teacher, student or baseline offers to the rest of adcbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from adcbench.core.errors import Blocked
from adcbench.core.rounding import Rounding
from adcbench.core.settings import weights_dir

if TYPE_CHECKING:
    import torch

Upscaler: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"


@dataclass(frozen=True)
class WeightFile:
    """One checkpoint file.

    Args:
        name: unique among the files of a system.
        url: where it can be downloaded; empty where no address serves it directly.
        mirrors: further addresses of the same file, tried in order.
        sha256: empty where nobody has published it (recorded on first download).
        size: in bytes, to show before a download; may be rounded (3_464_000_000), and is compared with the file to
            its last digit that is not 0 where no sha256 is known. 0 where it is not known.
        licence: its licence; ``non_commercial`` where that forbids commercial use.
        folder: below ``weights_dir()``, for a file that several systems share; empty: the system's name.
        by_hand: where a person can get it; used where ``url`` is empty.
    """

    name: str
    url: str
    mirrors: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0
    licence: str = ""
    non_commercial: bool = False
    folder: str = ""
    by_hand: str = ""

    def path(self, system: str) -> Path:
        """Where it lies, or would lie, for the system of that name."""
        return weights_dir() / (self.folder or system) / self.name


class NeedsFiles(Protocol):
    """Something with checkpoint files: a system or a metric. ``home`` is the folder below ``weights_dir()``."""

    @property
    def name(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def files(self) -> tuple[WeightFile, ...]: ...
    @property
    def locate(self) -> Callable[[str], Path | None] | None: ...
    @property
    def get(self) -> str: ...


def file_path(owner: NeedsFiles, file: WeightFile) -> Path:
    """Where a file lies, or would lie: inside an installed package that brings it, else below ``weights_dir()``."""
    return (owner.locate and owner.locate(file.name)) or file.path(owner.home)


def find_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric.

    Raises:
        Blocked: a file is not here; the message names it and the command that gets it.
    """
    found = {file.name: file_path(owner, file) for file in owner.files}
    for name, path in found.items():
        if not path.is_file():
            raise Blocked(f"the checkpoint {name} of {owner.name}", owner.get)
    return found


@dataclass(frozen=True)
class System:
    """A super-resolution system.

    ``load(weights, device, dtype)`` takes a mapping from file names to paths (None: deterministic
    weights, for tests and timing) and returns a callable
    ``lr (B, 3, h, w) float RGB in [0, 1] -> sr (B, 3, 4h, 4w) float RGB``, not clamped or rounded.

    Args:
        name: as written on the command line.
        version: upstream version or commit the network equals.
        scale: ``full`` or ``mini``.
        config: frozen dataclass with every setting that changes the output.
        modules: modules that define it; their source closure is part of the cache key.
        files: its checkpoint files; empty if it needs none.
        locate: finds files that come with an installed package (name -> path), before ``weights_dir``.
        get: the command that fetches the files.
        seed_use: how a seed changes the output; empty for deterministic systems. A system that uses one draws
            from torch's default CPU generator, which the caller seeds (see ``inference.forward``).
        thread_safe: several threads may call one loaded upscaler at a time.
        rounding: how its authors' script makes 8 bits of floats, see ``inference.forward.to_pixels``.
    """

    name: str
    version: str
    scale: Literal["full", "mini"]
    config: Any
    modules: tuple[str, ...]
    load: Callable[[Mapping[str, Path] | None, str, str], Upscaler]
    files: tuple[WeightFile, ...] = ()
    locate: Callable[[str], Path | None] | None = None
    get: str = ""
    seed_use: str = ""
    thread_safe: bool = False
    rounding: Rounding = "round"

    @property
    def home(self) -> str:
        """Its folder below ``weights_dir()``."""
        return self.name

    def find_weights(self) -> dict[str, Path]:
        """Paths of all its files, each the file it should be, as far as that is known.

        Raises:
            Blocked: a file is not here; the message names it and the command that gets it.
            AdcbenchError: a file is not the one it should be.
        """
        from adcbench.core.hashes import checked_files  # which builds on this module

        return checked_files(self)

    def mini(self) -> System:
        """The same code at small widths with deterministic, untrained weights, for tests and timing.

        Call it on a system whose config already has the small sizes.
        """
        return replace(self, name=f"{self.name}-mini", scale="mini", files=(), get="", locate=None)

    def settings(self) -> dict[str, Any]:
        """The config as a plain dict, for keys, provenance and ``explain``."""
        config = self.config
        return asdict(config) if is_dataclass(config) and not isinstance(config, type) else dict(config)
