"""Names of modules, functions and files of this repository that docstrings and messages give exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "adcbench"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
QUOTED = re.compile(r"``([^`\s]+)``")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(\(\))?")
IN_MESSAGES = re.compile(rf"(?<![\w./-])(?:adcbench|models|{'|'.join(sorted(ROOMS))})(?:\.[A-Za-z_]\w*){{2,}}")
SUFFIXES = {"csv", "gz", "json", "jsonl", "md", "npz", "pkl", "py", "pth", "safetensors", "toml", "txt", "yml"}
PATHS = re.compile(r"(?:tests|adcbench|reproductions|docs)/[\w/]+\.(?:py|md|csv)(?:::\w+)?")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def bound(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What the statements of a module or class give a name."""
    names: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name): node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            names |= {name.id: node for name in flat}
        elif isinstance(node, ast.If):
            names |= bound(node.body)
    return names


def members(node: ast.ClassDef) -> set[str]:
    own = {sub.attr for sub in ast.walk(node) if isinstance(sub, ast.Attribute) and ast.unparse(sub.value) == "self"}
    return own | set(bound(node.body))


def exists(dotted: str) -> bool:
    """A full dotted name is a module, a name in a module, or a member of a class in a module."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        path = MODULES.get(".".join(parts[:end]))
        if path is None:
            continue
        rest, names = parts[end:], bound(tree(path).body)
        if not rest:
            return True
        node = names.get(rest[0])
        if node is None or len(rest) == 1:
            return node is not None
        return not isinstance(node, ast.ClassDef) or rest[1] in members(node)
    return False


def texts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def variables(path: Path) -> set[str]:
    """Arguments and variables of a file: ``config.scale`` may be one's attribute."""
    nodes = list(ast.walk(tree(path)))
    return {n.arg for n in nodes if isinstance(n, ast.arg)} | {n.id for n in nodes if isinstance(n, ast.Name)}


def known(dotted: str, path: Path) -> bool:
    """A short name exists where its file imports it from or in a module of ours of that name, or isn't ours."""
    first, _, rest = dotted.partition(".")
    node = bound(tree(path).body).get(first)
    if isinstance(node, ast.ImportFrom):
        original = next(alias.name for alias in node.names if (alias.asname or alias.name) == first)
        whole = f"{node.module}.{original}"
        return not whole.startswith("adcbench.") or exists(f"{whole}.{rest}")
    if isinstance(node, ast.ClassDef):
        return exists(f"{module_name(path)}.{dotted}")
    modules = [name for name in MODULES if name.endswith(f".{first}")]
    return not modules or first in variables(path) or any(exists(f"{module}.{rest}") for module in modules)


def unknown_names(path: Path) -> list[str]:
    wrong = []
    for line, text in texts(path):
        names = {name.removesuffix("()") for name in QUOTED.findall(text) if DOTTED.fullmatch(name)}
        names = {name for name in names if name.rpartition(".")[2] not in SUFFIXES}
        full = {name if name.startswith("adcbench.") else f"adcbench.{name}" for name in IN_MESSAGES.findall(text)}
        wrong += [f"{path}:{line}: {name}" for name in sorted(full) if not exists(name)]
        wrong += [f"{path}:{line}: {name}" for name in sorted(names) if not known(name, path)]
        for name in PATHS.findall(text):
            file, _, test = name.partition("::")
            if not (ROOT / file).is_file() or (test and f"def {test}(" not in (ROOT / file).read_text()):
                wrong.append(f"{path}:{line}: {name}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_docstrings_and_messages_exist(path: Path) -> None:
    assert not unknown_names(path)
