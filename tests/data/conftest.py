"""Fixtures of the data tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from encoded_images import PIXELS, encoded
from PIL import Image
from webserver import Web, web

__all__ = ["Web", "web"]


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """Images at two depths among what is none: a folder called like an image, hidden and other files."""
    folder = tmp_path / "images"
    for path in ("b.PNG", "a/deep/z.png", "a/k.png"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(encoded(Image.fromarray(PIXELS)))
    (folder / "folder.png").mkdir()
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    return folder
