"""A user's own weights in the place of the official ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.inference.folder import with_weights
from adcbench.systems import find_system


def test_own_weights_are_taken_whatever_their_hash(tmp_path: Path) -> None:
    import hashlib
    from dataclasses import replace

    usual = hashlib.sha256(b"usual/tail.pth").hexdigest()
    files = (WeightFile("net.pth", "", sha256="0" * 64), WeightFile("tail.pth", "", sha256=usual))
    system = replace(find_system("adcsr-mini"), files=files, locate=lambda name: tmp_path / "usual" / name)
    with pytest.raises(AdcbenchError, match=r"has none of the weight files of adcsr-mini \(net.pth, tail.pth\)"):
        with_weights(system, tmp_path)
    for place in ("net.pth", "usual/net.pth", "usual/tail.pth"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(place)
    mine = with_weights(system, tmp_path)
    assert {name: path.read_text() for name, path in mine.find_weights().items()} == {
        "net.pth": "net.pth", "tail.pth": "usual/tail.pth"
    }  # fmt: skip
    assert [file.sha256 for file in mine.files] == ["", usual]
