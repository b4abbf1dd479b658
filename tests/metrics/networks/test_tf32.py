"""Convolutions in TF32: what is rounded, how, and that any network metric has the variant."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_files import picture_pairs, score_one, scorer_of
from torch.nn import functional

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS, find_metric, find_metrics
from adcbench.metrics.metric import Scorer
from adcbench.metrics.networks import tf32
from adcbench.metrics.networks.tf32 import arithmetic, rounded, tf32_convolutions

PAIRS = picture_pairs()
UP = 1 + 2.0**-10  # the next number of 10 bits after 1
TIE = 1 + 2.0**-11  # half way to it
OWN = """
from adcbench.metrics.metric import Metric

def load(weights, device, *, scale):
    import torch
    kernel = torch.full((2, 3, 1, 1), 1 + 2.0**-11)
    def score(sr, hr):
        images = torch.from_numpy(sr.astype("float32").transpose(0, 3, 1, 2)) * scale
        return torch.nn.functional.conv2d(images, kernel).mean((1, 2, 3)).double().numpy()
    return score

NETWORK = Metric("own", {"scale": 1.0}, load=load, takes="image")
"""


def full(*shape: int) -> torch.Tensor:
    return torch.full(shape, TIE)


@pytest.mark.parametrize(
    "convolve",
    [
        lambda: functional.conv1d(full(1, 1, 3), full(2, 1, 1)),
        lambda: functional.conv2d(full(1, 1, 3, 3), full(2, 1, 1, 1)),
        lambda: functional.conv3d(full(1, 1, 3, 3, 3), full(2, 1, 1, 1, 1)),
        lambda: functional.conv_transpose2d(full(1, 1, 3, 3), full(1, 2, 1, 1)),
        lambda: torch.convolution(full(1, 1, 3, 3), full(2, 1, 1, 1), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1),
    ],
    ids=["conv1d", "conv2d", "conv3d", "transposed", "torch.convolution"],
)
@pytest.mark.parametrize("inference", [True, False])
def test_input_and_weight_are_rounded_to_the_nearest(convolve: Callable[[], torch.Tensor], inference: bool) -> None:
    with torch.inference_mode(inference):
        before = convolve()
        with tf32_convolutions():
            inside = convolve()
        after = convolve()
    assert set(inside.detach().flatten().tolist()) == {np.float32(UP * UP)}
    assert set(before.detach().flatten().tolist()) == {np.float32(TIE * TIE)} == set(after.detach().flatten().tolist())


def test_a_module_and_a_scripted_one_are_rounded_too() -> None:
    layer = torch.nn.Conv2d(1, 2, 1, bias=False).requires_grad_(False)
    layer.weight.fill_(TIE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and files of it are in use
        scripted = torch.jit.trace(layer, full(1, 1, 2, 2))  # type: ignore[no-untyped-call]
    for network in (layer, scripted):
        with tf32_convolutions():
            assert network(full(1, 1, 2, 2)).unique().item() == np.float32(UP * UP)


def test_rounding_is_to_the_nearest_of_ten_bits() -> None:
    """Against NumPy's exact arithmetic, both signs, all sizes; ties go away from zero."""
    values = np.random.default_rng(0).normal(size=4000) * 2.0 ** np.linspace(-30, 30, 4000)
    values = values.astype(np.float32)
    mantissa, exponent = np.frexp(values.astype(np.float64))
    scaled = mantissa * 2**11
    nearest = np.ldexp(np.sign(scaled) * np.floor(np.abs(scaled) + 0.5), exponent - 11)
    assert rounded(torch.from_numpy(values)).double().numpy() == pytest.approx(nearest, rel=0, abs=0)
    odd = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), -TIE])
    assert rounded(odd).tolist() == [0.0, -0.0, float("inf"), float("-inf"), -UP]
    assert rounded(full(1).double()).item() == TIE  # only float32 is computed in TF32


def test_what_a_gpu_computes_in_float32_stays() -> None:
    with tf32_convolutions():
        assert functional.conv2d(full(1, 1, 2, 2), full(1, 1, 1, 1)).unique().item() == np.float32(TIE * TIE)
        depthwise = functional.conv2d(full(1, 4, 2, 2), full(4, 1, 1, 1), groups=4)
        assert depthwise.unique().item() == np.float32(TIE * TIE)
        on_colours = functional.conv2d(full(1, 3, 4, 4), full(2, 3, 3, 3))
        assert on_colours.unique().item() == pytest.approx(27 * TIE * TIE, rel=1e-6)
        strided = functional.conv2d(full(1, 3, 4, 4), full(2, 3, 3, 3), stride=2)
        assert strided.unique().item() == pytest.approx(27 * UP * UP, rel=1e-6)
        assert functional.linear(full(1, 1), full(2, 1)).unique().item() == np.float32(TIE * TIE)


