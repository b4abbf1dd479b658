"""Where the networks of a stage start: files that earlier stages made, or the official ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adcbench.core.errors import Blocked
from adcbench.training.stages import find_stage


@dataclass(frozen=True)
class Pretrained:
    """The files that a stage may start from.

    Args:
        weights: folder with what earlier stages made; None: the official checkpoints.
        own: files in place of those of these names.
        makers: file name -> the stage that makes it, of all that the stage needs.
    """

    weights: Path | None = None
    own: Mapping[str, Path] = field(default_factory=dict)
    makers: Mapping[str, str] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        """A file that an earlier stage made; None: the official one serves.

        Raises:
            Blocked: it is not there yet; names the stage that makes it.
        """
        if name in self.own or self.weights is None:
            return self.own.get(name)
        path = self.weights / name
        if not path.is_file():
            raise _absent(path, self.makers[name])
        return path

    def files(self) -> dict[str, Path]:
        """All files of earlier stages that the stage starts from, by name.

        Raises:
            Blocked: one is not there yet; names the stage that makes it.
        """
        paths = {name: self.file(name) for name in self.makers}
        return dict(self.own) | {name: path for name, path in paths.items() if path}


def _absent(path: Path, maker: str) -> Blocked:
    folder, chain = path.parent, find_stage(maker).chain
    where = "" if folder.is_dir() else " (there is no such folder)"
    copied = f"copy the products of adcbench train {maker} to {folder}"
    return Blocked(f"{path}, made by stage {maker}{where}", f"{chain}; or {copied}" if chain else copied)
