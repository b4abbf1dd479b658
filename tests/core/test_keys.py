"""Cache keys change exactly when something that matters changes."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from adcbench.core import keys
from adcbench.core.keys import digest, pixel_hash, source_closure, source_hash


def code(text: str) -> str:
    return keys._code(ast.parse(text))


def test_comments_docstrings_and_layout_do_not_count() -> None:
    plain = "def f(x: int = 1) -> int:\n    return x + 1\n"
    dressed = '"""Module."""\n\n# why\ndef f(x: int=1) -> int:\n    """Doc."""\n    return (x + 1)  # more\n'
    assert code(plain) == code(dressed)


@pytest.mark.parametrize("text", ["x = 2", "x = 1.0", "y = 1", "x = -1", "x: int = 1", "x += 1", "x = [1]", "x = (1,)"])
def test_any_other_code_counts(text: str) -> None:
    assert code("x = 1") != code(text)


def test_keyword_only_and_defaults_count() -> None:
    forms = ["def f(a, b): 0", "def f(a, *, b): 0", "def f(a, b=None): 0", "def f(a, /, b): 0", "async def f(a, b): 0"]
    assert len({code(form) for form in forms}) == len(forms)


def test_equal_on_every_python() -> None:
    """The text of a tree, pinned: a Python that prints it otherwise would move every committed provenance."""
    arguments = "arguments(args=[arg(arg='x')])"
    body = "[Return(value=Name(id='x',ctx=Load()))]"
    assert code("def f(x): return x") == f"Module(body=[FunctionDef(name='f',args={arguments},body={body})])"


def test_closure_follows_imports_inside_functions_and_stays_in_the_package() -> None:
    closure = source_closure("adcbench.tables")
    assert {
        "adcbench.tables",
        "adcbench.cost.counts",
        "adcbench.core.keys",
        "adcbench.inference.upscale",
    } <= set(closure)
    assert all(name.split(".")[0] == "adcbench" for name in closure)


def test_a_metric_does_not_depend_on_models_nor_a_model_on_metrics() -> None:
    assert not any(name.startswith("adcbench.systems") for name in source_closure("adcbench.metrics.image.ssim"))
    assert not any(name.startswith("adcbench.metrics") for name in source_closure("adcbench.systems.adcsr"))


TREE = {
    "core.py": "def halve(x): return x / 2",
    "metrics/psnr.py": "from adcbench.core import halve\ndef psnr(x): return halve(x)",
    "metrics/ssim.py": "from adcbench import core\nfrom adcbench.metrics import psnr\nprint(core, psnr.psnr)",
}
MOVED = {
    "base.py": TREE["core.py"],
    "image/psnr.py": TREE["metrics/psnr.py"].replace("adcbench.core", "adcbench.base"),
    "image/ssim.py": "from adcbench import base as core\nfrom adcbench.image import psnr\nprint(core, psnr.psnr)",
}


@pytest.fixture
def hash_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The source hash of modules of a made-up adcbench."""

    def forget() -> None:
        for cached in (keys._path, keys._tree, keys._imports, keys.code_hash, keys._linked_hash):
            cached.cache_clear()

    def hashed(tree: dict[str, str], *modules: str) -> str:
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        for name, text in tree.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        monkeypatch.setattr(keys, "PACKAGE", folder)
        forget()
        return source_hash(*modules)

    yield hashed
    forget()


def test_a_module_that_is_moved_or_renamed_changes_no_key(hash_of: Callable[..., str]) -> None:
    assert hash_of(TREE, "adcbench.metrics.ssim") == hash_of(MOVED, "adcbench.image.ssim")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("core.py", "/ 2", "/ 3"),
        ("metrics/psnr.py", "return halve(x)", "return -halve(x)"),
        ("metrics/ssim.py", "core, psnr.psnr", "psnr.psnr, core"),
        ("metrics/ssim.py", "from adcbench import core", "from adcbench.metrics import psnr as core"),  # both are in it
    ],
)
def test_code_anywhere_in_the_closure_changes_the_key(
    hash_of: Callable[..., str], file: str, old: str, new: str
) -> None:
    assert old in TREE[file]
    changed = TREE | {file: TREE[file].replace(old, new)}
    assert hash_of(TREE, "adcbench.metrics.ssim") != hash_of(changed, "adcbench.metrics.ssim")


def test_the_module_that_is_asked_for_counts(hash_of: Callable[..., str]) -> None:
    both = TREE | {"metrics/psnr.py": f"from adcbench.metrics import ssim\n{TREE['metrics/psnr.py']}"}  # a cycle
    assert hash_of(both, "adcbench.metrics.ssim") != hash_of(both, "adcbench.metrics.psnr")


def test_hashing_sources_imports_nothing_heavy() -> None:
    command = "import sys; from adcbench.core.keys import source_hash; source_hash('adcbench.systems.osediff.network');"
    command += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_source_hash_tells_modules_apart() -> None:
    assert source_hash("adcbench.metrics.image.psnr") != source_hash("adcbench.metrics.image.ssim")


@pytest.mark.parametrize(
    "image", [np.arange(24, dtype=np.uint8).reshape(2, 4, 3), np.eye(3), np.zeros((0, 3)), np.bool_(1)]
)
def test_pixel_hashes_are_those_that_are_kept_and_committed(image: np.ndarray) -> None:
    """Taken without a copy of the pixels, they are the same as of the copy."""
    pixels = np.ascontiguousarray(image)
    assert pixel_hash(image) == hashlib.sha256(f"{pixels.shape}{pixels.dtype}".encode() + pixels.tobytes()).hexdigest()


def test_a_large_image_is_hashed_without_a_copy() -> None:
    image = np.zeros((1000, 1000, 3), np.uint8)
    tracemalloc.start()
    pixel_hash(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_pixel_hash_sees_pixels_shape_and_type_only() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert pixel_hash(image) == pixel_hash(np.repeat(image, 2, axis=1)[:, ::2])
    others = [image + 1, image.reshape(4, 2, 3), image.astype(np.uint16)]
    assert len({pixel_hash(image), *map(pixel_hash, others)}) == 4


def test_digest_does_not_depend_on_the_order_of_a_dict() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])


PACKAGE_FILES = {
    "__init__.py": "LIMIT = 1",
    "metrics.py": "from . import LIMIT\nfrom .parts import scale",
    "parts/__init__.py": "",
    "parts/scale.py": "def f():\n    from own_package.parts.deep import x",
    "parts/deep.py": "x = 1",
    "parts/other.py": "y = 1",
    "old.py": "print 'for another Python'",
}


@pytest.mark.parametrize("changed", PACKAGE_FILES)
def test_of_a_users_module_all_of_its_package_that_it_imports_counts(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative imports too; nothing of it is run, and what no Python of ours can read is left out."""
    monkeypatch.syspath_prepend(tmp_path)

    def hashed(files: dict[str, str]) -> str:
        for name, text in files.items():
            (tmp_path / "own_package" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "own_package" / name).write_text(text)
        for cached in (keys._path, keys._tree, keys._imports, keys.code_hash, keys._linked_hash):
            cached.cache_clear()
        return source_hash("own_package.metrics")

    files = PACKAGE_FILES | {"metrics.py": PACKAGE_FILES["metrics.py"] + "\nfrom .old import gone"}
    before, after = hashed(files), hashed(files | {changed: files[changed] + "\nz = 1"})
    assert (before == after) == (changed in ("parts/other.py", "old.py"))
    assert "own_package.parts" not in sys.modules