def test_an_error_inside_ends_it() -> None:
    with pytest.raises(KeyError), tf32_convolutions():
        assert arithmetic() == "tf32"
        raise KeyError
    assert arithmetic() == "float32"
    assert functional.conv2d(full(1, 1, 2, 2), full(2, 1, 1, 1)).unique().item() == np.float32(TIE * TIE)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.load])
def test_every_network_has_the_variant(name: str) -> None:
    metric, plain = find_metric(f"{name}:TF32_CONVOLUTIONS"), METRICS[name]
    assert metric.name == f"{name}:TF32_CONVOLUTIONS"
    assert "convolutions=tf32" in metric.signature and "convolutions" not in plain.signature
    assert metric.key != plain.key and metric.files == plain.files and metric.get == plain.get
    assert {tf32.__name__, *plain.modules} <= set(metric.modules)  # the key knows the code of both
    assert pickle.loads(pickle.dumps(metric)).signature == metric.signature  # for the networks' process


def test_the_variant_is_known_by_any_spelling_and_listed() -> None:
    assert find_metrics("LPIPS:TF32_CONVOLUTIONS") == [find_metric("lpips:TF32_CONVOLUTIONS")]
    with pytest.raises(AdcbenchError, match=r"Variants of lpips: lpips:TF32_CONVOLUTIONS$"):
        find_metric("lpips:NO")
    with pytest.raises(AdcbenchError, match="psnr:TF32_CONVOLUTIONS: psnr is no network"):
        find_metric("psnr:TF32_CONVOLUTIONS")
    with pytest.raises(AdcbenchError, match="unknown metric 'nothing'"):
        find_metric("nothing:TF32_CONVOLUTIONS")


def test_a_users_own_network_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_network.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_network", raising=False)
    ones = np.ones((1, 2, 2, 3), np.uint8)
    for name, weight in (("own_network:NETWORK", TIE), ("own_network:NETWORK:TF32_CONVOLUTIONS", UP)):
        metric = find_metric(name)
        assert metric.load
        assert metric.load(None, "cpu", **metric.settings)(ones, None).tolist() == [np.float32(3 * weight)]


def variant_of(name: str) -> Scorer:
    metric = find_metric(f"{name}:TF32_CONVOLUTIONS")
    assert metric.load
    return metric.load(None, "cpu", **metric.settings)


@pytest.mark.parametrize("name", ["lpips", "lpips-vgg", "dists", "fd-efflite0"])
def test_it_moves_a_score_a_little(name: str) -> None:
    sr, hr = PAIRS["chelsea"]
    ours, theirs = score_one(scorer_of(name, None), sr, hr), score_one(variant_of(name), sr, hr)
    assert ours != theirs
    assert ours == pytest.approx(theirs, rel=2e-2)
    assert score_one(variant_of(name), hr, hr) == 0


def test_no_metric_takes_the_others_arithmetic_from_memory() -> None:
    """LPIPS-vgg and DISTS share the first stage of one batch: in TF32 it is another."""
    sr, hr = PAIRS["astronaut"]
    alone = score_one(scorer_of("dists", None), sr, hr)
    ours, theirs = scorer_of("dists", None), variant_of("lpips-vgg")
    score_one(theirs, sr, hr)
    assert score_one(ours, sr, hr) == alone


def test_twice_is_refused() -> None:
    with pytest.raises(AdcbenchError, match="lpips:TF32_CONVOLUTIONS is in TF32 already"):
        find_metric("lpips:TF32_CONVOLUTIONS:TF32_CONVOLUTIONS")


@pytest.mark.golden
@pytest.mark.parametrize(
    ("name", "images", "float32", "within"),
    [
        ("lpips", ("sony_189_x1", "DSC_0988_x1"), 3e-4, 3e-6),
        ("dists", ("Canon_10_x1",), 5e-6, 3e-6),
    ],
)
def test_it_brings_images_to_the_authors_log(
    name: str, images: tuple[str, ...], float32: float, within: float, drealsr_dir: Path, real_weights: Path
) -> None:
    """The log of a GPU: in float32 they are up to ``float32`` and more from it."""
    logged = dict(read_log(drealsr_dir / LOG)[name.upper()])
    scorers = []
    for one in (name, f"{name}:TF32_CONVOLUTIONS"):
        metric = find_metric(one)
        assert metric.load
        scorers.append(metric.load(metric.find_weights(), "cpu", **metric.settings))
    pairs = [[read_png(drealsr_dir / side / f"{image}.png") for side in ("OSEDiff", "HR")] for image in images]
    ours, emulated = (
        [abs(score_one(scorer, *pair) - logged[image]) for image, pair in zip(images, pairs, strict=True)]
        for scorer in scorers
    )
    assert max(ours) > float32
    assert max(emulated) < within
