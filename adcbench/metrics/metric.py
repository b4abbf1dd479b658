"""What a metric is: of images, of a set of them, or of clips; its settings, its files, its signature."""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image

from adcbench import __version__
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest, source_hash, versions
from adcbench.core.own_code import home
from adcbench.core.weight_files import WeightFile, file_shown
from adcbench.metrics.tools import HasFiles, Tool

# (B, h, w, 3) uint8 RGB of SR, the same of HR (None for a metric without reference) -> (B,) scores,
# or (B, 2, d) features of SR and HR for a metric over a set
Scorer: TypeAlias = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
Frames: TypeAlias = Iterable[np.ndarray]  # (h, w, 3) uint8 RGB each; can be iterated again
Takes: TypeAlias = Literal["image", "pair", "set", "clip", "clip pair", "guided clip"]
_CLIPS, _WITHOUT_HR, _WITH_HR = ("clip", "clip pair", "guided clip"), ("image", "clip"), ("pair", "set", "clip pair")


class ScoringStopped(AdcbenchError):
    """An error that every other sample would meet too: scoring stops."""


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


@dataclass(frozen=True)
class Facts:
    """What is true of a metric's values, whatever the images: the property tests hold it to that.

    Args:
        low, high: range of its values.
        best: value of equal images; None without reference.
        symmetric: SR and HR may be exchanged.
        noise: more noise is worse, also with deterministic weights; of a metric without reference, on a photograph.
        side: smallest side of an image that it takes.
    """

    low: float = -math.inf
    high: float = math.inf
    best: float | None = None
    symmetric: bool = False
    noise: bool = False
    side: int = 1


