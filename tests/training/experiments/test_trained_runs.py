"""Scores of trained runs: written whole, replaced, read back, and refused where they are damaged."""

from __future__ import annotations

import gzip
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import CHECKOUT
from adcbench.training.experiments.trained_runs import SHARED, Trained, append_run, read_runs, runs_folder

COMMITTED = (  # file, bytes, sha256
    ("runs.jsonl", 43228, "645a173cb49c2ee1b4a561b5c22b093ca7f91d365ff77599b5d85614a00e84cd"),
    ("runs.csv.gz", 1017829, "c6ea830d5852f421d70368805f55bc54ac0be803cedabc2205fb9f39a9941360"),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "cache"))


def trained(run: str = "adcsr", seed: int = 0) -> Trained:
    return Trained(run, seed, "c0ffee", 4000, 612.5, 2_500_000, "2.15.0", 2, "cpu", "5eed")


def psnr(*values: float, names: str = "abcdef") -> dict[tuple[str, str], dict[str, float]]:
    return {("DRealSR", "psnr"): dict(zip(names, values, strict=False))}


def add(root: Path, run: str, seed: int, *values: float) -> None:
    append_run("adcsr", trained(run, seed), psnr(*values), root)


def test_nothing_trained_yet(tmp_path: Path) -> None:
    runs = read_runs("adcsr", tmp_path)
    assert not runs.trained and runs.seeds("adcsr") == () and runs.test_sets == ()


def test_what_is_added_is_read_back(tmp_path: Path) -> None:
    scores = psnr(27.1, 28.2) | {("BSDS500-test", "niqe"): {"x": 5.5}}
    append_run("adcsr", trained(), scores, tmp_path)
    runs = read_runs("adcsr", tmp_path)
    assert runs.trained == {("adcsr", 0): trained()}
    assert {place: dict(found) for place, found in runs.scores["adcsr", 0].items()} == scores
    assert runs.test_sets == ("BSDS500-test", "DRealSR")


def test_a_later_result_of_a_run_and_seed_is_a_line_that_names_the_older_one(tmp_path: Path) -> None:
    add(tmp_path, "adcsr", 1, 1.0, 2.0)
    add(tmp_path, "adcsr", 0, 1.0, 2.0)
    before = {name: (runs_folder("adcsr", tmp_path) / name).read_bytes() for name in ("runs.csv.gz", "runs.jsonl")}
    append_run("adcsr", replace(trained(), steps=8000), psnr(3.0), tmp_path)
    runs = read_runs("adcsr", tmp_path)
    assert runs.seeds("adcsr") == (0, 1)
    assert runs.trained["adcsr", 0].steps == 8000
    assert runs.scores["adcsr", 0]["DRealSR", "psnr"] == {"a": 3.0}
    assert [(one.run, one.seed, one.steps) for one in runs.replaced] == [("adcsr", 0, 4000)]
    for name, data in before.items():  # nothing that was written is written again
        assert (runs_folder("adcsr", tmp_path) / name).read_bytes()[: len(data)] == data, name
    *_, older, newest = (runs_folder("adcsr", tmp_path) / "runs.jsonl").read_text().splitlines(keepends=True)
    assert json.loads(newest)["replaces"] == hashlib.sha256(older.encode()).hexdigest()[:16]
    append_run("adcsr", replace(trained(), steps=9000), psnr(3.0), tmp_path)
    assert [one.steps for one in read_runs("adcsr", tmp_path).replaced] == [4000, 8000]
    assert read_runs("adcsr", tmp_path).trained["adcsr", 0].steps == 9000


@pytest.mark.parametrize("edit", ["config", "steps", "line"])
def test_a_line_that_is_edited_afterwards_shows(tmp_path: Path, edit: str) -> None:
    """As 63 config hashes once were: docs/claims.md."""
    for seed in range(3):
        add(tmp_path, "adcsr", seed, 1.0 + seed)
    file = runs_folder("adcsr", tmp_path) / "runs.jsonl"
    first, *others = file.read_text().splitlines(keepends=True)
    line = json.loads(first)
    edited = "" if edit == "line" else json.dumps(line | {edit: "c0de" if edit == "config" else 1}) + "\n"
    file.write_text(edited + "".join(others))
    with pytest.raises(AdcbenchError, match="one of them was edited, or taken away"):
        read_runs("adcsr", tmp_path)


