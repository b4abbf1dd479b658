"""Cache keys change exactly when something that matters changes."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import tracemalloc

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
    closure = source_closure("adcbench.tables.running")
    assert {
        "adcbench.tables.running",
        "adcbench.cost.counts",
        "adcbench.core.keys",
        "adcbench.inference.upscale",
    } <= set(closure)
    assert all(name.split(".")[0] == "adcbench" for name in closure)


def test_a_metric_does_not_depend_on_models_nor_a_model_on_metrics() -> None:
    assert not any(name.startswith("adcbench.systems") for name in source_closure("adcbench.metrics.image.ssim"))
    assert not any(name.startswith("adcbench.metrics") for name in source_closure("adcbench.systems.adcsr"))


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
