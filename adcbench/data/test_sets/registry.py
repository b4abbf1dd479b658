"""Find a test set by its name, ours or a user's, and open it: check what is here against its manifest."""

from __future__ import annotations

from collections.abc import Collection
from importlib import metadata
from pathlib import Path

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.core.own_code import calling
from adcbench.core.settings import cache_dir
from adcbench.data.test_sets.image_sets import IMAGE_SETS
from adcbench.data.test_sets.manifest import ManifestFile, differences, read_manifest
from adcbench.data.test_sets.test_set import LOG, RECORDED, OpenTestSet, TestSet
from adcbench.data.test_sets.video_sets import VIDEO_SETS

GROUP = "adcbench.test_sets"  # entry points of a user's package, each a TestSet
_MANIFESTS = Path(__file__).parent / "manifests"
TEST_SETS = {test_set.name: test_set for test_set in (*IMAGE_SETS, *VIDEO_SETS)}


def find_test_set(name: str) -> TestSet:
    """The test set of that table name or folder name; case, ``-`` and ``_`` do not matter.

    One that is not ours is an entry point of an installed package, in the group ``adcbench.test_sets``: its name gives
    a ``TestSet``.

    Raises:
        AdcbenchError: there is none; the message lists those there are. Or a package's can't be loaded, or is none.
    """
    wanted = _plain(name)
    for test_set in TEST_SETS.values():
        if wanted in (_plain(test_set.folder), _plain(test_set.name)):
            return test_set
    own = _entry_points()
    if wanted in own:
        return _loaded(own[wanted])
    names = (*TEST_SETS, *(point.name for point in own.values()))
    raise AdcbenchError(f"unknown test set {name!r}. Test sets: {', '.join(names)}")


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _entry_points() -> dict[str, metadata.EntryPoint]:
    return {_plain(point.name): point for point in metadata.entry_points(group=GROUP)}


def _loaded(point: metadata.EntryPoint) -> TestSet:
    with calling(f"test set {point.name!r}: cannot load {point.value}:"):
        test_set = point.load()
    if not isinstance(test_set, TestSet):
        raise AdcbenchError(f"test set {point.name!r}: {point.value} is a {type(test_set).__name__}, not a TestSet")
    if _plain(point.name) not in (_plain(test_set.folder), _plain(test_set.name)):
        raise AdcbenchError(f"test set {point.name!r}: {point.value} is called {test_set.name!r}; give both one name")
    return test_set


def all_test_sets() -> list[TestSet]:
    """Ours, then those of installed packages.

    Raises:
        AdcbenchError: a package's can't be loaded, or is none.
    """
    return [*TEST_SETS.values(), *map(_loaded, _entry_points().values())]


def open_test_set(name: str, full: bool = False) -> OpenTestSet:
    """A test set that is here, checked against its manifest.

    Args:
        name: see ``find_test_set``. ``embedded`` is always here: it is written to the cache folder.
        full: compare every file's sha256, not only names and sizes.

    Raises:
        Blocked: it is not here; the message says the command that fetches it.
        AdcbenchError: it is here, but files are missing, extra or changed; the message lists them.
    """
    test_set = find_test_set(name)
    if inside := test_set.inside:
        return _opened(test_set, inside.write(), {"LR", "HR"}, digest(inside.contents()))
    files = manifest(test_set)
    if not any((test_set.root / file.path).is_file() for file in files):
        raise Blocked(f"the {test_set.name} test set", test_set.command)
    problems = differences(test_set.root, files, full)
    if problems:
        first = "move extra files away" if test_set.repository else "put them right or delete the manifest"
        raise AdcbenchError(
            f"{test_set.root} differs from {manifest_path(test_set)}: {'; '.join(problems)}. "
            f"To repair it, {first}, then run: {test_set.command}"
        )
    here = {file.path.partition("/")[0] for file in files}
    is_pack = manifest_path(test_set) == _packed(test_set)  # the same pixels, and so the same hash
    same = read_manifest(_pinned(test_set)) if is_pack else files
    return _opened(test_set, test_set.root, here, digest(same))


def _opened(test_set: TestSet, root: Path, here: Collection[str], manifest_hash: str) -> OpenTestSet:
    folders = {part: root / folder for part in test_set.parts if (folder := test_set.folder_of(part)) in here}
    return OpenTestSet(test_set, folders, manifest_hash, root / LOG if LOG in dict(test_set.upstream) else None)


def _pinned(test_set: TestSet) -> Path:
    return _MANIFESTS / f"{test_set.folder}.csv"


def _packed(test_set: TestSet) -> Path:
    return _MANIFESTS / f"{test_set.folder}_packed.csv"


def manifest_path(test_set: TestSet) -> Path:
    """The manifest of a set that is in no package: pinned here, or recorded in the cache by ``adcbench fetch``.

    One beside the images, as earlier versions recorded it, goes first. Of a pinned set of clips another manifest may
    hold a pack, one lossless video a clip with the very pixels of the frames: it is taken where the pack is here.
    """
    if test_set.repository:
        packed = _packed(test_set)
        is_here = packed.is_file() and any((test_set.root / file.path).is_file() for file in read_manifest(packed))
        return packed if is_here else _pinned(test_set)
    beside = test_set.root / RECORDED
    return beside if test_set.made_by or beside.is_file() else cache_dir() / "manifests" / f"{test_set.folder}.csv"


def manifest(test_set: TestSet) -> tuple[ManifestFile, ...]:
    """Files of a test set that lies in a folder of ``data_dir()``.

    Raises:
        Blocked: its manifest is not pinned and not recorded yet; the message says what to do.
    """
    path = manifest_path(test_set)
    if not path.is_file() and test_set.made_by:
        raise Blocked(f"the {test_set.name} test set: {test_set.source}", test_set.command)
    if not path.is_file():
        places = f"$ADCBENCH_DATA/{test_set.folder}/{' and '.join(test_set.needs)}"
        raise Blocked(
            f"the {test_set.name} test set ({test_set.source}); put its {test_set.size} {test_set.holds} into "
            f"{places}, to record their manifest",
            test_set.command,
        )
    return read_manifest(path)
