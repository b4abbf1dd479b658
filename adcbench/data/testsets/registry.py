"""The papers' test sets: where each comes from, what it must hold, and whether it is here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.core.settings import cache_dir, data_dir
from adcbench.data.testsets.embedded import EMBEDDED_MANIFEST, embedded_folder, photographs
from adcbench.data.testsets.manifest import ManifestFile, differences, read_manifest

_MADE, _RECORDED = "testsets", "manifest.csv"  # folder in the cache; name of a manifest beside the images
LOG = "osediff_authors_scores.log"
_TEACHER_LAYOUT = (("LR", "test_LR"), ("HR", "test_HR"), ("OSEDiff", "results_osediff"))
_TEACHER_LICENCE = (
    "The repository is Apache-2.0; the images' own terms are not stated there. Fetched, never redistributed."
)


@dataclass(frozen=True)
class TestSet:
    """One test set.

    Args:
        name: as in the papers' tables.
        folder: its folder below ``data_dir()``, and its name on the command line.
        pairs: how many pairs, or clips, it must have.
        clips: it holds clips (folders of PNG frames, or lossless videos) instead of images.
        frames, crop: the part of each clip that the tables score: its first frames, a central square; 0: all.
        reference: its folder that outputs are scored against; of a set without ground truth, its LR.
        outputs: sub-folders with outputs that a paper's authors released, named by row.
        source: where it comes from, for people.
        licence: what is known of its terms.
        repository: public GitHub repository (owner/name); empty where its files can't be fetched one by one.
        commit: the pinned commit there.
        upstream: (path here, path in the repository) of each sub-folder and single file.
        made: ``adcbench fetch`` makes its pairs from images that are here.
    """

    __test__ = False  # not a pytest class

    name: str
    folder: str
    pairs: int
    clips: bool = False
    frames: int = 0
    crop: int = 0
    reference: str = "HR"
    outputs: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    repository: str = ""
    commit: str = ""
    upstream: tuple[tuple[str, str], ...] = ()
    made: bool = False

    @property
    def root(self) -> Path:
        """Where it lies, or would lie, on this machine.

        What is made here is ours, and in the cache; ``data_dir()`` may be somebody else's. One that an earlier
        version made there is used.
        """
        there = data_dir() / self.folder
        return cache_dir() / _MADE / self.folder if self.made and not (there / _RECORDED).is_file() else there

    @property
    def command(self) -> str:
        """The command that fetches it."""
        return f"adcbench fetch {self.folder}"


def _video(name: str, clips: int, drive: str, note: str = "", reference: str = "HR") -> TestSet:
    """A test set of the video tables. Google Drive serves no file by address alone: it is put there by hand."""
    return TestSet(
        name,
        name.lower(),
        clips,
        clips=True,
        frames=25,  # AdcVSR: "first 25 frames, centre crop, output fixed to 512x512"
        crop=512,
        reference=reference,
        source=f"DOVE's copy: Google Drive file {drive}, GT and LQ as lossless mkv{note}",
        licence="The clips' own terms were not checked; fetched by hand, never redistributed.",
    )


def _from_teacher(name: str, folder: str, pairs: int, log: str) -> TestSet:
    """A test set inside the repository of OSEDiff, copied there from StableSR's test sets."""
    base = f"preset/datasets/benchmark_{folder}"
    layout = (*_TEACHER_LAYOUT, (LOG, f"results_osediff/metrics/{log}"))
    return TestSet(
        name,
        folder,
        pairs,
        outputs=("OSEDiff",),
        source=f"github cswry/OSEDiff, {base}: centre crops, LR 128x128, HR 512x512, copied from StableSR-TestSets",
        licence=_TEACHER_LICENCE,
        repository="cswry/OSEDiff",
        commit="fcc4f09c7ed66a9bc0ba9433940d76b343142426",
        upstream=tuple((here, f"{base}/{there}") for here, there in layout),
    )


