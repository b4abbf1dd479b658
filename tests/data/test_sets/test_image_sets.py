"""DRealSR against its manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import open_clip, pair
from adcbench.data.media.clips import check_pair
from adcbench.data.media.images import read_png
from adcbench.data.test_sets import registry as test_sets


@pytest.mark.golden
def test_drealsr_equals_its_manifest(drealsr_dir: Path) -> None:
    opened = test_sets.open_test_set("DRealSR", full=True)
    assert opened.folders["LR"].parent.samefile(drealsr_dir)
    assert set(opened.folders) == {"LR", "HR", "OSEDiff"} and opened.log and opened.log.is_file()
    assert [len(opened.samples(kind)) for kind in ("LR", "HR", "OSEDiff")] == [93, 93, 93]


@pytest.mark.golden
def test_drealsr_pairs_have_the_papers_sizes(drealsr_dir: Path) -> None:
    for _, lr, hr in pair(drealsr_dir / "LR", drealsr_dir / "HR"):
        assert [read_png(path).shape for path in (lr, hr)] == [(128, 128, 3), (512, 512, 3)]
    for _, sr, hr in pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR"):
        check_pair(open_clip(sr), open_clip(hr))


@pytest.mark.golden
def test_a_damaged_copy_of_drealsr_is_noticed(
    drealsr_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drealsr_dir, tmp_path / "drealsr", copy_function=shutil.copyfile)
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    (tmp_path / "drealsr/HR/Canon_10_x1.png").unlink()
    with pytest.raises(AdcbenchError, match=r"1 missing: HR/Canon_10_x1\.png.*adcbench fetch drealsr"):
        test_sets.open_test_set("drealsr")


@pytest.mark.golden
def test_realsrset_equals_its_manifest_and_has_no_truth(realsrset_dir: Path) -> None:
    opened = test_sets.open_test_set("realsrset", full=True)
    assert not opened.test_set.has_truth and opened.log is None
    assert opened.folders["LR"].parent.samefile(realsrset_dir)
    for name in opened.test_set.outputs:
        samples = opened.samples(name)
        assert [(sample.name, sample.hr) for sample in samples] == [("chip", None), ("oldphoto2", None)]
        for sample, lr in zip(samples, opened.inputs(), strict=True):
            assert sample.sr.stem == f"{lr.name}_{name}"
            assert read_png(sample.sr).shape[0] == 4 * read_png(lr.sr).shape[0]
