"""``adcbench compare`` in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from adcbench.metrics.metric import Metric, SetScore
from adcbench.report.csv_file import write_csv
from adcbench.report.human import human_line
from adcbench.results.bootstrap import has_interval, interval_text
from adcbench.results.compare import Compared, Comparison, shown_name
from adcbench.results.significance import p_text, too_few

_HEADER = ("metric", "A", "B", "A - B", "95 %", "better/equal/worse", "d_z", "p sign", "p Wilcoxon", "A is")
_SAME = "no difference shown"


def comparison_text(comparison: Comparison) -> str:
    """Who was compared, a line for each metric, what could not be compared, and the answer as the last sentence."""
    a, b = comparison.a, comparison.b
    parts = [f"A: {a.name} ({a.what}). B: {b.name} ({b.what}). {_images(comparison)}"]
    if comparison.metrics:
        rows = [_row(one, len(comparison.metrics)) for one in comparison.metrics]
        parts += ["", tabulate(rows, _HEADER, tablefmt="simple", disable_numparse=True), ""]
        parts.append(
            f"Intervals: paired bootstrap. better/equal/worse: {comparison.what}s. d_z: mean over standard deviation "
            f"of A - B. p: two-sided, Holm-corrected over {len(rows)} {'metric' if len(rows) == 1 else 'metrics'}."
        )
    parts += [set_line(*one) for one in comparison.sets]
    used = [*(one.metric for one in comparison.metrics), *(metric for metric, _, _ in comparison.sets)]
    parts += [line] if (line := human_line({shown_name(metric): metric.name for metric in used})) else []
    parts += [f"blocked: {name}: {block}" for name, block in comparison.blocked]
    parts += [f"not scored: {problem}" for problem in comparison.problems]
    return "\n".join([*parts, "", answer(comparison)])


def _images(comparison: Comparison) -> str:
    return f"{comparison.test_set}, {comparison.images} {comparison.what}{'s' * (comparison.images != 1)}"


def _row(one: Compared, tests: int) -> tuple[str, ...]:
    paired, unit = one.paired, f" ({one.metric.unit})" if one.metric.unit else ""
    lost = f" [{len(one.lost)} unscored]" if one.lost else ""
    return (
        shown_name(one.metric) + unit + lost,
        *(f"{value:.4f}" for value in (paired.mean_a, paired.mean_b)),
        f"{paired.difference:+.4f}",
        interval_text(paired.n, paired.low, paired.high, "+.4f"),
        f"{paired.wins}/{paired.ties}/{paired.losses}",
        f"{paired.standardised:+.2f}" if has_interval(paired.n) else "–",
        p_text(one.sign_p, paired.n, tests),
        p_text(one.wilcoxon_p, paired.n, tests),
        one.verdict,
    )


def set_line(metric: Metric, a: SetScore, b: SetScore) -> str:
    """A metric over a set: both values with intervals, and why they are not tested; no comparison where N differs."""
    name = shown_name(metric)
    shown = [f"{s.value:.4f} (N={s.n}, 95 % {interval_text(s.n, *s.interval, '.4f')})" for s in (a, b)]
    if a.n != b.n:
        return f"{name}: A {shown[0]}, B {shown[1]}: not compared, its bias depends on N"
    return f"{name}: A {shown[0]}, B {shown[1]}: one number over a set, no paired test"


def answer(comparison: Comparison) -> str:
    """The last sentence: where A is better, where worse, where no difference is shown."""
    by_verdict = {
        word: [one for one in comparison.metrics if one.verdict == word] for word in ("better", "worse", _SAME)
    }
    a, b = comparison.a.name, comparison.b.name
    clauses = []
    if by_verdict["better"]:
        clauses.append(f"{a} is better than {b} in {_listed([_effect(one) for one in by_verdict['better']])}")
    if by_verdict["worse"]:
        start = "and worse" if clauses else f"{a} is worse than {b}"
        clauses.append(f"{start} in {_listed([_effect(one) for one in by_verdict['worse']])}")
    why = (
        too_few(min(one.paired.n for one in comparison.metrics), len(comparison.metrics)) if comparison.metrics else ""
    )
    same = _listed([shown_name(one.metric) for one in by_verdict[_SAME]])
    sentence = " ".join(clauses)
    if same:
        between = "" if clauses else f" between {a} and {b}"
        sentence = f"{sentence}{'; ' if clauses else ''}{_SAME} in {same}{between}{f' ({why})' if why else ''}"
    if not comparison.metrics:
        sentence = f"no metric of single {comparison.what}s was compared between {a} and {b}"
    return f"On {_images(comparison)}: {sentence}."


def _effect(one: Compared) -> str:
    paired = one.paired
    unit = f" {one.metric.unit}" if one.metric.unit else ""
    return (
        f"{shown_name(one.metric)} ({paired.difference:+.4g}{unit}, 95 % {paired.low:+.4g} to {paired.high:+.4g}, "
        f"p {one.wilcoxon_p:.2g})"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + list(names[-1:]))


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write a row for each metric and image: metric,image,a,b; an image that was not scored has an empty value.

    Raises:
        AdcbenchError: the file can't be written.
    """
    a, b = ({name: dict(scores) for name, scores in s.scores.items()} for s in comparison.scored)
    rows = [
        (name, image, *("" if (v := side[name].get(image)) is None else f"{v:.10g}" for side in (a, b)))
        for name in a
        for image, *_ in comparison.a.pairs
    ]
    rows += [(m.name, f"set of {x.n} and {y.n}", f"{x.value:.10g}", f"{y.value:.10g}") for m, x, y in comparison.sets]
    write_csv(path, ("metric", "image", comparison.a.name, comparison.b.name), rows)
