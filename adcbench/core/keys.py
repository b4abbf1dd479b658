"""Cache keys: a hash of everything a result depends on, found without importing it.

The source closure of a module is the set of adcbench files it imports, directly or not, found by an
import walk over the syntax tree (imports inside functions included); of a user's module also those of its own
package. Docstrings and comments do not change its hash: the syntax tree is hashed, not the text. Nor do the names of
our modules: an import stands for the code of the module that it names, so that moving or renaming a module changes no
key and no committed provenance.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from adcbench.core.settings import PACKAGE

_ROOT = "adcbench"


def digest(*parts: Any) -> str:
    """sha256 of JSON-able parts, order kept."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pixel_hash(image: np.ndarray) -> str:
    """sha256 of an image's shape, type and pixels, whatever file it came from."""
    pixels = np.ascontiguousarray(image)
    hashed = hashlib.sha256(f"{pixels.shape}{pixels.dtype}".encode())
    hashed.update(pixels.reshape(-1).view(np.uint8).data)  # not copied: an output can have gigabytes
    return hashed.hexdigest()


def versions(*distributions: str) -> dict[str, str]:
    """Installed versions by distribution name, read without importing."""
    installed = {}
    for name in distributions:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed[name] = "not installed"
    return installed


def source_closure(*modules: str) -> tuple[str, ...]:
    """Names of all modules of ours, and of their own packages, that ``modules`` import, directly or not, and theirs."""
    todo, seen = list(modules), set()
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        todo += _imports(module)
    return tuple(sorted(seen))


def source_hash(*modules: str) -> str:
    """One hash over the source closure of ``modules``: equal exactly when no code in it changed, wherever it lies."""
    closure = {_linked_hash(name) for name in source_closure(*modules)}
    return digest(sorted({_linked_hash(name) for name in modules}), sorted(closure))


def has_source(module: str) -> bool:
    """Whether there is Python source of a module, as its hash needs it."""
    try:
        return _path(module) is not None
    except (ImportError, ValueError):
        return False


@lru_cache
def _path(module: str) -> Path | None:
    """The source file of a module; None for names that are not modules (functions, constants).

    Our own are looked up as files: ``find_spec`` would import the parent, and torch with it.
    """
    package, *parts = module.split(".")
    if package == _ROOT:
        base = PACKAGE.joinpath(*parts)
        return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
    if path := _below(package, parts):
        return path
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _below(package: str, parts: Sequence[str]) -> Path | None:
    """The file of a module below a package of others, found without importing what lies between."""
    try:
        there = sys.modules.get(package) or importlib.util.find_spec(package)
    except ValueError:  # a module without a spec, such as __main__
        return None
    places = getattr(there, "__path__", None) or getattr(there, "submodule_search_locations", None) or ()
    bases = [Path(place).joinpath(*parts) for place in places]
    files = (path for base in bases for path in (base / "__init__.py", *([base.with_suffix(".py")] if parts else [])))
    return next((path for path in files if path.is_file()), None)


@lru_cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@lru_cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules of ours, and of its own package, that a module imports, and those that it imports names from."""
    path = _path(module)
    if path is None:
        return ()
    named: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (source := _source(node, module, path)):
            named.update((source, *(f"{source}.{alias.name}" for alias in node.names)))
    return tuple(name for name in named if _is_ours(name) or _is_beside(name, module))


def _source(node: ast.ImportFrom, module: str, path: Path) -> str:
    """The module that names are imported from, a relative one spelt out; empty for one outside its package."""
    if not node.level:
        return node.module or ""
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    above = package[: len(package) - node.level + 1]
    return ".".join((*above, *filter(None, (node.module,)))) if above else ""


def _is_beside(name: str, module: str) -> bool:
    """Whether a name is a module of the same package as ``module``, which is not ours, and can be read."""
    package = name.split(".")[0]
    if package == _ROOT or package != module.split(".")[0]:
        return False
    path = _below(package, name.split(".")[1:])
    try:
        return path is not None and bool(_tree(path))
    except (SyntaxError, ValueError, OSError):  # written for another Python: nothing has imported it
        return False


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == _ROOT and _path(module) is not None


@lru_cache
def code_hash(module: str) -> str:
    """sha256 of a module's own code, without comments, docstrings and imports of our modules."""
    path = _path(module)
    assert path, module
    return hashlib.sha256(_code(_tree(path)).encode()).hexdigest()


@lru_cache
def _linked_hash(module: str) -> str:
    """Hash of a module's code and of what each name that it imports of ours stands for."""
    path = _path(module)
    assert path, module
    links = {link for node in ast.walk(_tree(path)) for link in _links(node)}
    return digest(code_hash(module), sorted(links))


def _links(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """For each name that an import binds: the code of the module it comes from, its name there, and its name here.

    A module that is imported has no name there but its code.
    """
    if isinstance(node, ast.Import):
        names = [(alias.name, "", alias.asname or "") for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        names = [
            (f"{node.module}.{a.name}", "", a.asname or a.name)
            if _is_ours(f"{node.module}.{a.name}")
            else (node.module, a.name, a.asname or a.name)
            for a in node.names
        ]
    else:
        return
    yield from ((code_hash(source), there, here) for source, there, here in names if _is_ours(source))


def _code(node: object) -> str:
    """A syntax tree as text, without docstrings, places, empty fields and imports of our modules.

    Unlike ``ast.dump`` it is the same for all Python versions: new ones add fields that are mostly empty.
    """
    if isinstance(node, list):
        return f"[{','.join(_code(one) for one in node if not _imports_ours(one))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
    body = fields.get("body")
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and body and _is_docstring(body[0]):
        fields["body"] = body[1:]
    fields.pop("kind", None)  # of string constants: u"" is ""
    return f"{type(node).__name__}({','.join(f'{name}={_code(value)}' for name, value in fields.items())})"


def _imports_ours(node: object) -> bool:
    if isinstance(node, ast.Import):
        return all(alias.name.split(".")[0] == _ROOT for alias in node.names)
    return isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == _ROOT


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def short(hashes: Iterable[str] | str) -> str:
    """First 16 hex digits, as committed in provenance."""
    return hashes[:16] if isinstance(hashes, str) else digest(list(hashes))[:16]
