"""CLIP's vocabulary in the two files that Stable Diffusion has of it, from OpenAI's own package."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from adcbench.systems.layers.tokenizer import MERGES_FILE, VOCAB_FILE


def write_tokenizer(folder: Path) -> dict[str, Path]:
    """Both files; needs OpenAI's clip, which comes with pyiqa."""
    import clip.simple_tokenizer as clip

    paths = {VOCAB_FILE: folder / VOCAB_FILE, MERGES_FILE: folder / MERGES_FILE}
    paths[VOCAB_FILE].write_text(json.dumps(clip.SimpleTokenizer().encoder))
    lines = gzip.decompress(Path(clip.default_bpe()).read_bytes()).decode().split("\n")
    paths[MERGES_FILE].write_text("\n".join(["#version: 0.2", *lines[1 : 49152 - 256 - 2 + 1], ""]))
    return paths
