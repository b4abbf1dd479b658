"""What a clip metric is: a function of frames, a mean over frames, or the answer of another environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from adcbench import __version__
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, source_hash, versions
from adcbench.core.weight_files import WeightFile, hash_shown
from adcbench.metrics.clip.flow import FlowSource, find_flow
from adcbench.metrics.metric import HasFiles, Metric, setting_shown


class NoClipCan(AdcbenchError):
    """An error that no other clip would escape: scoring stops."""


@dataclass(frozen=True)
class Judge:
    """A network of vsreval: ``dover`` or ``fastervqa``, see ``vsreval_process.asking``."""

    name: str
    antialias: bool = False


@dataclass(frozen=True)
class ClipMetric(HasFiles):
    """A metric of a clip with fixed settings.

    It has ``frame``, an image metric that is averaged over frames; or ``function(sr, hr, **settings) -> float`` of
    iterables of (h, w, 3) uint8 RGB frames, which also gets ``flow`` and ``distance`` where it names them; or
    ``judge``, a network elsewhere, and ``function(**raw, **settings) -> float`` of its raw scores.

    Args:
        name: as on the command line; ``head:VARIANT`` names a setting that differs, as for Metric.
        settings: what the function is called with, as the signature shows it.
        takes: ``pair`` (SR and HR), ``clip`` (SR alone), ``guided`` (SR, and HR for its flow where there is one).
        flow: name of the optical flow (``flow.FLOWS``); empty: none.
        own_flow: its definition fixes the flow: another can't be asked for.
        through: name of the image metric that measures the distance of two frames: ``lpips``.
        files: checkpoint files of its judge, below ``weights_dir()/metrics``.
        notes: what the settings do not say, for the signature.
        part: which part of each clip is scored, for the signature.
    """

    name: str
    function: Callable[..., float] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    frame: Metric | None = None
    judge: Judge | None = None
    takes: Literal["pair", "clip", "guided"] = "pair"
    flow: str = ""
    own_flow: bool = False
    through: str = ""
    unit: str = ""
    higher_is_better: bool = True
    libraries: tuple[str, ...] = ("numpy",)
    files: tuple[WeightFile, ...] = ()
    locate: Callable[[str], Path | None] | None = None
    notes: str = ""
    part: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules that define it; their source closure is part of the score's cache key."""
        made_by = self.frame.modules if self.frame else ()
        own = (self.function.__module__,) if self.function else ()
        return (*made_by, *own, *self._judge_modules, *self._flow_module)

    @property
    def _judge_modules(self) -> tuple[str, ...]:
        here = __name__.rpartition(".")[0]
        return (f"{here}.vsreval_process", f"{here}.vsreval_runner") if self.judge else ()

    @property
    def _flow_module(self) -> tuple[str, ...]:
        return (FlowSource.__module__,) if self.flow else ()

    @property
    def is_network(self) -> bool:
        """A network takes part in it."""
        return bool((self.frame and self.frame.is_network) or self.judge or self.through or "raft" in self.flow)

    @property
    def signature(self) -> str:
        """A complete description of the settings: two scores compare only if theirs are equal."""
        if self.frame:
            return " | ".join([*filter(None, (self.frame.signature, "mean over frames, then clips", self.part))])
        shown = " ".join(f"{key}={setting_shown(value)}" for key, value in self.settings.items())
        parts = [self.name.partition(":")[0], shown, self._flow_text, self.notes, "range=0-255 uint8"]
        parts += [" ".join(f"{name} {version}" for name, version in versions(*self._all_libraries).items())]
        parts += [" ".join(f"{file.name}={hash_shown(self, file)}" for file in self.files)]
        return " | ".join([*filter(None, (*parts, "mean over clips", self.part)), f"adcbench {__version__}"])

    @property
    def _flow_text(self) -> str:
        if not self.flow:
            return ""
        source = find_flow(self.flow)
        files = "".join(f" {file.name}={hash_shown(source, file)}" for file in source.files)
        return f"flow={source.description}{files}"

    @property
    def _all_libraries(self) -> tuple[str, ...]:
        return (*self.libraries, *(find_flow(self.flow).libraries if self.flow else ()))

    @property
    def key(self) -> str:
        """Hash of everything but the pixels that a score depends on."""
        return digest(replace(self, part="").signature, source_hash(*self.modules), versions(*self._all_libraries))

    @property
    def raw_key(self) -> str:
        """Hash of everything but the pixels that its judge's raw scores depend on; its variants share them."""
        hashes = [hash_shown(self, file) for file in self.files]
        return digest("raw", asdict(self.judge) if self.judge else "", hashes, source_hash(*self._judge_modules))

    def check_here(self) -> None:
        """Raise ``Blocked`` where a file, library or environment that it needs is not here."""
        from adcbench.metrics import find_metric
        from adcbench.metrics.clip.vsreval_process import interpreter

        if self.frame:
            self.frame.check_here()
        if self.through:
            find_metric(self.through).check_here()
        if self.flow:
            find_flow(self.flow).check_here()
        self.find_weights()
        if self.judge:
            interpreter()

    def with_flow(self, flow: str) -> ClipMetric:
        """The same metric with another optical flow; itself if its definition fixes the flow or it has none.

        Raises:
            AdcbenchError: no such flow.
        """
        find_flow(flow)
        return replace(self, flow=flow) if self.flow and not self.own_flow else self

    def on_part(self, frames: int = 0, crop: int = 0) -> ClipMetric:
        """The same metric, its signature saying which part of each clip is scored (0: all), see ``Clip.part``."""
        words = (f"first {frames} frames" if frames else "", f"centre crop {crop}x{crop}" if crop else "")
        return replace(self, part=", ".join(filter(None, words)))

    def without_reference(self) -> ClipMetric:
        """The same metric where there is no HR: a flow is then found on the output, and its signature says so.

        Raises:
            AdcbenchError: it needs HR.
        """
        if self.takes == "pair":
            raise AdcbenchError(f"{self.name} compares with HR: give --hr, or leave it out")
        settings = {**self.settings, "flow_on": "output"} if self.takes == "guided" else self.settings
        return replace(self, settings=settings)
