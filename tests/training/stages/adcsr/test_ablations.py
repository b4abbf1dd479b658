"""Every variant of AdcSR's training takes a step at mini size, and differs from the reference in what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from mini_stages import (
    OSEDIFF,
    STUDENT,
    mini_batch,
    mini_teacher,
    mini_unet,
    mini_vae,
    moved,
    squared,
    take_step,
    tensors,
)
from torch import Tensor

from adcbench.systems.adcsr import variants
from adcbench.systems.adcsr.patch_discriminator import PatchDiscriminator
from adcbench.training.config import PatchLoss, Rates
from adcbench.training.stages.adcsr import decoder, distil
from adcbench.training.stages.adcsr.decoder import DecoderStage
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.steps.decoder import DecoderTraining
from adcbench.training.stages.adcsr.steps.distil import DistilTraining

RATES = Rates(1e-3)
DECODER = replace(decoder.MINI, stage=DecoderStage(OSEDIFF.base.vae, STUDENT, RATES, patch=PatchLoss(width=8)))
DISTIL = replace(distil.MINI, stage=DistilStage(OSEDIFF, STUDENT, RATES, RATES))
NAMES = tuple(distil.SPEC.ablations)
IN_STAGE_1 = tuple(decoder.SPEC.ablations)
TAIL = ("decoder.up_blocks.", "decoder.conv_norm_out.", "decoder.conv_out.")


def tiny(name: str) -> DistilTraining:
    config = distil.SPEC.ablations[name](DISTIL, "mini").stage
    return DistilTraining(config, mini_teacher(config.student), mini_unet(), squared, 0)


@cache
def stepped(name: str) -> tuple[DistilTraining, frozenset[str], float, float]:
    """A variant's stage 2 after a step: what moved, and the step's losses."""
    stage = tiny(name)
    before = tensors(stage)
    first, *_ = take_step(stage, mini_batch())
    return stage, frozenset(moved(before, tensors(stage))), first.total.item(), first.parts["distil"].item()


def target(stage: DistilTraining) -> Tensor:
    lr = mini_batch().lr
    return stage.teacher.target(lr, stage.teacher.text(lr))


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_takes_a_step(name: str) -> None:
    stage, found, total, distance = stepped(name)
    assert 0 < distance <= total < 100
    students = {n.removeprefix("student.") for n in found if n.startswith("student.")}
    assert any(n.startswith("unet.") for n in students) and any(n.startswith("decoder.mid_block.") for n in students)
    whole = name in ("no-pretraining", "one-stage")
    assert any(n.startswith(TAIL) for n in students) == whole
    assert any(n.startswith("discriminator.") for n in found) == (name != "no-adversarial")
    assert not any(n.startswith("teacher.") for n in found)
    image, scores = stage.validate(mini_batch())
    assert image.shape == (2, 3, 64, 64) and scores["distil"] > 0


@pytest.mark.parametrize("name", variants())
def test_networks_that_differ_have_their_own_student(name: str) -> None:
    stage = distil.SPEC.ablations[name](DISTIL, "mini").stage
    assert stage.student == variants(STUDENT)[name] != STUDENT


def test_full_scale_variants_differ_in_the_named_setting_alone() -> None:
    changed = {}
    for name in NAMES:
        found = distil.SPEC.ablations[name](distil.FULL, "full")
        fields = {k: v for k, v in vars(found.stage).items() if v != getattr(distil.FULL.stage, k)}
        fields.pop("student", None)
        changed[name] = fields
        assert found.data == distil.FULL.data
    assert {name: fields for name, fields in changed.items() if fields} == {
        "no-pretraining": {"pretrained": False, "pixel": 1.0},
        "one-stage": {
            "pretrained": False,
            "pixel": 1.0,
            "rates": Rates(1e-4, (350_000,)),
        },  # halved at half, as stage 2
        "no-adversarial": {"adversarial": 0.0},
        "adversarial-0.1": {"adversarial": 0.1},
        "patch-discriminator": {"discriminator": "patch"},
        "full-discriminator": {"discriminator": "unet-full"},
        "teacher-step-1": {"teacher_step": 1},
    }


def test_one_stage_trains_as_long_as_both_on_a_stretched_schedule() -> None:
    late = replace(distil.FULL, stage=replace(distil.FULL.stage, adversarial_start=50_000))
    one, none = (distil.SPEC.ablations[name](late, "full") for name in ("one-stage", "no-pretraining"))
    assert (one.loop.steps, none.loop.steps) == (700_000, 200_000)
    assert one.stage.rates.milestones == (350_000,) and one.stage.adversarial_start == 175_000


@pytest.mark.parametrize("name", IN_STAGE_1)
def test_variants_of_stage_1_take_a_step(name: str) -> None:
    config = decoder.SPEC.ablations[name](DECODER, "mini")
    stage = DecoderTraining(config.stage, mini_vae(), squared, 0)
    before = tensors(stage)
    assert all(bool(loss.total.isfinite()) for loss in take_step(stage, mini_batch()))
    assert {n.split(".")[0] for n in moved(before, tensors(stage))} == {"decoder", "discriminator"}
    assert config.stage.clip == (name.removeprefix("clip-") if name.startswith("clip") else "none")


def test_without_the_adversarial_loss_only_the_distance_is_left() -> None:
    _, _, total, distance = stepped("no-adversarial")
    reference, tenth = stepped("adcsr"), stepped("adversarial-0.1")
    assert total == distance == pytest.approx(reference[3]) == pytest.approx(tenth[3])
    assert tenth[2] - distance == pytest.approx(0.1 * (reference[2] - distance), rel=1e-4)


def test_discriminators_differ_in_what_is_trained() -> None:
    moved_of = {name: {n for n in stepped(name)[1] if n.startswith("discriminator.")} for name in
                ("adcsr", "full-discriminator", "patch-discriminator")}  # fmt: skip
    assert all(".lora_" in n or ".conv_in." in n for n in moved_of["adcsr"])
    assert not any("lora" in n for n in moved_of["full-discriminator"])
    assert any(".time_embedding." in n for n in moved_of["full-discriminator"])
    assert isinstance(stepped("patch-discriminator")[0].discriminator, PatchDiscriminator)


def test_the_teachers_step_changes_the_target() -> None:
    reference, other = target(stepped("adcsr")[0]), target(stepped("teacher-step-1")[0])
    assert not torch.allclose(reference, other, rtol=0.1)


def test_without_pretraining_the_decoder_is_cut_from_the_vaes_own() -> None:
    student, teacher = tiny("no-pretraining").student, mini_teacher()
    own = teacher.base_vae.decoder.conv_in.weight[: STUDENT.decoder_widths[-1]]
    assert torch.equal(student.decoder.state_dict()["mid_block.resnets.0.conv1.bias"],
                       teacher.base_vae.decoder.mid_block.resnets[0].conv1.bias[:10])  # fmt: skip
    assert torch.equal(tiny("no-pretraining").teacher.decoder.conv_in.weight, own)
    assert not torch.equal(tiny("adcsr").teacher.decoder.conv_in.weight, own)
