"""YAML as settings are written in it: plain data, no dates, no aliases (406 bytes of them took 5 GB)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from adcbench.core.datafiles import LARGEST_SETTINGS, check_depth
from adcbench.core.errors import AdcbenchError, one_line
from adcbench.core.files import read_text

_DATE = "tag:yaml.org,2002:timestamp"


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        AdcbenchError: see ``files.read_text`` and ``parse_yaml``; names the file.
    """
    return parse_yaml(read_text(path, LARGEST_SETTINGS), str(path))


def parse_yaml(text: str, name: str) -> Any:
    """The content of a YAML text; dates stay text.

    Args:
        name: where it comes from, for errors.

    Raises:
        AdcbenchError: it is not YAML, has anchors or aliases, is too deep, or has a number of thousands of digits.
    """
    try:
        content = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise AdcbenchError(f"{name}: can't be read as YAML ({_reason(error)})") from error
    check_depth(content, name)
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    return one_line(error)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012  (as in the class it comes from)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not taken", event.start_mark)
        return super().compose_node(parent, index)  # type: ignore[no-untyped-call]
