"""What the files under ``reproductions/`` say of papers as a whole, and share between tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from adcbench.core.cells import CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.tables.columns import scores
from adcbench.tables.loading import find_files, load_file

PAPER_FILE = "_paper.py"  # in a paper's folder: its PAPER
COLUMNS_FILE = "_columns.py"  # its IMAGE: columns of the image tables, with the metric that fills each
SHOWN_FILE = "_shown.py"  # its SHOWN: cells that the README shows


@dataclass(frozen=True)
class Paper:
    """A paper, of which one folder below ``reproductions/`` holds the tables.

    Args:
        name: what people call it.
        title: with its venue and number, as above its tables.
        own: row -> system, of what the paper itself proposes; systems as tables name them.
        methods: row -> system, of what its tables compare and a command of ours can run.
        sources: where its values were read, a few sentences. ``{known}`` stands for how many values there are,
            ``{kinds}`` for how many of each kind of source, ``{own_kinds}`` for those of its own rows, ``{primary}``
            for how many of the primary ones each source prints.
        unnumbered: its tables whose number no source gives, in words; empty where there are none.
        related: the folder holds tables that are not re-derived as a whole, of this paper or of any, beside those that
            are.
        repositories: row -> owner/name of its authors' own repository, as far as it is known: whose system it is.
        causes: name -> what it is, of causes that only this paper's numbers have (``results.causes`` has the others).
    """

    name: str
    title: str
    own: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    sources: str = ""
    unnumbered: str = ""
    related: bool = False
    repositories: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)


def load_papers() -> dict[str, Paper]:
    """Every paper by the name of its folder, in order.

    Raises:
        AdcbenchError: a file that can't be run, or that defines no PAPER.
    """
    papers = {}
    for path in find_files(f"*/{PAPER_FILE}"):
        paper = getattr(load_file(path), "PAPER", None)
        if not isinstance(paper, Paper):
            raise AdcbenchError(f"{path}: it must define PAPER, an adcbench.tables.papers.Paper")
        papers[path.parent.name] = paper
    return papers


def shown_cells() -> tuple[CellKey, ...]:
    """Cells that show what kinds of answers there are, as the README lists them; none without such a file."""
    return tuple(CellKey(*place) for path in find_files(SHOWN_FILE) for place in load_file(path).SHOWN)


def image_scores() -> Mapping[str, str]:
    """Column -> metric of the papers' image tables, in their order; empty without such a file."""
    return {column: metric for path in find_files(COLUMNS_FILE) for column, metric in _scores(path).items()}


@lru_cache
def _scores(path: Path) -> Mapping[str, str]:
    return scores(load_file(path).IMAGE)
