"""The stages that there are: found in the folders of papers, cheap to list, one a name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.training import stages as package
from adcbench.training.experiments import mini_scale
from adcbench.training.stages import find_preset, find_stage, official_files, stage_of, stages

# A stage of another paper, with a preset and an ablation, in two files: its spec, and what it does in a step.
SPEC = """
from dataclasses import dataclass, replace
from typing import ClassVar

from adcbench.training.config import DataConfig, Rates, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import Count
from adcbench.training.stages.spec import StageSpec

@dataclass(frozen=True)
class {config}:
    rates: Rates
    width: Count = 1
    side: ClassVar[int] = 4

    def check(self, crop: int) -> None:
        pass

def build(config, pretrained, seed):
    from adcbench.training.stages.mine.steps.{name} import Training
    return Training(config, seed)

LOOP = LoopConfig(steps=2, batch=2, micro_batch=1, tensorboard=False, device="cpu")
SPEC = StageSpec(
    "{name}",
    {config},
    build,
    products=("{name}.safetensors",),
    presets={{"mini": RunConfig({config}(Rates(1e-3)), DataConfig((("/images", 0),), crop=64), LOOP)}},
    ablations={{"wide": lambda config, preset: replace(config, stage=replace(config.stage, width=2))}},
)
"""
STEPS = """
import torch
from torch import nn

from adcbench.training.engine.stage import Loss, seeded

class Training:
    def __init__(self, config, seed):
        self.config = config
        with seeded(seed):
            self.network = nn.Sequential(nn.Conv2d(3, 48 * config.width, 1), nn.Conv2d(48 * config.width, 48, 1))
        self.networks, self.frozen = {"network": self.network}, {}
        self.optimisers = {"network": torch.optim.Adam(self.network.parameters())}

    def losses(self, batch):
        loss = (nn.functional.pixel_shuffle(self.network(batch.lr), 4) - batch.hr).abs().mean()
        yield Loss("network", loss, {"l1": loss})

    def learning_rate(self, optimiser, step):
        return self.config.rates.at(step)

    def products(self):
        return {"finetune.safetensors": self.network.state_dict()}
"""


@pytest.fixture
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of papers besides ours, empty."""
    folder = tmp_path / "papers"
    folder.mkdir()
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    places = package._specs
    monkeypatch.setattr(package, "_specs", lambda ours, name: [*places(ours, name), *places(folder, name)])
    stages.cache_clear()
    yield folder
    stages.cache_clear()
    for module in [name for name in sys.modules if name.startswith(f"{package.__name__}.mine")]:
        del sys.modules[module]


def write(papers: Path, name: str, config: str) -> None:
    (papers / "mine" / "steps").mkdir(parents=True)
    (papers / "mine" / "__init__.py").touch()
    (papers / "mine" / f"{name}.py").write_text(SPEC.format(name=name, config=config))
    (papers / "mine" / "steps" / f"{name}.py").write_text(STEPS)


def test_a_stage_of_another_paper_is_two_files(papers: Path, tmp_path: Path) -> None:
    """Found, listed, shown, trained, varied; and not in train-mini."""
    write(papers, "finetune", "FinetuneStage")
    assert set(stages()) == {*mini_scale.CHAIN, "finetune"}
    assert stage_of(find_preset("finetune", "mini")) is find_stage("finetune")
    for i in range(2):
        write_png(tmp_path / "images" / f"{i}.png", np.full((70, 80, 3), 100 * i, np.uint8))
    runner, source = CliRunner(), ("--source", str(tmp_path / "images"))
    assert "finetune  mini" in runner.invoke(cli, ("train", "--help")).output
    assert "width: 2" in runner.invoke(cli, ("train", "finetune", "--ablation", "wide", "--show")).output
    for name, ablation, width in (("plain", (), 48), ("wide", ("--ablation", "wide"), 96)):
        out = tmp_path / name
        runner.invoke(cli, ("train", "finetune", *ablation, *source, "--out", str(out)), catch_exceptions=False)
        assert load_file(out / "products" / "finetune.safetensors")["0.weight"].shape[0] == width
        assert json.loads((out / "settings.json").read_text())["FinetuneStage"]["width"] == width // 48
    with pytest.raises(
        AdcbenchError, match=r"--ablation wide: its stage distil is the reference's.*train stage finetune"
    ):
        runner.invoke(cli, ("train", "distil", "--ablation", "wide"), catch_exceptions=False)


@pytest.mark.parametrize(("name", "config"), [("distil", "OwnStage"), ("finetune", "DistilStage")])
def test_two_stages_of_one_name_or_one_type_of_settings_are_refused(papers: Path, name: str, config: str) -> None:
    write(papers, name, config)
    with pytest.raises(
        AdcbenchError, match=f"the same name or type of settings: {name if name == 'distil' else config}"
    ):
        stages()


_LIKE = "from dataclasses import fields, replace\nfrom adcbench.training.stages.adcsr.decoder import SPEC as LIKE\n"
_NEEDS = """
class Own(type(LIKE.presets["mini"].stage)):
    pass
mini = LIKE.presets["mini"]
stage = Own(**{{name: getattr(mini.stage, name) for name in (field.name for field in fields(mini.stage))}})
SPEC = replace(LIKE, name="own", config=Own, presets={{"mini": replace(mini, stage=stage)}}, needs=lambda config: {})
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def (", r"broken\.py: SyntaxError"),
        ("import no_such_module", r"broken\.py: ModuleNotFoundError"),
        ("SPEC = 3", r"broken\.py: its SPEC is a int, not a StageSpec"),
        (_LIKE + "SPEC = replace(LIKE, name=3)", r"broken\.py: the name of its SPEC is no text"),
        (_LIKE + "SPEC = replace(LIKE, presets=3)", r"broken\.py: the presets of its SPEC are no RunConfigs"),
        (_LIKE + "SPEC = replace(LIKE, config=int)", r"broken\.py: preset 'full' is not of the settings int"),
        (
            _LIKE + _NEEDS.format("{'a': 'nowhere'}"),
            "stage own starts from what stage nowhere makes, which there is not",
        ),
        (_LIKE + _NEEDS.format("{'a': 'own'}"), "stage own starts from what stage own makes, which starts from it"),
        (_LIKE + _NEEDS.format("{}['x']"), "stage 'own': its needs fail with KeyError: 'x'"),
    ],
)
def test_a_broken_stage_is_one_line_that_names_it(papers: Path, text: str, why: str) -> None:
    (papers / "mine").mkdir()
    (papers / "mine" / "__init__.py").touch()
    (papers / "mine" / "broken.py").write_text(text)
    with pytest.raises(AdcbenchError, match=why):
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
    command = [sys.executable, "-c", f"{code}; print('torch' in sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "False\n", done.stderr