def test_the_committed_rows_are_not_edited() -> None:
    """The first 97 results, as they were when rows became append-only; those that follow have hashes in them."""
    folder = CHECKOUT / "runs" / "adcsr" if CHECKOUT else None
    if folder is None or not folder.is_dir():
        pytest.skip("no checkout with runs/adcsr")
    for name, size, sha256 in COMMITTED:
        start = (folder / name).read_bytes()[:size]
        assert hashlib.sha256(start).hexdigest() == sha256, (
            f"{name}: add rows, edit none (training.experiments.trained_runs)"
        )
    assert len(read_runs("adcsr", folder.parent).trained) >= 97


def test_the_committed_runs_are_of_the_settings_of_today() -> None:
    """Else every one would be trained again."""
    from adcbench.training.experiments.claim_runs import PAPER, config_of, variant

    known = read_runs(PAPER).trained
    if not known:
        pytest.skip("no checkout with runs/adcsr")
    trained = {slot: one.config for slot, one in known.items() if one.steps}
    assert len(trained) >= 95
    assert trained == {(name, seed): config_of(variant(name, seed)) for name, seed in trained if seed != SHARED}


def test_files_start_with_the_runs_in_the_order_they_were_added(tmp_path: Path) -> None:
    for seed in (1, 0):
        add(tmp_path, "adcsr", seed, 1.0 + seed, 2.0)
    text = gzip.decompress((runs_folder("adcsr", tmp_path) / "runs.csv.gz").read_bytes()).decode().splitlines()
    assert text[2:] == [f"adcsr,{seed},DRealSR,{image}" for seed, image in (
        (1, "a,psnr,2.0"), (1, "b,psnr,2.0"), (0, "a,psnr,1.0"), (0, "b,psnr,2.0"))]  # fmt: skip
    assert (runs_folder("adcsr", tmp_path) / "runs.csv.gz").read_bytes()[4:8] == bytes(4)  # gzip's time
    assert list(read_runs("adcsr", tmp_path).trained) == [("adcsr", 0), ("adcsr", 1)]


def test_eight_digits_are_kept(tmp_path: Path) -> None:
    add(tmp_path, "adcsr", 0, 27.123456789)
    assert read_runs("adcsr", tmp_path).scores["adcsr", 0]["DRealSR", "psnr"] == {"a": 27.123457}


def test_runs_added_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: add(tmp_path, "adcsr", seed, 1.0), range(8)))
    assert read_runs("adcsr", tmp_path).seeds("adcsr") == tuple(range(8))


def test_runs_are_whole_for_who_reads_while_others_add(tmp_path: Path) -> None:
    add(tmp_path, "adcsr", 0, 1.0)
    with ThreadPoolExecutor(2) as pool:
        adding = pool.submit(lambda: [(add(tmp_path, "adcsr", seed, 1.0), sleep(0.005)) for seed in range(1, 40)])
        seen = [len(read_runs("adcsr", tmp_path).trained)]
        while not adding.done():
            seen.append(len(read_runs("adcsr", tmp_path).trained))
        adding.result()
    assert seen == sorted(seen)


