"""The system contract: what a teacher, student or baseline offers to the rest of adcbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adcbench.core.rounding import Rounding
from adcbench.core.weight_files import WeightFile, checked_files

if TYPE_CHECKING:
    import torch

Upscaler: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
Medium = Literal["image", "clip"]
FACTOR = 4  # of the papers' super-resolution
# config -> a ``components.Network`` on the meta device; a text is ``module:function``, imported when it is called
Builder: TypeAlias = str | Callable[[Any], Any]


@dataclass(frozen=True)
class System:
    """A super-resolution system.

    ``load(weights, device, dtype)`` takes a mapping from file names to paths (None: deterministic
    weights, for tests and timing) and returns a callable, of images
    ``lr (B, 3, h, w) float RGB in [0, 1] -> sr (B, 3, factor*h, factor*w) float RGB``, not clamped or rounded; of clips
    ``lr (B, T, 3, h, w) -> sr (B, T, 3, factor*h, factor*w)``. A system of images gets a clip's frames one by one.
    It raises AdcbenchError for a checkpoint that is missing, unsafe, or not exactly of this network, and for an
    unknown dtype.

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
        takes: images, or clips.
        factor: sides of its output over those of its input.
        reach: of clips: how many frames on each side an output frame depends on.
        components: builds its parts from ``config``, to be counted; None: it can't be counted.
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
    takes: Medium = "image"
    factor: int = FACTOR
    reach: int = 0
    components: Builder | None = None

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
        return checked_files(self)

    def load_strictly(self) -> bool:
        """Load its files on the CPU, see ``workflows.catalogue.Loadable``."""
        self.load(self.find_weights(), "cpu", "float32")
        return True

    def mini(self) -> System:
        """The same code at small widths with deterministic, untrained weights, for tests and timing.

        Call it on a system whose config already has the small sizes. Components are those of the full size.
        """
        name = f"{self.name}-mini"
        return replace(self, name=name, scale="mini", files=(), get="", locate=None, components=None)

    def settings(self) -> dict[str, Any]:
        """The config as a plain dict, for keys, provenance and ``explain``."""
        config = self.config
        return asdict(config) if is_dataclass(config) and not isinstance(config, type) else dict(config)


def both_scales(name: str, system: Callable[[Any], System], mini: Any) -> dict[str, Callable[..., System]]:
    """``SYSTEMS`` of a network with the paper's sizes and small ones: the factories of NAME and NAME-mini.

    Args:
        system: makes the system of a config; without one, that of the paper's sizes.
        mini: the config with small sizes.
    """
    return {name: system, f"{name}-mini": lambda: system(mini).mini()}
