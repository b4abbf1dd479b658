"""A against B on the embedded photographs and on scores made for the purpose."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from adcbench.cli.compare import compare as command
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import read_png, write_png
from adcbench.data.testsets.registry import open_testset
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import Scored
from adcbench.metrics.metric import Metric, SetScore
from adcbench.report.comparison import answer, comparison_text, set_line, write_comparison
from adcbench.results.compare import Comparison, Outputs, compare_outputs, compare_scores, find_outputs
from adcbench.results.significance import too_few
from adcbench.systems import find_system

EMBEDDED = open_testset("embedded")
PSNR, NIQE = METRICS["psnr"], METRICS["niqe"]


def scored(metric: Metric, values: list[float], **more: object) -> Scored:
    return Scored({metric.name: tuple((f"image {i}", value) for i, value in enumerate(values))}, **more)  # type: ignore[arg-type]


def comparison(a: Scored, b: Scored, *metrics: Metric) -> Comparison:
    sides = (Outputs("ours", "folder", ()), Outputs("theirs", "folder", ()))
    return Comparison(*sides, "DRealSR", 93, tuple(compare_scores(metrics, a, b)), (), (), (), (a, b))


def test_answer_says_better_worse_and_not_shown() -> None:
    draw = np.random.default_rng(0)
    base = draw.normal(28, 4, 40)
    a = Scored({"psnr": named(base + 1 + draw.normal(0, 0.1, 40)), "niqe": named(base + 2), "ssim": named(base)})
    b = Scored({"psnr": named(base), "niqe": named(base), "ssim": named(base + draw.normal(0, 1, 40))})
    text = answer(comparison(a, b, PSNR, METRICS["ssim"], NIQE))
    assert text.startswith("On DRealSR, 93 images: ours is better than theirs in PSNR (+1.0")
    assert "and worse in NIQE (+2, 95 % +2 to +2, p " in text
    assert text.endswith("; no difference shown in SSIM.")


def named(values: np.ndarray) -> tuple[tuple[str, float], ...]:
    return tuple((f"image {i}", float(value)) for i, value in enumerate(values))


def test_p_values_are_corrected_over_the_metrics() -> None:
    a, b = (Scored({name: named(np.arange(8) + shift) for name in ("psnr", "ssim")}) for shift in (1.0, 0.0))
    alone, both = compare_scores([PSNR], a, b), compare_scores([PSNR, METRICS["ssim"]], a, b)
    assert both[0].wilcoxon_p == 2 * alone[0].wilcoxon_p == 2 / 128
    assert both[0].sign_p == 2 * alone[0].sign_p


def test_pairs_are_joined_by_name_and_unscored_images_marked() -> None:
    a = scored(PSNR, [30, 31, 32, 33])
    b = Scored({"psnr": (*reversed(a.scores["psnr"][1:]),)}, unscored={"psnr": (("image 0", "too small"),)})
    (found,) = compare_scores([PSNR], a, b)
    assert (found.paired.n, found.paired.ties, found.lost) == (3, 3, ("image 0",))
    text = comparison_text(replace(comparison(a, b, PSNR), problems=("theirs: image 0: too small",)))
    assert "PSNR (dB) [1 unscored]" in text and "not scored: theirs: image 0: too small" in text
    with pytest.raises(AdcbenchError, match="no image has a score of both"):
        compare_scores([PSNR], a, Scored({"psnr": (("other", 1.0),)}))


def test_few_images_are_said_to_be_few() -> None:
    text = answer(comparison(scored(PSNR, [30, 31]), scored(PSNR, [20, 21]), PSNR))
    assert text.endswith("no difference shown in PSNR between ours and theirs (too few images: 2, and at least 8 are "
                         "needed).")  # fmt: skip
    assert too_few(7) and not too_few(8) and not too_few(93, 800)
    assert too_few(8, 9) == "too few images: the least p that 8 can give is 0.0078, times 9 tests"


@pytest.mark.parametrize("n", [1, 2, 7])
def test_no_p_value_and_no_interval_is_shown_where_images_are_too_few(n: int) -> None:
    found = comparison(scored(PSNR, [30 + i for i in range(n)]), scored(PSNR, [20.5 + i for i in range(n)]), PSNR)
    text = comparison_text(found)
    row = next(line for line in text.splitlines() if line.startswith("PSNR"))
    assert row.count("too few") == 2 and "no difference shown" in row
    assert " to " in row if n > 1 else " to " not in row
    assert "is better" not in text


def test_a_metric_over_a_set_is_never_tested() -> None:
    fid = METRICS["fid"]
    values = SetScore(130.0, 93, (120.0, 140.0)), SetScore(135.0, 93, (124.0, 146.0))
    assert "one number over a set, no paired test" in set_line(fid, *values)
    line = set_line(fid, values[0], replace(values[1], n=92))
    assert "N=93" in line and "N=92" in line and "not compared, its bias depends on N" in line


def test_metrics_without_weights_are_blocked_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    both = [find_outputs("bicubic", EMBEDDED, find_system("bicubic"), limit=1)] * 2
    found = compare_outputs(*both, "embedded", [PSNR, METRICS["lpips"]])
    assert [one.metric for one in found.metrics] == [PSNR]
    ((name, block),) = found.blocked
    assert name == "LPIPS" and block.command == "adcbench weights fetch lpips"
    with pytest.raises(Blocked, match=r"of lpips; .* of musiq"):
        compare_outputs(*both, "embedded", [METRICS["lpips"], METRICS["musiq"]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HR with a little noise."""
    root, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(0)
    for path in EMBEDDED.folders["HR"].glob("*.png"):
        hr = read_png(path)
        write_png(root / path.name, (hr.astype(int) + draw.integers(-1, 2, hr.shape)).clip(0, 255).astype(np.uint8))
    return root