def test_pairs_share_seeds_and_images(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        add(tmp_path, "adcsr", seed, 10.0 + seed, 20.0 + seed)
    for seed in (1, 2, 3):
        add(tmp_path, "latent-link", seed, 1.0 + seed, 2.0 + seed)
    a, b = read_runs("adcsr", tmp_path).paired("adcsr", "latent-link", "DRealSR", "psnr")
    assert np.array_equal(a, [[11, 21], [12, 22]]) and np.array_equal(b, [[2, 3], [3, 4]])


def test_what_all_seeds_share_stands_at_each(tmp_path: Path) -> None:
    for seed in (0, 1):
        add(tmp_path, "adcsr", seed, 10.0 + seed)
    add(tmp_path, "teacher", SHARED, 5.0)
    a, b = read_runs("adcsr", tmp_path).paired("adcsr", "teacher", "DRealSR", "psnr")
    assert np.array_equal(a, [[10], [11]]) and np.array_equal(b, [[5], [5]])
    assert read_runs("adcsr", tmp_path).paired("adcsr", "teacher", "DRealSR", "niqe")[0].size == 0
    assert read_runs("adcsr", tmp_path).paired("adcsr", "unet-50", "DRealSR", "psnr")[0].size == 0


def test_other_images_are_an_error(tmp_path: Path) -> None:
    add(tmp_path, "adcsr", 0, 1.0, 2.0)
    append_run("adcsr", trained("unet-50"), psnr(1.0, 2.0, names="ax"), tmp_path)
    with pytest.raises(AdcbenchError, match=r"unet-50 \(seed 0\) has other images .* b, x"):
        read_runs("adcsr", tmp_path).paired("adcsr", "unet-50", "DRealSR", "psnr")


@pytest.mark.parametrize(
    ("run", "seed", "values", "message"),
    [
        ("adcsr", 0, (1.0, float("nan")), "not a finite number: psnr of b"),
        ("adcsr", 0, (), "no scores"),
        ("my run", 0, (1.0,), "a name has"),
        ("adcsr", -2, (1.0,), "a seed is 0 or more"),
    ],
)
def test_bad_runs_are_not_added(tmp_path: Path, run: str, seed: int, values: tuple[float, ...], message: str) -> None:
    with pytest.raises(AdcbenchError, match=message):
        add(tmp_path, run, seed, *values)
    assert not runs_folder("adcsr", tmp_path).exists()


def edit_scores(path: Path, old: str, new: str) -> None:
    file = path / "runs.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode()
    assert old in text
    file.write_bytes(gzip.compress(text.replace(old, new).encode()))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image,metric", "metric,image", "line 2 must be run,seed"),
        ("b,psnr,2.0", "b,psnr,two", "line 4: could not convert"),
        ("b,psnr,2.0", "b,psnr", "line 4: not enough values"),
        ("b,psnr,2.0", "a,psnr,2.0", "line 4: there twice"),
        ("b,psnr,2.0", "b,psnr,inf", "line 4: not finite"),
        ("b,psnr,2.0", "b,psnr,2.5", "do not fit each other"),
        ("adcsr,0", "adcsr,1", "do not fit each other"),
    ],
)
def test_a_damaged_table_of_scores(tmp_path: Path, old: str, new: str, message: str) -> None:
    add(tmp_path, "adcsr", 0, 1.0, 2.0)
    edit_scores(runs_folder("adcsr", tmp_path), old, new)
    with pytest.raises(AdcbenchError, match=message):
        read_runs("adcsr", tmp_path)


def test_a_cut_off_file(tmp_path: Path) -> None:
    add(tmp_path, "adcsr", 0, 1.0, 2.0)
    file = runs_folder("adcsr", tmp_path) / "runs.csv.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(AdcbenchError, match="not readable"):
        read_runs("adcsr", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"steps": None}, "needs exactly the keys"), (None, "does not follow"), ("{", "line 1"), ("early", "there twice")],
)
def test_a_damaged_list_of_runs(tmp_path: Path, change: object, message: str) -> None:
    add(tmp_path, "adcsr", 0, 1.0)
    file = runs_folder("adcsr", tmp_path) / "runs.jsonl"
    line = json.loads(file.read_text())
    if isinstance(change, dict):
        line.pop("steps")
    if change == "early":  # a line of before there were hashes of lines
        del line["before"], line["replaces"]
    file.write_text("{\n" if change == "{" else (json.dumps(line) + "\n") * (1 if isinstance(change, dict) else 2))
    with pytest.raises(AdcbenchError, match=message):
        read_runs("adcsr", tmp_path)


def test_a_write_cut_off_between_the_files_is_put_right_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adcbench.training.experiments import trained_runs

    add(tmp_path, "adcsr", 0, 1.0)
    whole = trained_runs.write_whole

    def full_disk(path: Path, data: bytes) -> None:
        if path.suffix == ".jsonl":
            raise AdcbenchError("no space left")
        whole(path, data)

    monkeypatch.setattr(trained_runs, "write_whole", full_disk)
    with pytest.raises(AdcbenchError, match="no space"):
        add(tmp_path, "adcsr", 0, 2.0)
    monkeypatch.undo()
    with pytest.raises(AdcbenchError, match="a write was cut off"):
        read_runs("adcsr", tmp_path)
    add(tmp_path, "adcsr", 0, 2.0)
    assert read_runs("adcsr", tmp_path).scores["adcsr", 0]["DRealSR", "psnr"] == {"a": 2.0}
