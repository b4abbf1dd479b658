"""The ledger of claims in words: for the terminal, ``tables/claims.md``, and the mini runs' own table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from adcbench.core.settings import tables_dir
from adcbench.metrics import METRICS
from adcbench.report.files import read_cells, write_text
from adcbench.report.terminal import grid
from adcbench.results.claims import Range
from adcbench.results.hierarchical import Effect
from adcbench.results.ledger import Line, ledger_lines
from adcbench.results.ledger_claims import MiniTest, Pair, claim_files, claims_paper, load_claims, ratio_of, run_names
from adcbench.results.ledger_mini import MIN_SEEDS, MiniResult
from adcbench.training.experiments.trained_runs import COMMAND, SCORED_IN, Runs, read_runs

MADE_BY = "adcbench claims --write"
_HEADER = ("claim", "kind", "as printed", "full scale", "mini scale", "effect at mini scale", "seeds")
_COLUMNS = """As printed: consistent if numbers that round to the printed ones agree with the claim, unknown where one
is not printed; the least sure kind of source stands in brackets. Full scale: exact where both are counted, else by our
scores of the same images; no mini run changes it. Mini scale: the same code at small widths, trained with {n} seeds.
The effect is positive where the claim's side is better, with its 95 % interval over seeds and images; tests of one
family are corrected by Holm. A dash: the column can say nothing. {short}"""
_SHORT = """Mini runs are short and start from the shipped weights, so they say what is better after a short training;
seeds vary crops, degradation and the discriminator, not the teacher. How the tests work, and how to read them:
docs/claims.md."""


def ledger(root: Path | None = None) -> tuple[tuple[Line, ...], Runs]:
    """All claims, tested with the committed tables below ``root`` and the committed runs; and the runs.

    Raises:
        AdcbenchError: damaged files, or a claim about what is not there.
    """
    runs = read_runs(claims_paper())
    return ledger_lines(load_claims(), lambda table: read_cells(table, root), runs), runs


def ledger_text(lines: Sequence[Line], runs: Runs) -> str:
    """For the terminal: a line a claim, then what stands behind each answer that is not good, then the counts."""
    parts = [grid([_row(line) for line in lines], _HEADER), ""]
    parts += [f"{line.claim.id}: {line.claim.statement}" for line in lines]
    parts += ["", *_summary(lines), _done(runs)]
    return "\n".join(parts)


def write_ledger(lines: Sequence[Line], runs: Runs, root: Path | None = None) -> tuple[Path, Path]:
    """Write ``claims.md`` and the mini runs' ``mini.md`` below the tables' folder; their paths."""
    tables = root or tables_dir()
    paths = tables / "claims.md", tables / f"{claims_paper()}_claims" / "mini.md"
    write_text(paths[0], ledger_markdown(lines, runs))
    write_text(paths[1], mini_markdown(lines, runs))
    return paths


def ledger_markdown(lines: Sequence[Line], runs: Runs) -> str:
    """The whole ledger as Markdown: a table, then each claim with its source, its numbers and its reasons."""
    files = claim_files()
    paths = ", ".join(f"`reproductions/{path}`" for path in files)
    parts = [
        f"# Claims of {', '.join(files.values())}",
        f"Made by `{MADE_BY}`. The claims are data, {paths}, committed before any training; what changed since: "
        "docs/claims.md.",
        _COLUMNS.format(n=MIN_SEEDS, short=_SHORT),
        _markdown_grid(_HEADER, [_row(line) for line in lines]),
        "\n".join(f"- {one}" for one in [*_summary(lines), _done(runs)]),
        *(_section(line) for line in lines),
    ]
    return "\n\n".join(parts) + "\n"


def mini_markdown(lines: Sequence[Line], runs: Runs) -> str:
    """The trained runs themselves: means over seeds, with the standard deviation between seeds."""
    parts = [
        "# Ablations at mini scale",
        f"Made by `{MADE_BY}` from `runs.csv.gz` and `runs.jsonl`, which `{COMMAND}` writes. The same code as at full "
        "scale, at small widths: these numbers stand in no paper's column.",
        "Mean over seeds of the mean over images, ± standard deviation between seeds. Params: the network that runs at "
        "inference. Steps: of all that was trained for the run. "
        f"Higher is better: {_named(True)}; lower: {_named(False)}.",
        _SHORT,
    ]
    header = ("run", "seeds", "steps", "params (M)", *SCORED_IN)
    for test_set in runs.test_sets or dict.fromkeys(one.test_set for line in lines for one in line.claim.mini):
        rows = [_run_row(runs, name, test_set) for name in _shown_runs(lines, runs)]
        parts.append(f"## {test_set}\n\n{_markdown_grid(header, rows)}")
    notes: dict[str, dict[str, None]] = {}  # what a note is about: runs, once each
    for one in runs.trained.values():
        if one.note:
            notes.setdefault(one.note, {})[one.run] = None
    bullets = [f"{', '.join(named)}: {note}" for note, named in notes.items()] + _provenance(runs)
    if bullets:
        parts.append("## Notes\n\n" + "\n".join(f"- {bullet}" for bullet in bullets))
    return "\n\n".join(parts) + "\n"


def _provenance(runs: Runs) -> list[str]:
    """What a reader must know of where the rows come from, beside each one's own note."""
    versions = len({one.sources for one in runs.trained.values()})
    lines = []
    if versions > 1:
        lines.append(
            f"The runs are of {versions} versions of the code (`sources` in `runs.jsonl`), pairs of one seed too; what "
            "is known of the difference: docs/claims.md."
        )
    if runs.replaced:
        lines.append(f"{len(runs.replaced)} earlier results were replaced by later ones; the files keep them.")
    return lines


