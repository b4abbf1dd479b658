"""What a stage of training is: a ``SPEC`` in a file of its own below ``training/stages/<paper>/``. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from adcbench.core.weight_files import WeightFile
from adcbench.training.config import Config, RunConfig

if TYPE_CHECKING:
    from adcbench.training.engine.stage import Stage
    from adcbench.training.pretrained import Pretrained

Change = Callable[[RunConfig[Config], str], RunConfig[Config]]


@dataclass(frozen=True)
class OfficialFiles:
    """Checkpoints that others released and stages start from; see ``core.weight_files.NeedsFiles``.

    Args:
        name, get: as ``adcbench weights`` knows them, and the command that gets them.
        load: loads all of them, strictly; raises AdcbenchError as training would.
    """

    files: tuple[WeightFile, ...]
    name: str
    home: str
    get: str
    load: Callable[[], None]
    locate: Callable[[str], Path | None] | None = None

    def load_strictly(self) -> bool:
        """Load them on the CPU, see ``workflows.catalogue.Loadable``."""
        self.load()
        return True


@dataclass(frozen=True)
class StageSpec(Generic[Config]):
    """A stage of training, apart from its losses.

    Args:
        name: of the stage, as ``adcbench train`` takes it; no other stage has it.
        config: the type of its settings; no other stage has it. Its name stands in the records of runs.
        build: (settings, where its networks start, seed) -> the stage; imports what needs torch.
        products: names of the files that it makes.
        presets: named settings: the published ones (``full``), the mini scale's (``mini``), others.
        needs: settings -> what it starts from: file name -> name of the stage that makes it.
        ablations: by name, what each variant changes of the settings: (settings, the preset that they come from) ->
            settings. A variant that another stage alone changes is here too, unchanged, if this stage follows it.
        shipped: settings -> folder of the package's own weights, if there are any of such sizes.
        official: the released checkpoints that it starts from where no folder is given.
        chain: the command that runs this stage and all others of its paper, and where it leaves what they make.
    """

    name: str
    config: type[Config]
    build: Callable[[Config, Pretrained, int], Stage]
    products: tuple[str, ...]
    presets: Mapping[str, RunConfig[Config]]
    needs: Callable[[Config], Mapping[str, str]] = lambda config: {}
    ablations: Mapping[str, Change[Config]] = field(default_factory=dict)
    shipped: Callable[[Config], Path | None] = lambda config: None
    official: OfficialFiles | None = None
    chain: str = ""


def products_of(*specs: StageSpec[Any]) -> dict[str, str]:
    """The files that stages make: file name -> name of the stage; for ``needs``."""
    return {product: spec.name for spec in specs for product in spec.products}
