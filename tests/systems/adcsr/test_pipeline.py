"""AdcSR as a diffusers pipeline: saved, loaded, moved, called on PIL images."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from adcsr_files import decoder_dict, mini_network, student_dict, write_official
from picture_files import profile
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DECODER_FILE, MINI, STUDENT_FILE
from adcbench.systems.adcsr.network import upscaler
from adcbench.systems.adcsr.pipeline import AdcSRPipeline
from adcbench.systems.layers.precision import PrecisionWarning


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


@pytest.mark.parametrize("wrong", ["image.png", [1, 2], 3, None])
def test_something_else_than_images_is_named(wrong: object) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    with pytest.raises(AdcbenchError, match="takes PIL images or a tensor"):
        pipeline(wrong)


HALF = np.full((4, 4, 3), 0.5, np.float32)
BYTES = torch.full((1, 3, 4, 4), 128, dtype=torch.uint8)
PIXEL = {
    "16-bit grey": (Image.fromarray(np.full((4, 4), 40000, np.uint16)), "16 bits"),
    "floats": (Image.fromarray(HALF[..., 0]), "32 bits"),
    "transparent": (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "transparent pixels"),
    "CMYK": (Image.new("CMYK", (4, 4)), "CMYK"),
    "bytes": (BYTES, "x.float\\(\\) / 255"),
    "bytes in an array": (BYTES[0].permute(1, 2, 0).numpy(), "or a PIL image"),
    "0 to 255": (BYTES.float(), "from 128 to 128, outside 0..1"),
    "-1 to 1": (-torch.ones(1, 3, 4, 4), "outside 0..1"),
    "NaN": (torch.full((1, 3, 4, 4), float("nan")), "NaN or infinite"),
    "infinite": (torch.full((1, 3, 4, 4), float("inf")), "NaN or infinite"),
    "four channels": (torch.zeros(1, 4, 4, 4), "not \\(N, 3, h, w\\)"),
    "channels first in an array": (HALF.transpose(2, 0, 1), "not \\(N, h, w, 3\\)"),
    "no image": ([], "no image"),
    "an empty tensor": (torch.zeros(0, 3, 4, 4), "no image"),
    "no pixels": (torch.zeros(1, 3, 0, 4), "shape"),
    "a picture of no pixels": (Image.new("RGB", (0, 5)), "0x5 pixels"),
    "a little more than 1": (torch.full((1, 3, 4, 4), 1.000001), "1.0000"),
    "texts": (np.array([[["a", "b", "c"]]]), "array of <U1"),
    "complex": (HALF.astype(complex), "array of complex128"),
    "sparse": (torch.zeros(1, 3, 4, 4).to_sparse(), "sparse_coo"),
    "nowhere": (torch.zeros(1, 3, 4, 4, device="meta"), "on meta"),
}


def test_floats_of_any_kind_are_the_same_picture() -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    expected = pipeline(HALF, output_type="np").images
    for kind in (">f4", ">f8", "g", "f2"):
        assert np.array_equal(pipeline(HALF.astype(kind), output_type="np").images, expected)


@pytest.mark.parametrize("kind", PIXEL)
def test_what_would_make_a_plausible_wrong_picture_is_refused(kind: str) -> None:
    given, says = PIXEL[kind]
    with pytest.raises(AdcbenchError, match=says):
        AdcSRPipeline.from_network(mini_network())(given)


def test_arrays_lists_and_output_types_are_as_in_diffusers(picture: Image.Image) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    values = np.array(picture, np.float32) / 255
    expected = pipeline(picture, output_type="pt").images  # (1, 3, 72, 100)
    array = pipeline(picture, output_type="np").images
    assert isinstance(array, np.ndarray) and array.dtype == np.float32
    np.testing.assert_array_equal(array, expected.permute(0, 2, 3, 1).numpy())
    for same in (values, values[None], [values], torch.from_numpy(values).permute(2, 0, 1)):
        torch.testing.assert_close(pipeline(same, output_type="pt").images, expected, rtol=0, atol=1e-5)
    assert pipeline([picture, values], output_type="np").images.shape == (2, 72, 100, 3)
    for kind in ("latent", "PIL"):
        with pytest.raises(AdcbenchError, match="'pil', 'pt' or 'np'"):
            pipeline(picture, output_type=kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("output_type", ["pt", "np"])
def test_two_sizes_are_no_one_tensor(output_type: str, picture: Image.Image) -> None:
    pipeline = AdcSRPipeline.from_network(mini_network())
    with pytest.raises(AdcbenchError, match="2 sizes can't be one"):
        pipeline([picture, picture.resize((9, 33))], output_type=output_type)  # type: ignore[arg-type]


def test_orientation_and_profile_are_kept_as_by_upscale(picture: Image.Image) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    picture.save(file, "PNG", exif=exif, icc_profile=profile())
    with Image.open(file) as turned:
        (image,) = AdcSRPipeline.from_network(mini_network())(turned).images
    assert image.size == (72, 100) and image.info["icc_profile"] == profile()
    image.save(file := io.BytesIO(), "PNG")
    assert Image.open(file).info["icc_profile"] == profile()


def test_an_output_that_is_no_number_is_no_picture(picture: Image.Image) -> None:
    network = mini_network()
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(AdcbenchError, match="output values are NaN or infinite"):
        AdcSRPipeline.from_network(network)(picture)
