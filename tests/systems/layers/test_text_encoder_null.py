"""No text encoder: networks trained without text need no tokenizer and no file of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adcbench.core.errors import AdcbenchError
from adcbench.systems import adcsr
from adcbench.systems.adcsr import DECODER_FILE
from adcbench.systems.layers.sd21 import VAE_FILE, TextConfig
from adcbench.systems.layers.text_encoder import NullText, TextEncoder, text_network, text_tokenizer
from adcbench.systems.osediff import MERGED_FILE, TRAINED_MINI, load
from adcbench.systems.osediff.prompts import load_prompts
from adcbench.systems.osediff.teacher import load_teacher

TEXT = TRAINED_MINI.base.text


def test_the_text_is_one_zero_token() -> None:
    ids = text_tokenizer(TEXT, {})(["a", "longer text"])
    embedding = text_network(TEXT)(ids)
    assert embedding.shape == (2, 1, TEXT.width) and not embedding.any()
    assert not list(text_network(TEXT).parameters())


def test_a_vocabulary_makes_an_encoder_that_needs_its_files() -> None:
    assert isinstance(text_network(TextConfig(vocabulary=9, width=8, layers=1, heads=1)), TextEncoder)
    with pytest.raises(AdcbenchError, match="the tokenizer needs"):
        text_tokenizer(TextConfig(), {})


def test_osediff_runs_without_text() -> None:
    lr = torch.rand(1, 3, 16, 24)
    config = replace(TRAINED_MINI, process_size=64, latent_tile=20, latent_overlap=2)
    assert load(config, None, "cpu", "float32")(lr).shape == (1, 3, 64, 96)
    assert load_prompts(config, {}, "cpu")(lr).shape == (1, 1)


def test_the_teacher_needs_no_file_of_text(tmp_path: Path) -> None:
    teacher = load_teacher(TRAINED_MINI, adcsr.TRAINED_MINI, None)
    assert isinstance(teacher.text.encoder, NullText)
    lr = torch.rand(2, 3, 16, 16)
    target = teacher.target(lr, teacher.text(lr))
    assert target.shape == (2, adcsr.TRAINED_MINI.decoder_widths[-1], 8, 8) and bool(target.isfinite().all())
    weights = {name: tmp_path / name for name in (MERGED_FILE, VAE_FILE, DECODER_FILE)}
    torch.save({"vae": teacher.vae.state_dict(), "unet": teacher.unet.state_dict()}, weights[MERGED_FILE])
    save_file(teacher.base_vae.state_dict(), weights[VAE_FILE])
    decoder = {f"decoder.{name}": tensor for name, tensor in teacher.decoder.state_dict().items()}
    torch.save({"state_dict": decoder}, weights[DECODER_FILE])
    again = load_teacher(TRAINED_MINI, adcsr.TRAINED_MINI, weights)
    assert torch.equal(again.target(lr, again.text(lr)), target)
