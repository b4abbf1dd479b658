"""The signature of a score says everything that its value depends on but the pixels."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from adcbench import __version__
from adcbench.core.keys import short, versions
from adcbench.core.weight_files import WeightFile
from adcbench.metrics import METRICS
from adcbench.metrics.metric import Metric, Scorer

EVERY = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
WITH_FILES = [metric for metric in METRICS.values() if metric.files]
FILES = pytest.mark.parametrize("metric", WITH_FILES, ids=lambda m: m.name)


def load(weights: Any, device: str) -> Scorer:
    raise NotImplementedError


@EVERY
def test_it_says_every_setting(metric: Metric) -> None:
    signature = metric.signature
    words = ["range", *metric.settings, *(() if metric.of_clips else ("colour", "crop"))]
    words += ["resize"] if not metric.of_clips and (metric.load or metric.files) else []
    words += ["seed"] if "random" in str(metric.settings.get("sampling")) else []
    assert signature.startswith(f"{metric.name.partition(':')[0]} | ")
    assert not [word for word in words if not re.search(rf"\b{word}=\S", signature)], signature


@FILES
def test_it_says_libraries_and_checkpoints(metric: Metric) -> None:
    """Of metrics that are code of ours alone the version of numpy is in the cache key only."""
    for name, version in versions(*metric.libraries).items():
        assert (f"{name} {version}" in metric.signature) == (metric.is_network or metric.of_clips)
    assert metric.signature.endswith(f"adcbench {__version__}")
    for file in metric.files:
        assert re.search(rf"{re.escape(file.name)}=([0-9a-f]{{16}}|unknown)\b", metric.signature), metric.signature
        assert file.sha256[:16] in metric.signature


def test_networks_have_checkpoints() -> None:
    assert [metric.name for metric in METRICS.values() if metric.load and not metric.files] == []


def test_all_differ() -> None:
    assert len({metric.signature for metric in METRICS.values()}) == len(METRICS)
    assert len({metric.key for metric in METRICS.values()}) == len(METRICS)


@EVERY
def test_a_new_version_of_a_library_is_another_score(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    signature, key = metric.signature, metric.key
    for library in metric.libraries:
        newer = {**versions(*metric.libraries), library: "999"}
        with monkeypatch.context() as patch:
            patch.setattr("adcbench.metrics.metric.versions", lambda *names, newer=newer: newer)
            assert metric.key != key
            assert (metric.signature != signature) == (metric.is_network or metric.of_clips)


@FILES
def test_another_checkpoint_is_another_score(metric: Metric) -> None:
    for i, file in enumerate(metric.files):
        files = (*metric.files[:i], replace(file, sha256="f" * 64), *metric.files[i + 1 :])
        other = replace(metric, files=files)
        assert other.signature != metric.signature
        assert other.key != metric.key


def test_a_checkpoint_without_published_hash_shows_that_of_the_file(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    metric = Metric("toy", {}, load=load, files=(WeightFile("toy.pth", ""),))
    assert "toy.pth=unknown" in metric.signature
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/toy.pth").write_bytes(b"one")
    assert f"toy.pth={short('7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed')}" in metric.signature
    (tmp_path / "metrics/toy.pth").write_bytes(b"other")
    assert "toy.pth=7692" not in metric.signature


def test_those_of_committed_tables_stay() -> None:
    """Scores of two runs compare only if these are equal to the letter."""
    end = f" | range=0-255 uint8 | adcbench {__version__}"
    assert METRICS["psnr"].signature == "psnr | colour=y-studio crop=0" + end
    assert METRICS["ssim"].signature == "ssim | colour=y-studio crop=0 round_values=yes clamp_contrast=yes" + end


def test_they_are_known_without_loading_a_library() -> None:
    code = (
        "import sys; from adcbench.metrics import METRICS; [m.signature for m in METRICS.values()];"
        "print([m for m in ('torch', 'torchvision', 'pyiqa', 'lpips', 'cv2', 'av', 'timm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
