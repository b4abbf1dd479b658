"""The stages that there are: found in the folders of papers, cheap to list, one a name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.training import stages as package
from adcbench.training.experiments import mini_scale
from adcbench.training.stages import find_preset, find_stage, official_files, stage_of, stages

OWN = """
from dataclasses import dataclass
from typing import ClassVar

from adcbench.training.config import DataConfig, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.stages.spec import StageSpec

@dataclass(frozen=True)
class {config}:
    rates: Rates
    side: ClassVar[int] = 8

    def check(self, crop: int) -> None: ...

SPEC = StageSpec(
    "{name}",
    {config},
    lambda config, pretrained, seed: None,
    products=("own.safetensors",),
    presets={{"mini": RunConfig({config}(Rates(1e-3)), DataConfig((("/images", 0),)), LoopConfig(1, 1, 1))}},
    needs=lambda config: {{"decoder.safetensors": "decoder"}},
)
"""


@pytest.fixture
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of papers besides ours: a package in which only their files are looked for."""
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    places = package._specs
    monkeypatch.setattr(package, "_specs", lambda folder, name: [*places(folder, name), *places(tmp_path, name)])
    stages.cache_clear()
    yield tmp_path
    stages.cache_clear()
    for module in [name for name in sys.modules if name.startswith(f"{package.__name__}.mine")]:
        del sys.modules[module]


def write(papers: Path, name: str, config: str) -> None:
    folder = papers / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / f"{name.replace('-', '_')}.py").write_text(OWN.format(name=name, config=config))


def test_a_stage_of_another_paper_is_a_file(papers: Path) -> None:
    write(papers, "finetune", "FinetuneStage")
    assert list(stages())[-1] == "finetune" and "finetune" not in mini_scale.CHAIN
    assert stage_of(find_preset("finetune", "mini")) is find_stage("finetune")


@pytest.mark.parametrize(("name", "config"), [("distil", "OwnStage"), ("finetune", "DistilStage")])
def test_two_stages_of_one_name_or_one_type_of_settings_are_refused(papers: Path, name: str, config: str) -> None:
    write(papers, name, config)
    with pytest.raises(ValueError, match=f"the same name or type of settings: {name if name == 'distil' else config}"):
        stages()


def test_stages_come_in_the_order_of_training() -> None:
    assert tuple(stages()) == mini_scale.CHAIN
    with pytest.raises(AdcbenchError, match="no stage 'polish'; stages: vae, denoise, teacher, decoder, distil"):
        find_stage("polish")


def test_what_a_stage_needs_is_made_by_the_stage_that_it_names() -> None:
    for name, spec in stages().items():
        assert spec.name == name and spec.config.__dataclass_params__.frozen
        for preset in spec.presets.values():
            assert type(preset.stage) is spec.config
            for product, maker in spec.needs(preset.stage).items():
                assert product in find_stage(maker).products
    assert list(official_files()) == ["adcsr-training"]


def test_listing_stages_and_presets_imports_no_torch() -> None:
    code = "import sys; from adcbench.training.settings import chosen; chosen('distil', 'full', 'unet-50')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('torch' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
