"""A test set as data, and one that has been opened: checked, its folders and their hash at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.settings import cache_dir, data_dir
from adcbench.data.media import Part, Sample, pair

LOG = "osediff_authors_scores.log"
RECORDED = "manifest.csv"  # name of a manifest beside the images
_MADE = "testsets"  # folder in the cache


class Inside(NamedTuple):
    """A test set that comes with an installed package: ``write`` puts it into the cache, ``contents`` is hashed."""

    write: Callable[[], Path]
    contents: Callable[[], object]


@dataclass(frozen=True)
class TestSet:
    """One test set.

    Args:
        name: as in the papers' tables.
        folder: its folder below ``data_dir()``, and its name on the command line.
        size: how many pairs, or clips, it must have.
        holds: what it has so many of, in words: ``PNG pairs``, or ``clips`` (folders of PNG frames, or lossless
            videos).
        needs: the folders that must be there, of ``LR`` and ``HR``; none where it holds no images.
        part: what the tables score of each clip: its first frames, a central square.
        outputs: sub-folders with outputs that a paper's authors released, named by row.
        called: (part, folder) of parts whose folder has another name: HR in ``GT``.
        suffixed: the names of released outputs end with ``_`` and their folder's name: ``BSRGAN/chip_BSRGAN.png``.
        source: where it comes from, for people.
        licence: what is known of its terms.
        repository: public GitHub repository (owner/name); empty where its files can't be fetched one by one.
        commit: the pinned commit there.
        upstream: (path here, path in the repository) of each sub-folder and single file.
        made_by: ``module:function`` that ``adcbench fetch`` calls with it, to make its samples from what is here; a
            name, since such code lies further down (``degradation``). Empty: they come from elsewhere.
        inside: where an installed package holds it.
    """

    __test__ = False  # not a pytest class

    name: str
    folder: str
    size: int
    holds: str = "PNG pairs"
    needs: tuple[str, ...] = ("LR", "HR")
    part: Part = Part()  # noqa: RUF009  (immutable)
    outputs: tuple[str, ...] = ()
    called: tuple[tuple[str, str], ...] = ()
    suffixed: bool = False
    source: str = ""
    licence: str = ""
    repository: str = ""
    commit: str = ""
    upstream: tuple[tuple[str, str], ...] = ()
    made_by: str = ""
    inside: Inside | None = None

    def __post_init__(self) -> None:
        for field in ("name", "folder", "holds"):
            if not isinstance(getattr(self, field), str) or not getattr(self, field):
                raise AdcbenchError(f"test set {self.name!r}: its {field} is {getattr(self, field)!r}, not a text")
        if not isinstance(self.size, int) or self.size < 1:
            raise AdcbenchError(f"test set {self.name!r}: its size is {self.size!r}, not a number of samples")
        if self.folder != Path(self.folder).name:
            raise AdcbenchError(f"test set {self.name!r}: its folder {self.folder!r} is not the name of a folder")
        if not {*self.needs} <= {"LR", "HR"} or not (self.needs or self.upstream):
            raise AdcbenchError(f"test set {self.name!r}: it needs {self.needs!r}, not LR, HR or both")

    @property
    def root(self) -> Path:
        """Where it lies, or would lie, on this machine.

        What is made here is ours, and in the cache; ``data_dir()`` may be somebody else's. One that an earlier
        version made there is used.
        """
        there = data_dir() / self.folder
        return cache_dir() / _MADE / self.folder if self.made_by and not (there / RECORDED).is_file() else there

    @property
    def command(self) -> str:
        """The command that fetches it."""
        return f"adcbench fetch {self.folder}"

    @property
    def parts(self) -> tuple[str, ...]:
        """Its sub-folders: ``LR``, ``HR`` and one for each released output."""
        return ("LR", "HR", *self.outputs)

    def folder_of(self, part: str) -> str:
        """The sub-folder that holds one of its parts."""
        return dict(self.called).get(part, part)

    @property
    def has_truth(self) -> bool:
        """Whether outputs can be scored against HR."""
        return "HR" in self.needs


@dataclass(frozen=True)
class OpenTestSet:
    """A test set that is here and equals its manifest. Opened once a run and passed on.

    Args:
        folders: those of its ``parts`` that are here, by name.
        manifest_hash: equal exactly when its files are the same, for provenance and cache keys.
        log: the authors' scores of each image, where they released them.
    """

    test_set: TestSet
    folders: Mapping[str, Path]
    manifest_hash: str
    log: Path | None = None

    @property
    def name(self) -> str:
        return self.test_set.name

    @property
    def part(self) -> Part:
        """What the tables score of each sample."""
        return self.test_set.part

    def samples(self, outputs: str | Path) -> list[Sample]:
        """Outputs, each with its HR (None without ground truth), sorted by name.

        Args:
            outputs: the name of released outputs, or a folder.

        Raises:
            Blocked: the test set was recorded without these outputs, or without LR.
            AdcbenchError: the folder's names are not those of the test set, or the test set has no images to score.
        """
        if not self.test_set.needs:
            raise AdcbenchError(f"{self.name} holds {self.test_set.holds}: nothing to upscale or to score")
        sr = self.folders.get(str(outputs), Path(outputs))
        if str(outputs) in self.test_set.parts and str(outputs) not in self.folders:
            place = self.test_set.root / self.test_set.folder_of(str(outputs))
            raise Blocked(
                f"{outputs} of the {self.name} test set, without which its manifest was recorded; put it into {place}, "
                "and delete the manifest, to record it again",
                self.test_set.command,
            )
        suffix = f"_{outputs}" if self.test_set.suffixed and outputs in self.test_set.outputs else ""
        if self.test_set.has_truth:
            return pair(sr, self.folders["HR"], suffix=suffix)
        samples = pair(sr, None, suffix=suffix)
        wanted = pair(self.folders["LR"], None)
        if names := sorted({sample.name for sample in samples} ^ {sample.name for sample in wanted}):
            raise AdcbenchError(f"{sr} and {self.name} do not hold the same {self.test_set.holds}: {listed(names)}")
        return samples

    def inputs(self, limit: int = 0) -> list[Sample]:
        """What a system upscales: LR, each with its HR (None without ground truth), sorted by name. Nothing is read.

        Args:
            limit: only so many, spread evenly over the set; 0: all.

        Raises:
            Blocked: the test set was recorded without LR.
            AdcbenchError: a negative limit, or LR and HR do not hold the same names.
        """
        return spread_evenly(self.samples("LR"), limit)


def spread_evenly(samples: list[Sample], limit: int) -> list[Sample]:
    """So many samples, evenly over a list; 0: all.

    Raises:
        AdcbenchError: a negative limit.
    """
    if limit < 0:
        raise AdcbenchError(f"--limit {limit}: it must be a number of images, or 0 for all")
    return samples[:: max(1, len(samples) // limit)][:limit] if limit else samples


def count_samples(test_set: TestSet) -> int:
    """How many pairs or clips lie in a test set's folder.

    Raises:
        AdcbenchError: a folder is missing or empty, or one has names that another lacks.
    """
    first, *others = (test_set.root / test_set.folder_of(part) for part in test_set.needs)
    return len(pair(first, others[0] if others else None))
