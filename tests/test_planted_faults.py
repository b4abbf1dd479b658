"""Drift can fail: mistakes planted one at a time, each caught by the smallest check that must catch it.

Every check first passes without the mistake, so none of them is red by itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from adcbench import drift, jobs
from adcbench.core.settings import tables_dir
from adcbench.core.tables import Count, Fingerprint, Infer, load_table
from adcbench.drift import Check, check_files, check_jobs
from adcbench.metrics import METRICS
from adcbench.report.files import read_text, write_text

Plant = Callable[[pytest.MonkeyPatch, Path], None]


@dataclass(frozen=True)
class Fault:
    """A mistake, the check that must catch it, and a word of the message."""

    name: str
    check: str
    plant: Plant
    says: str = ""


def _metric(name: str, **settings: object) -> Plant:
    metric = METRICS[name]
    wrong = replace(metric, settings={**metric.settings, **settings})
    return lambda patch, tables: patch.setitem(METRICS, name, wrong)


def _jpeg(patch: pytest.MonkeyPatch, tables: Path) -> None:
    patch.setitem(METRICS, "psnr", replace(METRICS["psnr"], as_jpeg=95))


def _formula(patch: pytest.MonkeyPatch, tables: Path) -> None:
    """The mean squared error taken over the wrong range: the signature can't tell."""
    metric = METRICS["psnr"]
    wrong = replace(metric, function=lambda sr, hr, **settings: metric.function(sr // 2, hr // 2, **settings))
    patch.setattr(type(wrong), "modules", ("adcbench.metrics.psnr",))
    patch.setitem(METRICS, "psnr", wrong)


def _shifted_pairs(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.data import pairs

    right = pairs.pair

    def shifted(sr: Path, hr: Path) -> list[tuple[str, Path, Path]]:
        found = right(sr, hr)
        return [(name, lr, found[i - 1][2]) for i, (name, lr, _) in enumerate(found)]

    patch.setattr(pairs, "pair", shifted)


def _rounded(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.inference import forward

    right = forward.to_pixels
    patch.setattr(forward, "to_pixels", lambda sr, rounding: right(sr, "round"))


def _swapped_channels(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.inference import forward

    right = forward.to_pixels
    patch.setattr(forward, "to_pixels", lambda sr, rounding: np.ascontiguousarray(right(sr, rounding)[..., ::-1]))


def _attention_scale(patch: pytest.MonkeyPatch, tables: Path) -> None:
    """Scale 1/8 of the unpruned heads instead of 1/sqrt(width) of the pruned ones."""
    import torch

    right = torch.nn.functional.scaled_dot_product_attention
    patch.setattr(
        torch.nn.functional,
        "scaled_dot_product_attention",
        lambda *arguments, **named: right(*arguments, **(named | {"scale": 1 / 8})),
    )


def _no_norm_eps(patch: pytest.MonkeyPatch, tables: Path) -> None:
    import torch

    right = torch.nn.functional.group_norm
    patch.setattr(
        torch.nn.functional, "group_norm", lambda x, groups, weight, bias, eps: right(x, 1, weight, bias, eps)
    )


def _doubled(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.cost import counts

    right = counts.quantity
    twice = {"macs.published": 2}
    patch.setattr(
        counts, "quantity", lambda payload, name: tuple((n, v * twice.get(name, 1)) for n, v in right(payload, name))
    )


def _attention_dropped(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.cost import counts

    patch.setattr(counts, "HONEST_KINDS", ("conv", "linear", "matmul"))


def _component_lost(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.cost import counts

    right = counts.quantity
    patch.setattr(counts, "quantity", lambda payload, name: right(payload, name)[name != "steps" :])


def _median(patch: pytest.MonkeyPatch, tables: Path) -> None:
    right = jobs.Measurement
    patch.setattr(jobs, "Measurement", lambda *a, **n: right(*a, **(n | {"reduce": "median"})))


def _edit(table: str, file: str, old: str, new: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch, tables: Path) -> None:
        path = tables / table / file
        text = read_text(path)
        assert old in text, "the fault must change something"
        write_text(path, text.replace(old, new, 1))

    return plant


def _lost_image(patch: pytest.MonkeyPatch, tables: Path) -> None:
    path = tables / "embedded" / "scores.csv.gz"
    write_text(path, "\n".join(read_text(path).splitlines()[:-1]) + "\n")


def _lenient(patch: pytest.MonkeyPatch, tables: Path) -> None:
    from adcbench.results import verdicts

    right = verdicts.printed_tolerance
    patch.setattr(verdicts, "printed_tolerance", lambda value: 10 * right(value))


FAULTS = (
    Fault("RGB for Y", "bicubic", _metric("psnr", colour="rgb"), "signature"),
    Fault("full-range Y", "bicubic", _metric("psnr", colour="y-full"), "moved from"),
    Fault("border crop", "bicubic", _metric("psnr", crop=4), "signature"),
    Fault("SSIM without rounding", "bicubic", _metric("ssim", round_values=False), "SSIM"),
    Fault("SSIM without the clamp", "noise", _metric("ssim", clamp_contrast=False), "SSIM"),
    Fault("JPEG outputs", "bicubic", _jpeg, "PSNR"),
    Fault("wrong formula, same signature", "bicubic", _formula, "moved from"),
    Fault("shifted pairing", "bicubic", _shifted_pairs, "the second must be"),
    Fault("rounding for truncation", "noise", _rounded, "moved from"),
    Fault("swapped channels", "bicubic", _swapped_channels, "moved from"),
    Fault("attention scale 1/8", "networks", _attention_scale, "AdcSR full size"),
    Fault("one group in group norm", "networks", _no_norm_eps, "moved from"),
    Fault("median for mean", "bicubic", _median, "reduced by mean -> median"),
    Fault("MACs doubled", "counts", _doubled, "MACs"),
    Fault("attention dropped from the honest count", "counts", _attention_dropped, "MACs (honest)"),
    Fault("a component lost", "counts", _component_lost, "Params"),
    Fault("a hand-edited measured value", "files", _edit("embedded", "table.md", "31.6", "32.6"), "table.md line"),
    Fault(
        "a hand-edited verdict", "files", _edit("embedded", "cells.jsonl", "unpublished", "match"), "cells.jsonl line"
    ),
    Fault("a score changed in the rows", "files", _edit("embedded", "scores.csv.gz", ",2", ",3"), "embedded"),
    Fault("an image lost from the rows", "files", _lost_image, "embedded"),
    Fault("ten times the tolerance", "verdicts", _lenient, "table1"),
)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of the committed tables that a fault may spoil."""
    return Path(shutil.copytree(tables_dir(), tmp_path / "tables"))


@pytest.fixture(autouse=True)
def _small_count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the student is counted (the teacher takes longer and adds nothing here)."""
    table = load_table("adcsr/table1")
    small = replace(table, jobs=tuple(j for j in table.jobs if isinstance(j, Count) and j.network == "adcsr"))
    student = tuple(
        j for j in load_table("networks").jobs if isinstance(j, Infer | Fingerprint) and j.row.startswith("AdcSR")
    )
    networks = replace(load_table("networks"), jobs=student)
    bicubic = replace(load_table("embedded"), jobs=load_table("embedded").jobs[:1])
    only = {"adcsr/table1": small, "networks": networks, "embedded": bicubic}
    monkeypatch.setattr(drift, "load_table", lambda table_id: only.get(table_id) or load_table(table_id))
    yield


CHECKS: dict[str, Callable[[Path], Check]] = {
    "bicubic": lambda tables: check_jobs("bicubic", (Infer,), ["embedded"], tables),
    "noise": lambda tables: check_jobs("noise", (Infer,), ["networks"], tables),
    "networks": lambda tables: check_jobs("networks", (Fingerprint,), ["networks"], tables),
    "counts": lambda tables: check_jobs("counts", (Count,), ["adcsr/table1"], tables),
    "files": lambda tables: check_files(["embedded"], tables),
    "verdicts": lambda tables: check_files(["adcsr/table1"], tables),
}


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_fault_the_check_passes(check: str, tables: Path) -> None:
    found = CHECKS[check](tables)
    assert found.passed, str(found)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault, tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(monkeypatch, tables)
    found = CHECKS[fault.check](tables)
    assert not found.passed, f"nobody caught: {fault.name}"
    assert fault.says in str(found), str(found)


def test_measuring_nothing_is_a_failure(tables: Path) -> None:
    found = check_jobs("nothing", (Count,), ["embedded"], tables)
    assert found.cells == 0
    assert not found.passed
    assert "NOTHING MEASURED" in str(found)
