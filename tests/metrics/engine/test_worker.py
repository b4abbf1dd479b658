"""Networks of metrics run in a process of their own, and nothing of them reaches ours."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import WeightFile
from adcbench.data.media import pair
from adcbench.data.media.images import read_png, write_png
from adcbench.metrics import METRICS
from adcbench.metrics.engine import scoring, worker
from adcbench.metrics.engine.frames import SampleWork
from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric, Scorer, SetScore

Folders = tuple[Path, Path]
Weights = Mapping[str, Path] | None


# Toy networks. They live here at module level, as the other process imports them.


def load_mean(weights: Weights, device: str) -> Scorer:
    """Mean of SR; refuses black images, and dies of white ones."""

    def scorer(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        if not sr.any(axis=(1, 2, 3)).all():
            raise ValueError("black")
        if (sr == 255).all(axis=(1, 2, 3)).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return sr.mean(axis=(1, 2, 3))

    return scorer


def load_pid(weights: Weights, device: str) -> Scorer:
    return lambda sr, hr: np.full(len(sr), float(os.getpid()))


def load_count(weights: Weights, device: str) -> Scorer:
    """1000 for each image seen so far, and the mean of this one."""
    seen: list[int] = []

    def scorer(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        seen.extend([1] * len(sr))
        return 1000 * (len(seen) - np.arange(len(sr))[::-1]) + np.round(sr.mean(axis=(1, 2, 3)))

    return scorer


def load_batch(weights: Weights, device: str) -> Scorer:
    return lambda sr, hr: np.full(len(sr), float(len(sr)))


def load_features(weights: Weights, device: str) -> Scorer:
    def scorer(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        return np.stack([sr.mean(axis=(1, 2)), hr.mean(axis=(1, 2))], axis=1) / 3

    return scorer


def over_set(features: np.ndarray) -> SetScore:
    value = float((features * np.arange(len(features))[:, None, None]).sum())
    return SetScore(value, len(features), (value, value))


def load_seeding(weights: Weights, device: str) -> Scorer:
    """What pyiqa 0.1.9 to 0.1.15 did."""
    import torch

    os.environ["TORCH_HOME"] = "/nowhere"
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = True
    torch.set_grad_enabled(False)
    return lambda sr, hr: np.full(len(sr), random.random())


def load_broken(weights: Weights, device: str) -> Scorer:
    """Fails, and keeps count in the file that HR's folder has."""
    assert weights
    with weights["tries"].open("a") as file:
        file.write("x")
    raise RuntimeError("no such device")


def toy(load: Callable[..., Scorer], name: str = "", **changes: Any) -> Metric:
    return Metric(name or load.__name__, {}, load=load, takes=changes.pop("takes", "image"), **changes)


MEAN, PID = toy(load_mean), toy(load_pid)
COUNT = toy(load_count, ordered=True, batch=3)
SET = toy(load_features, takes="set", over_set=over_set)
PLAIN = [METRICS["psnr"]]
NETWORKS = [metric for metric in METRICS.values() if metric.load]


def save(root: Path, greys: list[int], size: tuple[int, int] = (16, 16)) -> Folders:
    """A folder of grey images and of their HR partners, one level brighter."""
    for i, grey in enumerate(greys):
        write_png(root / "sr" / f"{i:02d}.png", np.full((*size, 3), grey, np.uint8))
        write_png(root / "hr" / f"{i:02d}.png", np.full((*size, 3), min(grey + 1, 255), np.uint8))
    return root / "sr", root / "hr"


def scored(folders: Folders, *metrics: Metric, **options: Any) -> Scored:
    return score(pair(*folders), metrics, progress=False, **options)


def values(found: Scored, metric: Metric) -> list[float]:
    return [value for _, value in found.scores[metric.name]]


def test_all_networks_share_one_process_that_is_not_ours(tmp_path: Path) -> None:
    other = toy(load_pid, "other", batch=2)
    found = scored(save(tmp_path, list(range(10, 22))), PID, other)
    pids = {*values(found, PID), *values(found, other)}
    assert len(pids) == 1
    assert pids != {os.getpid()}


def _state() -> tuple[Any, ...]:
    import torch

    cudnn = torch.backends.cudnn
    flags = cudnn.deterministic, cudnn.benchmark, torch.is_grad_enabled(), torch.get_num_threads()
    drawn = random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002
    return flags, drawn, dict(os.environ)


def test_a_library_that_seeds_everything_changes_nothing_here(tmp_path: Path) -> None:
    before = _state()
    found = scored(save(tmp_path, [10, 20]), toy(load_seeding), *PLAIN)
    assert values(found, toy(load_seeding))[0] == pytest.approx(0.1343642441)  # random.seed(1): it did run
    assert _state() == before


def test_a_bad_image_is_named_and_others_and_other_metrics_are_kept(tmp_path: Path) -> None:
    folders = save(tmp_path, [10, 0, 30, 40])
    (folders[0] / "03.png").write_bytes(b"no image")
    found = scored(folders, MEAN, PID, *PLAIN)
    assert found.scores["load_mean"] == (("00", 10.0), ("02", 30.0))
    assert found.unscored["load_mean"][0] == ("01", "black")
    assert found.lost("load_mean") == ("01", "03")
    assert found.lost("load_pid") == found.lost("psnr") == ("03",)


def test_a_killed_process_is_an_error_and_scores_so_far_are_kept(tmp_path: Path) -> None:
    one_by_one = toy(load_mean, batch=1)
    folders = save(tmp_path, [*range(10, 18), 255])
    with pytest.raises(AdcbenchError, match="load_mean was killed"):
        scored(folders, one_by_one)
    assert sorted(store.every("score").values()) == list(range(10, 18))