_ALL: tuple[TestSet, ...] = (
    _from_teacher("DRealSR", "drealsr", 93, "test_METRICS_241023-173607.log"),
    _from_teacher("RealSR", "realsr", 100, "test_METRICS_241023-172854.log"),
    TestSet(
        "DIV2K-Val",
        "div2k_val",
        3000,
        source="hub dataset Iceclear/StableSR-TestSets, or DIV2K-Val.zip of hub model Guaishou74851/AdcSR: "
        "3000 crops, LR 128x128 (Real-ESRGAN degradation), HR 512x512; no list of its files is published",
        licence="DIV2K is offered for academic research; the crops' terms were not checked.",
    ),
    TestSet(
        "embedded",
        "embedded",
        len(photographs()),
        source="photographs inside scikit-image's wheel, x4-degraded by pil-bicubic",
        licence="CC0 or public domain, by image in the manifest",
    ),
    TestSet(
        "BSDS500-test",
        "bsds500_test",
        200,
        source="BSDS500's test photographs, degraded here by AdcSR's mild Real-ESRGAN pipeline (degradation.synthetic)",
        licence="BSDS500 is for non-commercial research and education; never redistributed.",
        made=True,
    ),
)
_ALL += (
    _video("UDM10", 10, "1AmGVSCwMm_OFPd3DKgNyTwj0GG2H-tG4"),
    _video("SPMCS", 30, "1b2uktCFPKS-R1fTecWcLFcOnmUFIBNWT"),
    _video("YouHQ40", 40, "1zO23UCStxL3htPJQcDUUnUeMvDrysLTh"),
    _video("RealVSR", 50, "1wr4tTiCvQlqdYPeU1dmnjb5KFY4VjGCO", "; LQ is at GT's size"),
    _video("MVSR4x", 15, "16sesBD_9Xx_5Grtx18nosBw1w94KlpQt", "; LQ is at GT's size"),
    _video("VideoLQ", 50, "1lh0vkU_llxE0un1OigJ0DWPQwt1i68Vn", "; no GT", reference="LR"),
)
TESTSETS = {testset.name: testset for testset in _ALL}


def find_testset(name: str) -> TestSet:
    """The test set of that table name or folder name; case, ``-`` and ``_`` do not matter.

    Raises:
        AdcbenchError: there is none; the message lists those there are.
    """
    wanted = name.lower().replace("-", "_")
    for testset in _ALL:
        if wanted in (testset.folder, testset.name.lower().replace("-", "_")):
            return testset
    raise AdcbenchError(f"unknown test set {name!r}. Test sets: {', '.join(TESTSETS)}")


def open_testset(name: str, full: bool = False) -> dict[str, Path]:
    """Paths of a test set, checked against its manifest.

    Args:
        name: see ``find_testset``. ``embedded`` is always here: it is written to the cache folder.
        full: compare every file's sha256, not only names and sizes.

    Returns:
        The folders ``LR``, ``HR`` and one for each released output (``OSEDiff``); where the authors
        released their per-image scores, their file as ``log``.

    Raises:
        Blocked: it is not here; the message says the command that fetches it.
        AdcbenchError: it is here, but files are missing, extra or changed; the message lists them.
    """
    testset = find_testset(name)
    if testset.name == "embedded":
        return _paths(testset, embedded_folder())
    files = manifest(testset)
    if not any((testset.root / file.path).is_file() for file in files):
        raise Blocked(f"the {testset.name} test set", testset.command)
    problems = differences(testset.root, files, full)
    if problems:
        first = "move extra files away" if testset.repository else "put them right or delete the manifest"
        raise AdcbenchError(
            f"{testset.root} differs from {manifest_path(testset)}: {'; '.join(problems)}. "
            f"To repair it, {first}, then run: {testset.command}"
        )
    return _paths(testset, testset.root)


def _paths(testset: TestSet, root: Path) -> dict[str, Path]:
    log = {"log": root / LOG} if testset.repository else {}
    return {folder: root / folder for folder in ("LR", "HR", *testset.outputs)} | log


def manifest_path(testset: TestSet) -> Path:
    """Its manifest: pinned in the package, or recorded in the cache by ``adcbench fetch``.

    One beside the images, as earlier versions recorded it, goes first.
    """
    if testset.name == "embedded":
        return EMBEDDED_MANIFEST
    if testset.repository:
        return Path(__file__).parent / "manifests" / f"{testset.folder}.csv"
    beside = testset.root / _RECORDED
    return beside if testset.made or beside.is_file() else cache_dir() / "manifests" / f"{testset.folder}.csv"


def manifest(testset: TestSet) -> tuple[ManifestFile, ...]:
    """Files of a test set that lies in a folder of ``data_dir()``.

    Raises:
        Blocked: its manifest is not pinned and not recorded yet; the message says what to do.
    """
    path = manifest_path(testset)
    if not path.is_file() and testset.made:
        raise Blocked(f"the {testset.name} test set: {testset.source}", testset.command)
    if not path.is_file():
        folder = f"$ADCBENCH_DATA/{testset.folder}"
        what = f"clips into {folder}/{testset.reference}" if testset.clips else f"PNG pairs into {folder}/LR and HR"
        raise Blocked(
            f"the {testset.name} test set ({testset.source}); put its {testset.pairs} {what}, to record their manifest",
            testset.command,
        )
    return read_manifest(path)


def manifest_hash(name: str) -> str:
    """One hash over a test set's manifest, for provenance: equal exactly when its files are the same.

    Raises:
        Blocked: see ``manifest``.
    """
    testset = find_testset(name)
    return digest(photographs() if testset.name == "embedded" else manifest(testset))