def _row(line: Line) -> list[str]:
    seeds = {str(one.seeds) for one in line.tests}
    effects = "; ".join(_effect_text(one) for one in line.tests if one.effect)
    mini = f"{line.mini} ({'; '.join(line.mini_why)})" if line.mini_why else line.mini
    return [line.claim.id, line.claim.kind, line.printed, line.full, mini, effects or "–", "/".join(seeds) or "–"]


def _effect_text(one: MiniResult) -> str:
    assert one.effect
    return f"{one.test.metric} {_interval(one.effect)}" + (f", margin {one.margin:.3g}" if one.margin else "")


def _named(higher: bool) -> str:
    """The metrics that mini runs are scored in, those that are better higher or those that are better lower."""
    metrics = [METRICS[name] for name in SCORED_IN]
    return ", ".join(f"{m.name} ({m.unit})" if m.unit else m.name for m in metrics if m.higher_is_better == higher)


def _interval(effect: Effect) -> str:
    return f"{effect.mean:+.3g} ({effect.low:+.3g} to {effect.high:+.3g})"


def _summary(lines: Sequence[Line]) -> list[str]:
    """How many claims got which answer, a line a column."""
    sentences = []
    for name, words in (
        ("As printed", [line.printed.partition(" ")[0] for line in lines]),
        ("Full scale", [line.full for line in lines]),
        ("Mini scale", [line.mini for line in lines if line.claim.kind != "question"]),
        ("Questions, at mini scale", [line.mini for line in lines if line.claim.kind == "question"]),
    ):
        counts = {word: words.count(word) for word in sorted(set(words)) if word != "–"}
        sentences.append(f"{name}: {', '.join(f'{n} {word}' for word, n in counts.items())}.")
    return sentences


def _done(runs: Runs) -> str:
    done = len(runs.trained)
    return f"{done} run{'s' * (done != 1)} done at mini scale" + ("." if done else f"; to train them: {COMMAND}.")


def _section(line: Line) -> str:
    claim = line.claim
    bullets = [*_ratio_lines(line), *_pair_lines(line)]
    for one in line.tests:
        bullets += _mini_lines(line, one)
    bullets += [claim.note] * bool(claim.note)
    parts = [f"## {claim.id}", _sentence(claim.statement), f"Source: {claim.source} (said by: {claim.sure})."]
    return "\n\n".join([*parts, "\n".join(f"- {bullet}" for bullet in bullets)])


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _ratio_lines(line: Line) -> Iterable[str]:
    if line.ratio and line.claim.ratio and (claim := ratio_of(line.claim)):
        ratio, table = line.ratio, line.claim.ratio[0]
        allowed = f"; the operands allow {ratio.allowed[0]:.4g} to {ratio.allowed[1]:.4g}" if ratio.allowed else ""
        places = " and ".join(f"{metric} of {row}" for row, _, metric in (claim.large, claim.small))
        yield f"As printed: {line.printed}: {claim.kind} {claim.printed}, `{table}`, {places}{allowed}."
        ours = f" ({ratio.measured[0]:.4g})" if ratio.measured else ""
        yield f"Full scale: {ratio.ours}{ours}: {ratio.why}."