def test_ordered_metrics_see_images_in_order_and_once_and_never_the_store(tmp_path: Path) -> None:
    folders = save(tmp_path, [50, 40, 30, 20, 10])
    scored((folders[0], folders[1]), MEAN)  # MEAN is then known of all, and lists of missing metrics differ
    write_png(folders[0] / "02.png", np.full((16, 16, 3), 35, np.uint8))
    expected = [1050, 2040, 3035, 4020, 5010]
    for _ in range(2):
        assert values(scored(folders, MEAN, COUNT), COUNT) == expected
    assert not any(value >= 1000 for value in store.every("score").values())


def test_each_image_is_decoded_once_for_all_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("adcbench.data.media.clips.read_png", lambda path: (read.append(path), read_png(path))[1])
    folders = save(tmp_path, [1, 2, 3])
    scored(folders, MEAN, PID, SET, COUNT, *PLAIN, METRICS["ssim"])
    assert sorted(read) == sorted(path for folder in folders for path in folder.iterdir())


def test_a_set_gives_one_value_in_the_order_of_the_list_and_equal_from_the_store(tmp_path: Path) -> None:
    folders = save(tmp_path, list(range(7, 20)))
    found = scored(folders, SET)
    expected = sum(i * 3 * (grey + grey + 1) for i, grey in enumerate(range(7, 20))) / 3
    assert found.sets["load_features"].value == pytest.approx(expected)
    assert found.sets["load_features"].n == 13
    assert scored(folders, SET, *PLAIN).sets == found.sets
    assert len(store.every("score")) == 26


def test_a_set_that_has_no_value_is_an_error_that_says_why() -> None:
    def refuse(features: np.ndarray) -> SetScore:
        raise ValueError("two images or more")

    work = SampleWork("a", rows={"one": [np.zeros((2, 4))]})
    with pytest.raises(AdcbenchError, match="one of 1 images: two images or more"):
        scoring._collect([toy(load_features, "one", takes="set", over_set=refuse)], [work], "")


def test_batches_have_one_size_and_at_most_what_each_metric_takes(tmp_path: Path) -> None:
    three, eight = toy(load_batch, "three", batch=3), toy(load_batch, "eight", batch=8)
    save(tmp_path, [1] * 10)
    folders = save(tmp_path, [2] * 2, (8, 8))  # the first two get another size
    found = scored(folders, three, eight)
    assert values(found, three) == [2] * 2 + [3] * 6 + [2] * 2
    assert values(found, eight) == [2] * 2 + [8] * 8


def test_nothing_of_deterministic_weights_is_stored(tmp_path: Path) -> None:
    scored(save(tmp_path, [1, 2]), MEAN, *PLAIN, deterministic=True)
    assert not store.every("score")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("a process was to be started")

    monkeypatch.setattr(worker, "ProcessPoolExecutor", refuse)
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))


@pytest.mark.usefixtures("no_process")
@pytest.mark.parametrize("metric", NETWORKS, ids=lambda m: m.name)
def test_missing_weights_block_at_once_with_the_command(metric: Metric, tmp_path: Path) -> None:
    folders = save(tmp_path, [1])
    metric = replace(metric, locate=None)  # some come whole with a package
    start = time.perf_counter()
    with pytest.raises(Blocked) as error:
        scored(folders, metric)
    assert time.perf_counter() - start < 1
    assert any(file.name in error.value.missing for file in metric.files)
    assert error.value.command == f"adcbench weights fetch {metric.name.partition(':')[0]}"


def _with_file(load: Callable[..., Scorer], content: bytes, sha256: str = "") -> Metric:
    """A toy that needs a file, which is written where it belongs."""
    file = WeightFile("tries", "", sha256=sha256)
    path = file.path("metrics")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return toy(load, files=(file,), batch=1)


@pytest.mark.usefixtures("no_process")
def test_a_weights_file_of_another_metric_is_refused(tmp_path: Path) -> None:
    metric = _with_file(load_broken, b"other", sha256="0" * 64)
    with pytest.raises(AdcbenchError, match=r"metrics/tries: not the file tries of load_broken.*weights fetch"):
        scored(save(tmp_path, [1]), metric)


def test_a_network_that_cannot_be_built_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "weights"))
    metric = _with_file(load_broken, b"0")
    with pytest.raises(RuntimeError, match="no such device"):
        scored(save(tmp_path, [1]), metric)
    assert (tmp_path / "weights" / "metrics" / "tries").read_text() == "0x"


@pytest.mark.usefixtures("no_process")
def test_a_missing_library_blocks_at_once_with_the_command(tmp_path: Path) -> None:
    metric = toy(load_mean, libraries=("numpy", "no-such-library"))
    with pytest.raises(Blocked, match=r"the library no-such-library of load_mean.*pip install"):
        scored(save(tmp_path, [1]), metric)


_PARENT = """
import sys, time
sys.path.insert(0, {here!r})
import numpy as np
if __name__ == "__main__":
    from test_worker import PID
    from adcbench.metrics.engine.worker import scoring_process
    with scoring_process([PID]) as submit:
        print(int(submit([PID], np.zeros((1, 4, 4, 3), np.uint8), None).result()["load_pid"][0]), flush=True)
        time.sleep(60)
"""


def test_the_process_ends_when_ours_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT.format(here=str(Path(__file__).parent)))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, _ = psutil.wait_procs([child], timeout=10)
    if not gone:
        child.kill()
    assert gone
