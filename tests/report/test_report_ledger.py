"""The ledger in the terminal, in ``tables/claims.md``, and the mini runs' own table."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.report.ledger import ledger, ledger_markdown, ledger_text, mini_markdown
from adcbench.results.ledger_claims import load_claims
from adcbench.training.experiments.trained_runs import SHARED, Trained, append_run

IMAGES = [f"image-{i}" for i in range(30)]


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tables with no table in it: every cell is blocked, published values are there."""
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "tables"


def add(run: str, seed: int, mean: float, params: int = 2_500_000, note: str = "") -> None:
    values = {image: mean + 0.01 * seed + 0.001 * i for i, image in enumerate(IMAGES)}
    trained = Trained(run, seed, "c", 4000, 600.0, params, "2.15", 2, "cpu", "s", note)
    append_run("adcsr", trained, {("DRealSR", "psnr"): values})


def test_every_claim_has_a_line_and_a_section(tables: Path) -> None:
    lines, runs = ledger()
    text, markdown = ledger_text(lines, runs), ledger_markdown(lines, runs)
    for claim in load_claims():
        assert f"\n{claim.id} " in text
        assert f"\n| {claim.id} | {claim.kind} |" in markdown
        assert f"\n## {claim.id}\n" in markdown and claim.source in markdown
    assert "0 runs done at mini scale; to train them: nox -s train-claims." in text
    assert markdown.splitlines()[2].startswith("Made by `adcbench claims --write`.")


def test_the_contradiction_with_the_brief_is_said(tables: Path) -> None:
    markdown = ledger_markdown(*ledger())
    assert "| beats-teacher | superiority | contradicted (brief) |" in markdown
    assert "gain in LPIPS -0.0079 to -0.0077 contradicted; DISTS -0.0036 to -0.0034 contradicted." in markdown
    assert "The published rows of DRealSR contradict the brief" in markdown


def test_a_mini_verdict_shows_effect_interval_and_seeds(tables: Path) -> None:
    for seed in range(5):
        add("adcsr", seed, 27.2)
        add("vae-encoder", seed, 27.0 - 0.02 * (seed % 2))
    markdown = ledger_markdown(*ledger())
    row = next(line for line in markdown.splitlines() if line.startswith("| vae-encoder-psnr |"))
    assert "| holds | psnr +0.208 (+0.194 to +0.222), margin 0.05 | 5 |" in row
    assert "5 seeds, 30 images, d_z" in markdown and "after Holm" in markdown
    assert "10 runs done at mini scale." in markdown


def test_what_is_worse_within_the_margin_or_beside_the_test_is_said(tables: Path) -> None:
    for seed in range(5):
        for run, psnr, ssim in (("adcsr", 27.0, 0.7), ("vae-encoder", 27.02, 0.8)):
            found = {"psnr": psnr, "ssim": ssim + 0.001 * seed}
            scores = {("DRealSR", m): {image: v + 0.001 * seed for image in IMAGES} for m, v in found.items()}
            append_run("adcsr", Trained(run, seed, "c", 900, None, 1, "2.15", 2, "cpu", "s"), scores)
    markdown = ledger_markdown(*ledger())
    row = next(line for line in markdown.splitlines() if line.startswith("| vae-encoder-psnr |"))
    assert "| holds (worse, within the margin) |" in row
    assert "- Mini scale: holds (worse, within the margin): -0.02 (" in markdown
    assert "- Of these, worse by the interval, uncorrected: ssim on DRealSR." in markdown


def test_mini_table(tables: Path) -> None:
    for seed in (0, 1):
        add("adcsr", seed, 27.0, note="no LPIPS: a feature distance stood in")
    add("teacher", SHARED, 28.0, params=5_000_000)
    add("extra", 0, 20.0, note="no LPIPS: a feature distance stood in")
    markdown = mini_markdown(*ledger())
    assert "\n| adcsr | 2 | 4000 | 2.500 | 27.0195 ± 0.0071 | – | – | – |" in markdown
    assert "\n| teacher | 1 (shared) | 4000 | 5.000 | 28.0045 | – |" in markdown
    assert "\n| latent-link | 0 | – | – |" in markdown
    assert "Higher is better: psnr (dB), ssim; lower: fd-efflite0, spectrum (dB)." in markdown
    assert markdown.index("| adcsr |") < markdown.index("| latent-link |") < markdown.index("| extra |")
    assert markdown.endswith("## Notes\n\n- adcsr, extra: no LPIPS: a feature distance stood in\n")


def test_the_mini_table_says_when_runs_are_of_several_versions_of_the_code(tables: Path) -> None:
    values = {("DRealSR", "psnr"): {"a": 27.0}}
    for sources in ("5eed", "c0de"):
        append_run("adcsr", Trained("adcsr", 0, "c", 900, None, 1, "2.15", 1, "cpu", sources), values)
    markdown = mini_markdown(*ledger())
    assert "versions of the code" not in markdown
    assert "- 1 earlier results were replaced by later ones; the files keep them." in markdown
    append_run("adcsr", Trained("unet-50", 0, "c", 900, None, 1, "2.15", 1, "cpu", "5eed"), values)
    assert "- The runs are of 2 versions of the code (`sources` in `runs.jsonl`)" in mini_markdown(*ledger())
