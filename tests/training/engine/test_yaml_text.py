"""Settings as YAML: dates stay text, and nothing that grows or nests without end is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.yaml_text import parse_yaml, read_yaml


def test_dates_stay_text_and_everything_else_is_yaml() -> None:
    text = "a: 2025-06-10\nb: [1, 1.5, true, null, x]\n"
    assert parse_yaml(text, "t") == {"a": "2025-06-10", "b": [1, 1.5, True, None, "x"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x\n", r"t: can't be read as YAML \(anchors and aliases are not taken, line 1, column 4\)"),
        ("a: [1\nb: 2\n", r"t: can't be read as YAML \(.*line 2, column 2\)"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("[" * 40 + "]" * 40, "t: nested more than 32 levels deep"),
        ("[" * 5000, "t: can't be read as YAML"),
        ("a: " + "9" * 5000, "t: can't be read as YAML"),
    ],
)
def test_what_is_refused_is_one_line(text: str, says: str) -> None:
    with pytest.raises(AdcbenchError, match=says) as caught:
        parse_yaml(text, "t")
    assert "\n" not in str(caught.value)


def test_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(AdcbenchError, match=r"x\.yaml: can't be read as YAML"):
        read_yaml(tmp_path / "x.yaml")
