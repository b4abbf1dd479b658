"""Settings of training runs: names, files, single settings, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from adcbench.core.errors import AdcbenchError
from adcbench.degradation.realesrgan import HARD, MILD, smallest_side
from adcbench.systems import adcsr, sizes
from adcbench.systems.layers.blocks import GROUPS
from adcbench.training.config import SMALLEST_CROP, Rates
from adcbench.training.settings import as_yaml, base_of, chosen
from adcbench.training.stages import find_preset, stages
from adcbench.training.stages.adcsr.distil import FULL as FULL_DISTIL

PRESETS = [(stage, name) for stage, spec in stages().items() for name in spec.presets]


def write(folder: Path, content: Any) -> str:
    path = folder / "settings.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


# --- the published numbers (image_systems.md section 5; adcsr_tables.md section 11) ---


# --- rates ---


# --- choosing ---


@pytest.mark.parametrize(("stage", "name"), PRESETS)
def test_named_settings_round_trip(stage: str, name: str, tmp_path: Path) -> None:
    config = chosen(stage, name)
    assert config == find_preset(stage, name)
    assert chosen(stage, write(tmp_path, as_yaml(config, name))) == config
    config.loop.check()


def test_every_stage_can_be_run_at_mini_scale() -> None:
    assert all(chosen(stage, "mini") for stage in stages())


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    content = {"base": "full", "stage": {"rates": {"rate": 1e-3}}, "loop": {"steps": 7}}
    found = chosen(
        "distil", write(tmp_path, content), source="/images", changes=["loop.batch=24", "stage.adversarial=0"]
    )
    assert found.stage.rates == Rates(1e-3, FULL_DISTIL.stage.rates.milestones)
    assert (found.loop.steps, found.loop.batch, found.stage.adversarial) == (7, 24, 0.0)
    assert found.data.sources == (("/images", 0),) and found.data.crop == 512
    assert found.loop.micro_batch == FULL_DISTIL.loop.micro_batch


def test_null_switches_off() -> None:
    found = chosen("decoder", "mini", changes=["stage.patch=null"])
    assert found.stage.patch is None


@pytest.mark.parametrize(("config", "steps"), [("full", 700_000), ("full-upstream", 700_000), ("claims", 1_300)])
def test_a_variants_other_stage_is_of_the_same_size(config: str, steps: int) -> None:
    assert chosen("distil", config, "one-stage").loop.steps == steps
    if config != "full-upstream":
        reference, found = (chosen("decoder", config, name).stage for name in ("", "clip-ste"))
        assert found == replace(reference, clip="ste")


def test_an_ablation_changes_what_a_file_shows(tmp_path: Path) -> None:
    shown = write(tmp_path, as_yaml(chosen("distil", "full", changes=["loop.batch=24"]), base_of("full")))
    found = chosen("distil", shown, "unet-50", changes=["stage.adversarial=0.5"])
    assert found.stage.student == adcsr.variants()["unet-50"] != FULL_DISTIL.stage.student
    assert (found.loop.batch, found.stage.adversarial, base_of(shown)) == (24, 0.5, "full")
    assert chosen("distil", shown, "one-stage").loop.steps == 700_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.crop=126", "data.crop is 126; it must be a multiple of 64"),
        ("data.crop=0", "data.crop is 0"),
        ("stage.rank=0", "stage.rank is 0"),
        ("stage.teacher_step=5000", "stage.teacher_step is 5000; it must be less than or equal to 999"),
        ("stage.student.unet_widths=[30,60,60]", "of one length"),
    ],
)
def test_settings_that_do_not_fit_are_refused_at_once(change: str, message: str) -> None:
    with pytest.raises(AdcbenchError, match=message):
        chosen("distil", "mini", changes=[change])


def test_an_empty_part_changes_nothing_and_a_base_is_a_name(tmp_path: Path) -> None:
    assert chosen("distil", write(tmp_path, "base: mini\nloop:\n")) == find_preset("distil", "mini")
    with pytest.raises(AdcbenchError, match="no settings"):
        chosen("distil", write(tmp_path, "base: [1]"))


@pytest.mark.parametrize(
    ("stage", "change", "said"),
    [
        ("vae", "stage.rates.rate=-1", "stage.rates.rate is -1; it must be greater than or equal to 0"),
        ("vae", "stage.rates.factor=.nan", "stage.rates.factor is nan; it must be a finite number"),
        ("vae", "stage.rates.warmup=-5", "stage.rates.warmup is -5"),
        ("vae", "stage.rates.milestones=[5, -1]", r"stage.rates.milestones.1 is -1"),
        ("vae", "stage.vae.latent=0", "stage.vae.latent is 0; it must be 1 to 8192"),
        ("vae", "stage.vae.widths=[]", "the number of stage.vae.widths is 0; it must be 1 to 4"),
        ("vae", "stage.vae.widths=[1000000000000]", r"stage.vae.widths.0 is 1e\+12; it must be 1 to 8192"),
        ("vae", "stage.patch={width: -3}", "stage.patch.width is -3"),
        ("vae", "data.crop=6400000", "data.crop is 6400000; it must be less than or equal to 8192"),
        ("vae", "data.degradation=hard", "data.crop is 64; it must be a multiple of 8, and at least 76"),
        ("vae", "data.sources=[]", "data.sources is empty"),
        ("vae", "data.sources=[[a, 0], [b, 0]]", r"data.sources.0.1 is 0; it must be the steps that a lasts"),
        ("vae", f"loop.seed={10**60}", "loop.seed is .*it must be less than 9223372036854775808"),
        ("vae", f"loop.steps={10**30}", "loop.steps is .*it must be less than or equal to 1000000000"),
        ("vae", "loop.explode=-1", "loop.explode is -1"),
        ("vae", "loop.workers=-1", "loop.workers is -1"),
        ("teacher", "stage.osediff.rank=0", "stage.osediff.rank is 0; it must be 1 to 1024"),
        ("teacher", "stage.osediff.upscale=0", r"stage.osediff.upscale is 0; it must be 4 \(the scale"),
        ("teacher", "stage.osediff.tags=true", "stage.osediff.tags is true; it must be false"),
        ("denoise", "stage.osediff.base.unet.heads=[]", r"stage.osediff.base.unet.heads is \[\]; it must be as many"),
        ("denoise", "stage.osediff.base.unet.context=7", "context is 7; it must be 8"),
        ("distil", "stage.rank=100000", "stage.rank is 100000; it must be less than or equal to 1024"),
        ("distil", "stage.student.heads=[7,7,7,7]", "stage.student.heads.0 is 7; it must divide its width, 30"),
        ("distil", "stage.student.heads=[0,0,0,0]", "stage.student.heads.0 is 0"),
        ("distil", "stage.student.unet_widths=[1,1,1,1]", "stage.student.heads.1 is 2; it must divide its width, 1"),
        ("distil", "stage.student.unet_widths=[-30,60,60,60]", r"stage.student.unet_widths.0 is -30"),
        ("distil", "stage.student.unet_widths=[30,60,60,1000]", r"none above \[40, 80, 80, 80\]"),
        ("distil", "stage.student.decoder_widths=[]", "the number of stage.student.decoder_widths is 0"),
        ("distil", "stage.student.unshuffle=0", "stage.student.unshuffle is 0; it must be 2"),
        ("distil", "stage.student.unshuffle=3", "stage.student.unshuffle is 3; it must be 2"),
        ("decoder", "stage.student.latent_width=4", "stage.student.latent_width is 4; it must be 16"),
    ],
)  # fmt: skip
def test_what_training_would_end_at_is_refused_when_it_is_shown(stage: str, change: str, said: str) -> None:
    """One line that names the setting, its value and what it may be; see also tests/fuzz/test_odd_settings.py."""
    with pytest.raises(AdcbenchError, match=said) as caught:
        chosen(stage, "mini", changes=[change])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_limits_that_stand_twice_are_equal() -> None:
    """Their other places need torch, which settings do without."""
    assert sizes.GROUPS == GROUPS
    assert SMALLEST_CROP["hard"] == smallest_side(HARD)
    assert SMALLEST_CROP["mild"] >= smallest_side(MILD) and SMALLEST_CROP["mild"] % 64 == 0


@pytest.mark.parametrize("name", ["seed", "workers", "validate_every"])
def test_what_counts_is_not_negative(name: str) -> None:
    with pytest.raises(AdcbenchError, match=rf"loop\.{name} is -1; it must be greater than or equal to 0"):
        chosen("distil", "mini", changes=[f"loop.{name}=-1"]).loop.check()


@pytest.mark.parametrize(
    ("stage", "config", "changes", "message"),
    [
        ("polish", "mini", [], "no stage 'polish'.*distil"),
        ("distil", "huge", [], "no settings 'huge'.*full"),
        (
            "distil",
            "mini",
            ["loop.stepz=3"],
            r"--set loop\.stepz=3: unknown setting loop\.stepz.*distil --config mini --show",
        ),
        ("distil", "mini", ["stage.rates.speed=3"], r"unknown setting stage\.rates\.speed"),
        ("distil", "mini", ["lop.steps=3"], "unknown setting lop"),
        ("distil", "mini", ["loop.steps=many"], r"loop\.steps is 'many'; it must be a valid integer"),
        ("distil", "mini", ["stage.discriminator=big"], r"stage\.discriminator.*'unet-lora'"),
        ("distil", "mini", ["stage.rates=3"], r"stage\.rates"),
        ("distil", "mini", ["loop.steps"], "NAME=VALUE"),
        ("distil", "mini", ["loop.steps=[1"], r"loop\.steps=\[1: can't be read as YAML"),
        ("distil", "mini", ["loop=3"], "loop holds settings, such as steps; not 3"),
    ],
)
def test_mistakes_are_named(stage: str, config: str, changes: list[str], message: str) -> None:
    with pytest.raises(AdcbenchError, match=message):
        chosen(stage, config, changes=changes)


@pytest.mark.parametrize("text", ["- a\n- list\n", "loop: [unclosed", ""])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"settings\.yml"):
        chosen("distil", write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x0: &x0 [1]\nx1: [*x0, *x0]\nbase: mini", "anchors and aliases are not taken, line 1, column 5"),
        ("base: &a mini", "anchors and aliases"),
        (f"a: {'[' * 2000}{']' * 2000}", "nested too deeply"),
        (f"stage: {'{a: ' * 500}1{'}' * 500}", "nested too deeply"),
        (f"stage: {'{a: ' * 40}1{'}' * 40}", "nested more than 32 levels"),
        (f"loop: {{steps: {'9' * 5000}}}", "can't be read as YAML"),
        (f"loop: {{steps: 0x{'f' * 5000}}}", "loop.steps is a number of thousands of digits"),
        ("base: 2001-99-99", "no settings '2001-99-99'"),
        ("base: !!timestamp 2001-99-99", "can't be read as YAML"),
        ("base: 2001-01-01", "no settings '2001-01-01'"),
        (f"# {'x' * 300_000}", "has 300,002 bytes, more than the 200,000"),
        ("base: !!python/object/apply:os.getcwd []", "can't be read as YAML"),
    ],
    ids=range(12),
)
def test_a_file_that_is_a_trap_is_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=said) as caught:
        chosen("distil", write(tmp_path, text))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    if "\n" not in text and len(text) < 10_000 and not text.startswith("#"):
        with pytest.raises(AdcbenchError):
            chosen("distil", "mini", changes=[f"stage.rank={text.partition(': ')[2]}"])


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"gone\.yml"):
        chosen("distil", str(tmp_path / "gone.yml"))


def test_ablations_belong_to_the_two_stages() -> None:
    for stage in ("teacher", "vae"):
        with pytest.raises(AdcbenchError, match="only the stages decoder and distil"):
            chosen(stage, "mini", "no-adversarial")
    with pytest.raises(AdcbenchError, match="train stage distil"):
        chosen("decoder", "mini", "no-adversarial")
    with pytest.raises(AdcbenchError, match=r"no ablation 'nothing'.*no-pretraining"):
        chosen("distil", "mini", "nothing")
    assert find_preset("distil", "mini") == chosen("distil", "mini", "adcsr")
