"""Goldens: no value has moved, and machines are compared with their own kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.metrics import METRICS
from adcbench.workflows.drift import goldens
from adcbench.workflows.drift.goldens import check_goldens, compare, nearest, read_golden, write_golden
from adcbench.workflows.drift.values import IMAGES, Golden

# What a mistake in a metric or network would move; the networks of metrics are in `adcbench drift`.
VALUES = [
    *(m.name for m in METRICS.values() if m.function and not m.of_clips and ":" not in m.name),
    "lpips",
    "dists",
    "adcsr-mini",
]


@pytest.mark.parametrize("name", VALUES)
def test_no_golden_has_moved(name: str) -> None:
    found = check_goldens("cpu", only=(name,))
    if found.blocked and not found.cells:
        pytest.skip(found.blocked[0])
    assert found.passed, str(found)


@pytest.mark.golden
def test_no_golden_with_trained_weights_has_moved(real_weights: Path) -> None:
    found = check_goldens("cpu", only=("lpips", "lpips-vgg", "dists"))
    assert found.passed and found.cells == 3 * 2 * len(IMAGES), str(found)


def golden(kind: str = "x86_64-AVX512", torch: str = "2.8", **values: float) -> Golden:
    named = {f"{name} / chelsea": value for name, value in values.items()}
    return Golden(kind, "a machine", {"torch": torch, "pyiqa": "0.1.15"}, {"adcbench.metrics.image.psnr": "1"}, named)


def test_a_machine_is_compared_with_its_own_kind_or_the_nearest(tmp_path: Path) -> None:
    kinds = ("x86_64-AVX512", "x86_64-AVX2", "arm64-DEFAULT", "cuda-9.0-NVIDIA-H100")
    for kind in kinds:
        write_golden(golden(kind), tmp_path / f"{kind}.json")
    for kind in kinds:
        assert nearest(kind, tmp_path) == golden(kind)
    for kind, found in (("x86_64-DEFAULT", "x86_64"), ("cuda-9.0-NVIDIA-H200", "cuda"), ("arm64-SVE", "arm64")):
        assert nearest(kind, tmp_path).kind.startswith(found)  # type: ignore[union-attr]
    assert nearest("x86_64-AVX2", tmp_path / "empty") is None


def test_another_kind_of_machine_is_compared_loosely_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goldens, "kind_of_machine", lambda device: "x86_64-AVX512")
    monkeypatch.setattr(goldens, "measure", lambda device, only: golden(psnr=30.0, lpips=0.5))
    slightly = golden(psnr=30.0, lpips=0.5001)
    write_golden(slightly, tmp_path / "x86_64-AVX512.json")
    found = check_goldens("cpu", tmp_path)
    assert not found.passed
    assert found.moved == ("lpips / chelsea moved from 0.5001 to 0.5 (-0.0001, 2.0e-04 of it); " + NOT_DETERMINISTIC,)
    (tmp_path / "x86_64-AVX512.json").unlink()
    write_golden(replace(slightly, kind="x86_64-AVX2"), tmp_path / "x86_64-AVX2.json")
    found = check_goldens("cpu", tmp_path)
    assert found.passed
    assert "no golden of x86_64-AVX512: compared loosely with x86_64-AVX2" in str(found)


NOT_DETERMINISTIC = "changed: nothing that is known: a result that is not deterministic"


def test_a_value_without_a_golden_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goldens, "kind_of_machine", lambda device: "x86_64-AVX512")
    monkeypatch.setattr(goldens, "measure", lambda device, only: golden(psnr=30.0, ssim=0.9))
    assert not check_goldens("cpu", tmp_path).passed  # no golden at all
    write_golden(golden(psnr=30.0), tmp_path / "x86_64-AVX512.json")
    assert "ssim / chelsea: has no golden" in str(check_goldens("cpu", tmp_path))


def test_damaged_goldens_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(AdcbenchError, match=r"x\.json: damaged: it has no kind, .* adcbench drift --record"):
        read_golden(tmp_path / "x.json")


def test_library_and_module_are_named_beside_a_moved_value() -> None:
    new = replace(golden(psnr=31.0, torch="2.9"), sources={"adcbench.metrics.image.psnr": "2"})
    assert compare(golden(psnr=30.0), new, goldens.LOOSE) == [
        "psnr / chelsea moved from 30 to 31 (+1, 3.3e-02 of it); "
        "changed: libraries torch 2.8 -> 2.9; sources (adcbench.metrics.image.psnr)"
    ]


GOLDEN = Golden("x86_64-AVX2", "a machine", {"torch": "2"}, {"m": "h"}, {"psnr / a": 1.0}, ("b",), ("f",))


def test_goldens_round_trip_and_damaged_ones_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_golden(GOLDEN, path)
    assert read_golden(path) == GOLDEN
    text = path.read_text()
    for bad in (text[:-9], "[]", text.replace("1.0", "NaN"), text.replace("1.0", '"1"'), text.replace('"kind"', '"k"')):
        path.write_text(bad)
        with pytest.raises(AdcbenchError, match=r"x\.json: damaged: .*, or record it again: adcbench drift --record"):
            read_golden(path)
    monkeypatch.setattr(goldens, "measure", lambda *args: pytest.fail("it measured"))
    found = check_goldens(folder=tmp_path)
    assert not found.passed and "x.json: damaged" in str(found)