def test_a_system_against_a_folder(folder: Path, tmp_path: Path) -> None:
    a = find_outputs("bicubic", EMBEDDED, find_system("bicubic"))
    b = find_outputs(str(folder), EMBEDDED, None)
    found = compare_outputs(a, b, "embedded", [PSNR])
    assert [one.paired.losses for one in found.metrics] == [7]  # worse on all, and yet: seven are too few
    assert answer(found).startswith("On embedded, 7 images: no difference shown in PSNR between bicubic and ")
    write_comparison(tmp_path / "out.csv", found)
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert len(rows) == 7 and set(rows[0]) == {"metric", "image", "bicubic", folder.name}
    differences = [float(row["bicubic"]) - float(row[folder.name]) for row in rows]
    assert np.mean(differences) == pytest.approx(found.metrics[0].paired.difference)


def test_limits_pick_the_same_images_and_unequal_sets_are_named(folder: Path) -> None:
    two = find_outputs("bicubic", EMBEDDED, find_system("bicubic"), limit=2)
    assert [p[0] for p in two.pairs] == [p[0] for p in find_outputs(str(folder), EMBEDDED, None, limit=2).pairs]
    whole = find_outputs(str(folder), EMBEDDED, None)
    with pytest.raises(AdcbenchError, match=f"not the same images: .* only in {folder.name}"):
        compare_outputs(two, whole, "embedded", [PSNR])
    with pytest.raises(AdcbenchError, match="--limit -1"):
        find_outputs(str(folder), EMBEDDED, None, limit=-1)
    with pytest.raises(AdcbenchError, match="no such folder"):
        find_outputs("nowhere", EMBEDDED, None)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, AdcbenchError), result.output
    return str(result.exception)


def test_what_the_command_refuses(folder: Path) -> None:
    assert "name A, B and --testset" in run("bicubic", "--testset", "embedded")
    assert "it takes --metric only" in run("bicubic", "--table", "embedded")
    message = run("bicubic", "nosuch", "--testset", "drealsr", "--metrics", "psnr", "--limit", "1")
    assert (
        message.startswith("'nosuch' is no system, released output (OSEDiff) or folder of DRealSR. Systems: ")
        and "bicubic" in message
    )


def test_the_command_answers_for_a_table() -> None:
    result = CliRunner().invoke(command, ["--table", "embedded", "--metric", "PSNR"])
    assert result.exit_code == 0, result.exception
    assert "Holm-corrected over the" in result.output and "mean rank" in result.output


@pytest.mark.golden
def test_released_outputs_come_before_a_system_of_that_name(drealsr_dir: Path) -> None:
    found = find_outputs("OSEDiff", open_testset("drealsr"), None, limit=3)
    assert found.what == "released outputs" and all("OSEDiff" in str(sr) for _, sr, _ in found.pairs)
