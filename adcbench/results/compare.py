"""Is A better than B on a test set? Each is a system, an output that a paper's authors released, or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.needs import available, together
from adcbench.data.media import Sample
from adcbench.data.test_sets.test_set import OpenTestSet, spread_evenly
from adcbench.inference.test_set import upscale_test_set
from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric, SetScore
from adcbench.results.significance import Paired, compare_paired, holm
from adcbench.systems.system import System
from adcbench.tables.papers import image_scores


@dataclass(frozen=True)
class Outputs:
    """One side: its name, what it is, and its images or clips with their HR files."""

    name: str
    what: str
    pairs: tuple[Sample, ...]


@dataclass(frozen=True)
class Compared:
    """One metric: paired tests, with p-values corrected over all metrics of the comparison.

    ``lost`` are images that one of the two has no score of; ``verdict`` is of A against B.
    """

    metric: Metric
    paired: Paired
    sign_p: float
    wilcoxon_p: float
    verdict: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The answer, metric by metric.

    Args:
        a, b: names of the two.
        test_set: as in the tables; ``images``: how many images or clips.
        metrics: those of single images or clips.
        sets: metric over a set -> its values of A and B. Never tested in pairs: there is one number each.
        blocked: (metric, what is missing).
        problems: images or clips that could not be scored, with the reason.
        scored: all scores of A and of B.
    """

    a: Outputs
    b: Outputs
    test_set: str
    images: int
    metrics: tuple[Compared, ...]
    sets: tuple[tuple[Metric, SetScore, SetScore], ...]
    blocked: tuple[tuple[str, Blocked], ...]
    problems: tuple[str, ...]
    scored: tuple[Scored, Scored]

    @property
    def what(self) -> str:
        """What is compared: image or clip."""
        return "clip" if any(sample.is_clip for sample in self.a.pairs) else "image"


def shown_name(metric: Metric) -> str:
    """A metric as tables call it: PSNR for psnr; a variant keeps its own name."""
    printed = {name: column for column, name in image_scores().items()}
    return printed.get(metric.name, metric.name)


def find_outputs(
    name: str, opened: OpenTestSet, system: System | None, *, limit: int = 0, device: str = "cpu"
) -> Outputs:
    """The outputs that a name stands for: released ones first, then ``system``, then a folder of that name.

    Args:
        name: as on the command line.
        system: the system of that name, if there is one; it is run here, or its outputs taken from the cache.
        limit: only so many images, spread evenly over the set; 0: all.

    Raises:
        Blocked: the test set or a system's weights are not here.
        AdcbenchError: nothing has that name, or a folder's images are not those of the test set.
    """
    released = name in opened.test_set.outputs
    if system and not released:
        made = upscale_test_set(system, opened, device=device, limit=limit)
        return Outputs(name, f"run here on {device}", tuple(made))
    pairs = spread_evenly(opened.samples(name), limit)
    if released:
        return Outputs(name, "released outputs", tuple(pairs))
    return Outputs(Path(name).name, f"folder {name}", tuple(pairs))


def compare_outputs(
    a: Outputs, b: Outputs, test_set: str, metrics: Sequence[Metric], *, device: str = "cpu"
) -> Comparison:
    """Score both with each metric whose files are here, and test the differences image by image.

    Raises:
        Blocked: no metric's files are here.
        AdcbenchError: A and B are not of the same images, or no metric can score any of them.
    """
    of_a, of_b = ({name for name, _, _ in side.pairs} for side in (a, b))
    if of_a != of_b:
        alone = ((a.name, of_a - of_b), (b.name, of_b - of_a))
        lines = "; ".join(f"{listed(sorted(names))} only in {side}" for side, names in alone if names)
        raise AdcbenchError(f"not the same samples: {lines}. Compare outputs of the same LR images or clips")
    here, blocked = available(metrics)
    if not here:
        raise together([block for _, block in blocked])
    scored = score(a.pairs, here, device=device), score(b.pairs, here, device=device)
    both = [metric for metric in here if all(s.of(metric.name) for s in scored)]  # the others are among the problems
    single = [metric for metric in both if metric.takes != "set"]
    return Comparison(
        a, b, test_set, len(a.pairs),
        tuple(compare_scores(single, *scored)),
        tuple((metric, *(s.sets[metric.name] for s in scored)) for metric in both if metric.takes == "set"),  # type: ignore[misc]
        tuple((shown_name(metric), block) for metric, block in blocked),
        tuple(f"{side.name}: {problem}" for side, s in zip((a, b), scored, strict=True) for problem in s.problems),
        scored,
    )  # fmt: skip


def compare_scores(metrics: Sequence[Metric], a: Scored, b: Scored) -> list[Compared]:
    """Paired tests of each metric on the images that both have a score of, Holm-corrected over the metrics.

    Raises:
        AdcbenchError: two have no image in common that a metric scored.
    """
    paired_tests, lost = [], []
    for metric in metrics:
        x, y = dict(a.scores[metric.name]), dict(b.scores[metric.name])
        both = [name for name in x if name in y]
        if not both:
            raise AdcbenchError(f"{metric.name}: no sample has a score of both")
        lost.append(tuple(sorted({*a.lost(metric.name), *b.lost(metric.name)})))
        pairs = [x[name] for name in both], [y[name] for name in both]
        paired_tests.append(compare_paired(*pairs, higher_is_better=metric.higher_is_better))
    sign, ranked = holm([p.sign_p for p in paired_tests]), holm([p.wilcoxon_p for p in paired_tests])
    return [
        Compared(metric, paired, sign[i], ranked[i], paired.verdict(ranked[i]), lost[i])
        for i, (metric, paired) in enumerate(zip(metrics, paired_tests, strict=True))
    ]
