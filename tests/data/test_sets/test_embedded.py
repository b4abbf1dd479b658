"""The embedded set: the same pixels everywhere, its licences, its kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import pixel_hash
from adcbench.data.media.images import read_png
from adcbench.data.test_sets import embedded
from adcbench.degradation.bicubic import downscale


def test_pixels_are_the_pinned_ones() -> None:
    pairs = embedded.embedded_pairs()
    assert 6 <= len(pairs) <= 8
    for photo in embedded.photographs():
        lr, hr = pairs[photo.name]
        assert (pixel_hash(lr), pixel_hash(hr)) == (photo.lr_pixels, photo.hr_pixels)
        assert hr.shape == (int(photo.height), int(photo.width), 3)
        assert hr.shape[:2] == (4 * lr.shape[0], 4 * lr.shape[1])
        assert max(hr.shape) <= embedded.LARGEST_SIDE


def test_lr_is_hr_shrunk_by_the_named_kernel() -> None:
    for lr, hr in embedded.embedded_pairs().values():
        np.testing.assert_array_equal(downscale(hr), lr)


def test_every_photograph_has_a_free_licence() -> None:
    found = embedded.licences()
    assert found.keys() == embedded.embedded_pairs().keys()
    free = ("CC0", "public domain", "no known copyright restrictions")
    assert all(text.startswith(free) and text.partition("; ")[2] for text in found.values())


def test_the_folder_holds_the_same_pixels_and_repairs_itself() -> None:
    folder = embedded.embedded_folder()
    broken, lost = folder / "LR/coffee.png", folder / "HR/rocket.png"
    broken.write_bytes(broken.read_bytes()[:100])
    lost.unlink()
    kept = (folder / "LR/chelsea.png").stat().st_mtime_ns
    embedded.embedded_folder()
    for name, (lr, hr) in embedded.embedded_pairs().items():
        np.testing.assert_array_equal(read_png(folder / "LR" / f"{name}.png"), lr)
        np.testing.assert_array_equal(read_png(folder / "HR" / f"{name}.png"), hr)
    assert (folder / "LR/chelsea.png").stat().st_mtime_ns == kept


@pytest.mark.parametrize(("step", "reason"), [("hr_pixels", "decodes"), ("lr_pixels", "shrinks")])
def test_another_pillow_is_named(step: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = embedded.photographs()[0]._replace(**{step: "0" * 64})
    monkeypatch.setattr(embedded, "photographs", lambda: (photo,))
    with pytest.raises(AdcbenchError, match=rf"Pillow .* {reason}"):
        embedded.embedded_pairs()


@pytest.mark.parametrize(
    ("change", "reason"), [({"sha256": "0" * 64}, "not the file"), ({"file": "no.png"}, "not there")]
)
def test_another_scikit_image_is_named(change: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = embedded.photographs()[0]._replace(**change)
    monkeypatch.setattr(embedded, "photographs", lambda: (photo,))
    with pytest.raises(AdcbenchError, match=reason) as caught:
        embedded.embedded_pairs()
    assert str(Path("skimage") / "data") in str(caught.value)