@dataclass(frozen=True)
class Metric(HasFiles):
    """A metric with fixed settings.

    A metric of images has either ``function(sr, hr, **settings) -> float`` (``function(sr, **settings)`` without
    reference): plain code that may run in several threads; or ``load(weights, device, **settings) -> Scorer``: a
    network, which runs in a process of its own (``engine/worker.py``) on batches of equal size. ``weights`` maps file
    names to paths; None stands for deterministic weights, for tests and timing. A clip's score is the mean over frames.

    A metric of clips has ``function(sr, hr, **settings) -> float`` of iterables of frames, which also gets each of
    ``tools`` that it names; or ``asks``, a network in another environment, and ``function(**raw, **settings)`` of its
    raw scores.

    Args:
        name: as on the command line; ``head:VARIANT`` names a setting that differs from the published one.
        settings: what the function or the network is called with, as the signature shows it.
        takes: of a frame, ``pair`` (SR and HR), ``image`` (SR alone), or ``set``: the scorer gives features of both,
            (B, 2, d), and ``over_set`` makes one number of those of all frames, (N, 2, d). Of a whole clip,
            ``clip pair``, ``clip``, or ``guided clip``: SR, and HR for its flow where there is one.
        libraries: distributions whose versions can change the value.
        files: checkpoint files, below ``weights_dir()/metrics``.
        locate: finds files that come with an installed package, as for a System.
        as_jpeg: save SR as JPEG of this quality first (0: not), a mistake to measure, not to make.
        batch: most images a network is given at once.
        ordered: a score depends on the images scored before it: never kept in the store, always one list at a go.
        notes: what the settings do not say, for the signature (colour, resize, sampling).
        tools: keyword of the function -> what it gets by that name.
        fixed_flow: its definition fixes the optical flow: another can't be asked for.
        asks: the network elsewhere whose raw scores it is made of.
        terms: number of a clip's frames -> how many values its score is the mean of; None where it is no such mean.
        facts: what holds for its values.
        moves_by: relative change of a value that a few grey levels of a network's output make, where that is much.
        origin: of a user's own, ``package.module:metric``; it tells metrics of one module apart in keys.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    function: Callable[..., float] | None = None
    load: Callable[..., Scorer] | None = None
    takes: Takes = "pair"
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
    tools: Mapping[str, Tool] = field(default_factory=dict)
    fixed_flow: bool = False
    asks: Tool | None = None
    terms: Callable[[int], int] | None = None
    facts: Facts = Facts()
    moves_by: float = 0.0
    origin: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules that define it; their source closure is part of the score's cache key."""
        made_by = self.function or self.load
        assert made_by
        own = (self.origin.partition(":")[0],) if self.origin else ()
        around = getattr(made_by, "modules", ())  # of what wraps it, see networks/tf32.py
        return (home(made_by), *around, *own, *(module for tool in self.all_tools for module in tool.modules))

    def load_strictly(self) -> bool:
        """Load its files on the CPU, see ``workflows.catalogue.Loadable``; a plain function scores noise with them."""
        if self.load:
            self.load(self.find_weights(), "cpu", **self.settings)
        elif not self.asks:
            self(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8), None, self.find_weights())
        return self.asks is None

    @property
    def all_tools(self) -> tuple[Tool, ...]:
        """Its tools, with the network elsewhere that it asks."""
        return (*self.tools.values(), *((self.asks,) if self.asks else ()))

    @property
    def of_clips(self) -> bool:
        """It takes a whole clip, not one frame after another."""
        return self.takes in _CLIPS

    def terms_of(self, frames: int) -> int | None:
        """How many values the score of a clip of so many frames is the mean of: of a metric of images, the frames.

        None where it is no mean over frames, or over pairs of them.
        """
        if self.of_clips:
            return self.terms(frames) if self.terms else None
        return None if self.takes == "set" else frames

    @property
    def uses_reference(self) -> bool:
        """Its value depends on HR, where there is one."""
        return self.takes not in _WITHOUT_HR

    @property
    def is_network(self) -> bool:
        """A network takes part in it, in float32 on a device; others compute in float64 on the CPU."""
        return self.load is not None or any(tool.is_network for tool in self.all_tools)

    @property
    def signature(self) -> str:
        """A complete description of the settings: two scores compare only if theirs are equal.

        Metric, settings, range, the files it needs with their hashes (those published, or of the file that is
        here), and what computes it: for a network its libraries, always adcbench, with versions.
        """
        return self.signature_on()

    def signature_on(self, clips: bool = False, part: str = "", over_frames: bool = False) -> str:
        """The signature of scores of images, or of ``clips``, of the ``part`` of them that is scored (empty: all).

        ``over_frames``: the mean is one over the frames of all clips, not over clips.
        """
        settings = {**self.settings, **({"sr_jpeg_quality": self.as_jpeg} if self.as_jpeg else {})}
        shown = " ".join(f"{key}={_setting_shown(value)}" for key, value in settings.items())
        tools = " ".join(tool.text for tool in self.tools.values() if tool.text)
        parts = [self.name.partition(":")[0], shown, tools, self.notes, "range=0-255 uint8"]
        if self.is_network or self.of_clips:
            parts += [" ".join(f"{n} {v}" for n, v in versions(*self._all_libraries).items())]
        parts += [" ".join(file_shown(self, file) for file in self.files)]
        over_all = "mean over the frames of all clips"
        parts += [over_all if over_frames else "mean over clips", part] if self.of_clips else []
        parts += [f"adcbench {__version__}"]
        if not self.of_clips:
            over_clips = "over all frames of all clips" if self.takes == "set" else "mean over frames, then clips"
            parts += [(over_all if over_frames else over_clips) if clips else "", part]
        return " | ".join(filter(None, parts))

    @property
    def _all_libraries(self) -> tuple[str, ...]:
        return (*self.libraries, *(library for tool in self.all_tools for library in tool.libraries))

    def check_libraries(self) -> None:
        """Raise ``Blocked`` where a library that it needs is not installed."""
        missing = [name for name, version in versions(*self.libraries).items() if version == "not installed"]
        if missing:
            wanted = "'adcbench[iqa]'" if "pyiqa" in missing else " ".join(missing)
            raise Blocked(f"the library {', '.join(missing)} of {self.name}", f"pip install {wanted}")

    def check_here(self) -> None:
        """Raise ``Blocked`` where a library, file or environment that it needs is not here."""
        self.check_libraries()
        self.find_weights()
        for tool in self.all_tools:
            tool.check_here()

    @property
    def key(self) -> str:
        """Hash of everything but the pixels that a score depends on."""
        own = (self.origin,) if self.origin else ()
        made_by = digest(self.signature, source_hash(*self.modules), versions(*self._all_libraries), *own)
        return digest(made_by, [tool.key for tool in self.all_tools]) if self.all_tools else made_by

    @property
    def stored_key(self) -> str:
        """The same for what the store keeps: of a network elsewhere its raw scores, which variants share."""
        if not self.asks:
            return self.key
        return digest(self.asks.key, [file_shown(self, file) for file in self.files], source_hash(*self.asks.modules))

    def with_flow(self, flow: Tool) -> Metric:
        """The same metric with another optical flow; itself if its definition fixes the flow or it has none."""
        if self.fixed_flow or "flow" not in self.tools:
            return self
        return replace(self, tools={**self.tools, "flow": flow})

    @property
    def needs_reference(self) -> bool:
        """Whether it compares with HR, and so says nothing without one."""
        return self.takes in _WITH_HR

    def without_reference(self) -> Metric:
        """The same metric where there is no HR: a flow is then found on the output, and its signature says so.

        Raises:
            AdcbenchError: it needs HR.
        """
        if self.needs_reference:
            raise AdcbenchError(f"{self.name} compares with HR: give --hr, or leave it out")
        return replace(self, settings={**self.settings, "flow_on": "output"}) if self.takes == "guided clip" else self

    def as_given(self, sr: np.ndarray) -> np.ndarray:
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
        assert self.function, f"{self.name} is a network: see metrics/engine/worker.py"
        if any(image is not None and image.dtype != np.uint8 for image in (sr, hr)):
            raise ValueError(f"{self.name} takes uint8 images, not {sr.dtype}")
        images = (self.as_given(sr), hr) if self.takes == "pair" else (self.as_given(sr),)
        files = {"weights": weights} if self.files else {}
        return self.function(*images, **files, **self.settings)

    def of_clip(self, sr: Frames, hr: Frames | None, opened: Callable[[Tool], Any]) -> Any:
        """What is kept of a clip: its score, or the raw scores of the network that it asks; see ``score_of``.

        Args:
            opened: gives what ``Tool.open`` made.

        Raises:
            ValueError: a clip that this metric can't score.
        """
        if self.asks:
            return opened(self.asks)(sr)
        assert self.function
        named = inspect.signature(self.function).parameters
        extra = {name: opened(tool) for name, tool in self.tools.items() if name in named}
        clips = (sr, hr) if self.uses_reference else (sr,)
        return check_number(self.name, float(self.function(*clips, **extra, **self.settings)))

    def score_of(self, kept: Any) -> float:
        """The score of a clip from what ``of_clip`` gave.

        Raises:
            ValueError: it is not a number.
        """
        assert self.function
        return float(check_number(self.name, self.function(**kept, **self.settings) if self.asks else kept))


def check_names(metrics: Iterable[Metric]) -> None:
    """Raise ``AdcbenchError`` where two metrics have one name: their scores would be mixed up."""
    known: dict[str, Metric] = {}
    for metric in metrics:
        other = known.setdefault(metric.name, metric)
        if (other.origin, other.settings) != (metric.origin, metric.settings):
            places = " and ".join(one.origin or "ours" for one in (other, metric))
            raise AdcbenchError(f"two metrics are called {metric.name!r} ({places}); give one another name")


def check_number(name: str, value: Any) -> Any:
    """A metric's value, or features, if all of it is finite.

    Raises:
        ValueError: it is not.
    """
    if not np.all(np.isfinite(value)):
        raise ValueError(f"its {name} is {value}, not a number")
    return value


def _setting_shown(value: object) -> str:
    """A setting as signatures write it: yes and no for booleans."""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))
