"""What a metric is: a function of pixels or a network, its settings, its files, its signature."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image

from adcbench import __version__
from adcbench.core.errors import Blocked
from adcbench.core.keys import digest, source_hash, versions
from adcbench.core.weight_files import WeightFile, checked_files, hash_shown

# (B, h, w, 3) uint8 RGB of SR, the same of HR (None for a metric without reference) -> (B,) scores,
# or (B, 2, d) features of SR and HR for a metric over a set
Scorer: TypeAlias = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class SetScore:
    """One number over a set of ``n`` images, such as FID.

    ``interval`` is a 95 % bootstrap interval over images; ``details`` are further numbers that belong beside
    it (``extrapolated``: to an infinite number of images).
    """

    value: float
    n: int
    interval: tuple[float, float]
    details: Mapping[str, float] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Metric(HasFiles):
    """An image metric with fixed settings.

    It has either ``function(sr, hr, **settings) -> float`` (``function(sr, **settings)`` without reference):
    plain code that may run in several threads; or ``load(weights, device, **settings) -> Scorer``: a
    network, which runs in a process of its own (``metrics/worker.py``) on batches of equal size. ``weights``
    maps file names to paths; None stands for deterministic weights, for tests and timing.

    Args:
        name: as on the command line; ``head:VARIANT`` names a setting that differs from the published one.
        settings: what the function or the network is called with, as the signature shows it.
        takes: ``pair`` (SR and HR), ``image`` (SR alone), or ``set``: the scorer gives features of both,
            (B, 2, d), and ``over_set`` makes one number of those of all images, (N, 2, d).
        libraries: distributions whose versions can change the value.
        files: checkpoint files, below ``weights_dir()/metrics``.
        locate: finds files that come with an installed package, as for a System.
        as_jpeg: save SR as JPEG of this quality first (0: not), a mistake to measure, not to make.
        batch: most images a network is given at once.
        ordered: a score depends on the images scored before it: never kept in the store, always one list at a go.
        notes: what the settings do not say, for the signature (colour, resize, sampling).
    """

    name: str
    settings: Mapping[str, Any]
    function: Callable[..., float] | None = None
    load: Callable[..., Scorer] | None = None
    takes: Literal["pair", "image", "set"] = "pair"
    over_set: Callable[[np.ndarray], SetScore] | None = None
    unit: str = ""
    higher_is_better: bool = True
    libraries: tuple[str, ...] = ("numpy",)
    files: tuple[WeightFile, ...] = ()
    locate: Callable[[str], Path | None] | None = None
    as_jpeg: int = 0
    batch: int = 8
    ordered: bool = False
    notes: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that defines it; its source closure is part of the score's cache key."""
        made_by = self.function or self.load
        assert made_by
        return (made_by.__module__,)

    @property
    def is_network(self) -> bool:
        """It runs in float32 on a device; others compute in float64 on the CPU."""
        return self.load is not None

    @property
    def signature(self) -> str:
        """A complete description of the settings: two scores compare only if theirs are equal.

        Metric, settings, range, the files it needs with their hashes (those published, or of the file that is
        here), and what computes it: for a network its libraries, always adcbench, with versions.
        """
        settings = {**self.settings, **({"sr_jpeg_quality": self.as_jpeg} if self.as_jpeg else {})}
        shown = " ".join(f"{key}={setting_shown(value)}" for key, value in settings.items())
        parts = [self.name.partition(":")[0], shown, self.notes, "range=0-255 uint8"]
        if self.is_network:
            parts += [" ".join(f"{n} {v}" for n, v in versions(*self.libraries).items())]
        parts += [" ".join(f"{file.name}={hash_shown(self, file)}" for file in self.files)]
        return " | ".join([*filter(None, parts), f"adcbench {__version__}"])

    def check_libraries(self) -> None:
        """Raise ``Blocked`` where a library that it needs is not installed."""
        missing = [name for name, version in versions(*self.libraries).items() if version == "not installed"]
        if missing:
            wanted = "'adcbench[iqa]'" if "pyiqa" in missing else " ".join(missing)
            raise Blocked(f"the library {', '.join(missing)} of {self.name}", f"pip install {wanted}")

    def check_here(self) -> None:
        """Raise ``Blocked`` where a library or file that it needs is not here."""
        self.check_libraries()
        self.find_weights()

    @property
    def key(self) -> str:
        """Hash of everything but the pixels that a score depends on."""
        return digest(self.signature, source_hash(*self.modules), versions(*self.libraries))

    def seen(self, sr: np.ndarray) -> np.ndarray:
        """SR as the metric gets it: through JPEG if that is its mistake."""
        return _through_jpeg(sr, self.as_jpeg) if self.as_jpeg else sr

    def __call__(
        self, sr: np.ndarray, hr: np.ndarray | None = None, weights: Mapping[str, Path] | None = None
    ) -> float:
        """Score one image with a plain function: (h, w, 3) uint8 RGB, and HR of equal size where it takes a pair.

        ``weights`` are what ``find_weights`` gave, for a metric with files.

        Raises:
            ValueError: images of another type, or that this metric can't score.
        """
        assert self.function, f"{self.name} is a network: see metrics/worker.py"
        if any(image is not None and image.dtype != np.uint8 for image in (sr, hr)):
            raise ValueError(f"{self.name} takes uint8 images, not {sr.dtype}")
        images = (self.seen(sr), hr) if self.takes == "pair" else (self.seen(sr),)
        files = {"weights": weights} if self.files else {}
        return self.function(*images, **files, **self.settings)


def setting_shown(value: object) -> str:
    """A setting as signatures write it: yes and no for booleans."""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))