def _pair_lines(line: Line) -> Iterable[str]:
    """A line for each column and two rows; reasons that several metrics share are said once."""
    printed = [(pair, word, gain, "not printed") for pair, word, gain in line.printed_pairs]
    for name, pairs in (("As printed", printed), ("Full scale", line.full_pairs)):
        places = dict.fromkeys((p.table, p.test_set, p.first, p.second) for p, *_ in pairs)
        for place in places:
            own = [one for one in pairs if (one[0].table, one[0].test_set, one[0].first, one[0].second) == place]
            texts = [f"{p.metric}{_margin(p)} {_range(gain)} {word}" for p, word, gain, _ in own if gain]
            for word, why in dict.fromkeys((word, why) for _, word, gain, why in own if not gain):
                lost = ", ".join(p.metric for p, w, gain, y in own if not gain and (w, y) == (word, why))
                texts.append(f"{lost} {word} ({why})")
            table, test_set, first, second = place
            yield f"{name}, {first} against {second} (`{table}`, {test_set}): gain in {'; '.join(texts)}."


def _margin(test: Pair | MiniTest) -> str:
    if not test.margin:
        return ""
    return f" (margin {test.margin:.0%})" if test.relative else f" (margin {test.margin:g})"


def _range(gain: Range) -> str:
    low, high = (round(bound, 9) + 0.0 for bound in gain)  # no -0, and nothing that only rounding made
    return f"{low:+.4g}" if low == high else f"{low:+.4g} to {high:+.4g}"


def _mini_lines(line: Line, one: MiniResult) -> Iterable[str]:
    test = one.test
    kind = line.claim.kind + (f", family {line.claim.family}" if line.claim.family else "")
    tested = f"{test.first} against {test.second} in {test.metric}{_margin(test)} on {test.test_set}"
    yield f"Mini test, {tested} ({kind}). Why: {test.reason}."
    why = f" ({one.why})" if one.why else ""
    if one.effect is None:
        yield f"Mini scale: {one.word}{why}."
        return
    p = f", p {one.corrected_p:.2g} after Holm" if one.corrected_p is not None else ""
    yield (
        f"Mini scale: {one.word}{why}: {_interval(one.effect)}, {one.seeds} seeds, {one.effect.images} images, "
        f"d_z {one.effect.standardised:+.2f}{p}."
    )
    if one.others:
        yield "Beside it, deciding nothing: " + ", ".join(f"{m} on {s} {_interval(e)}" for s, m, e in one.others) + "."
    for word, places in one.others_apart.items():
        if places:
            listed = ", ".join(f"{metric} on {test_set}" for test_set, metric in places)
            yield f"Of these, {word} by the interval, uncorrected: {listed}."


def _shown_runs(lines: Sequence[Line], runs: Runs) -> tuple[str, ...]:
    """Runs in the order of the claims that name them, then the others."""
    named = run_names(line.claim for line in lines)
    return tuple(dict.fromkeys([*named, *sorted(run for run, _ in runs.trained)]))


def _run_row(runs: Runs, name: str, test_set: str) -> list[str]:
    slots = [(name, seed) for seed in runs.seeds(name)]
    if not slots:
        return [name, "0", "–", "–", *("–" for _ in SCORED_IN)]
    params = {f"{runs.trained[slot].params / 1e6:.3f}" for slot in slots}
    steps = {str(runs.trained[slot].steps or "–") for slot in slots}
    shared = " (shared)" if slots[0][1] < 0 else ""
    values = [[runs.scores[slot].get((test_set, metric), {}) for slot in slots] for metric in SCORED_IN]
    sizes = "/".join(sorted(steps)), "/".join(sorted(params))
    return [name, f"{len(slots)}{shared}", *sizes, *(_mean_text(by_image) for by_image in values)]


def _mean_text(by_image: Sequence[Mapping[str, float]]) -> str:
    means = [float(np.mean(list(one.values()))) for one in by_image if one]
    if not means:
        return "–"
    spread = f" ± {np.std(means, ddof=1):.2g}" if len(means) > 1 else ""
    return f"{np.mean(means):.4f}{spread}"


def _markdown_grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
