"""AdcSR as a diffusers pipeline: saved, loaded, moved, called on PIL images."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from adcsr_files import decoder_dict, mini_network, student_dict, write_official
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.models.adcsr import DECODER_FILE, MINI, STUDENT_FILE
from adcbench.models.adcsr.network import upscaler
from adcbench.models.adcsr.pipeline import AdcSRPipeline
from adcbench.models.parts.precision import PrecisionWarning


@pytest.fixture
def picture() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (18, 25, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path, picture: Image.Image) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    pipeline.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "student" / "config.json").read_text())
    assert config["unet_widths"] == list(MINI.unet_widths)
    assert (tmp_path / "student" / "diffusion_pytorch_model.safetensors").is_file()
    again = AdcSRPipeline.from_pretrained(tmp_path)
    assert isinstance(again, AdcSRPipeline) and again.student.settings() == MINI
    one, two = (p(picture, output_type="pt").images for p in (pipeline, again))
    assert torch.equal(one, two) and one.shape == (1, 3, 72, 100)


def test_it_equals_the_system(picture: Image.Image) -> None:
    network = mini_network()
    lr = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
    expected = upscaler(network, "float32")(lr).clamp(0, 1)
    pipeline = AdcSRPipeline.from_network(network)
    torch.testing.assert_close(pipeline(lr, output_type="pt").images, expected, atol=0, rtol=0)
    rounded = torch.from_numpy(np.array(pipeline(picture).images[0])).permute(2, 0, 1)
    assert (rounded - expected[0] * 255).abs().max() <= 0.501


def test_a_list_of_any_modes_and_sizes(picture: Image.Image) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    images = pipeline([picture, picture.convert("L").resize((9, 33)), picture.convert("RGBA")]).images
    assert [image.size for image in images] == [(100, 72), (36, 132), (100, 72)]
    assert all(image.mode == "RGB" for image in images)
    assert pipeline(picture, return_dict=False)[0][0].size == (100, 72)


def test_official_files_become_a_pipeline(tmp_path: Path, picture: Image.Image) -> None:
    network = mini_network()
    paths = write_official(tmp_path, student_dict(network), decoder_dict(network))
    pipeline = AdcSRPipeline.from_official(paths[STUDENT_FILE], paths[DECODER_FILE], MINI)
    expected = AdcSRPipeline.from_network(network)(picture, output_type="pt").images
    torch.testing.assert_close(pipeline(picture, output_type="pt").images, expected)


def test_moved_to_bfloat16_it_stays_near(picture: Image.Image) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    exact = pipeline(picture, output_type="pt").images
    with warnings.catch_warnings():
        warnings.simplefilter("error", PrecisionWarning)
        reduced = pipeline.to(torch.bfloat16)(picture, output_type="pt").images
    assert pipeline.student.dtype == torch.bfloat16 and reduced.dtype == torch.float32
    assert 1e-4 < (reduced - exact).abs().mean() < 0.05


@pytest.mark.parametrize("wrong", ["image.png", [1, 2]])
def test_something_else_than_images_is_named(wrong: object) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    with pytest.raises(AdcbenchError, match="takes PIL images or a tensor"):
        pipeline(wrong)
