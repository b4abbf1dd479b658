"""The tokenizer against OpenAI's own, from files written in Stable Diffusion's layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizer_files import write_tokenizer

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.tokenizer import BEGIN, END, MERGES_FILE, PAD_SD15, VOCAB_FILE, load_tokenizer

clip = pytest.importorskip("clip.simple_tokenizer", reason="OpenAI's clip, which comes with pyiqa")

TEXTS = ["", "cat, grass, 3D CG rendering, ,", "A  photo\nof the DOG's ice cream, 8k", "tree, " * 60]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """CLIP's vocabulary in the two files that Stable Diffusion has of it."""
    return write_tokenizer(tmp_path)


def test_equals_openai_s(files: dict[str, Path]) -> None:
    tokenize = load_tokenizer(files)
    ids = tokenize(TEXTS)
    assert ids.shape == (4, 77) and ids.dtype == torch.int64
    for text, row in zip(TEXTS, ids.tolist(), strict=True):
        body = clip.SimpleTokenizer().encode(text)[:75]
        assert row == [BEGIN, *body, END] + [0] * (75 - len(body))


def test_sd15_pads_with_the_end(files: dict[str, Path]) -> None:
    assert load_tokenizer(files, 10, PAD_SD15)(["cat"]).tolist() == [[BEGIN, 2368] + [END] * 8]
    assert load_tokenizer(files, 4)(["cat dog cat"]).tolist() == [[BEGIN, 2368, 1929, END]]


def test_stand_in_keeps_the_rules() -> None:
    tokenize = load_tokenizer(None, 8)
    first, second, empty = tokenize(["Cat, dog", "cat grass " * 9, ""]).tolist()
    assert first[0] == BEGIN and first[4] == END and first[5:] == [0, 0, 0]
    assert first[1] == second[1] and first[3] != second[2]  # the same word, whatever its case
    assert len(second) == 8 and second[7] == END
    assert empty == [BEGIN, END, 0, 0, 0, 0, 0, 0]
    assert all(0 < word < BEGIN for word in (*first[1:4], *second[1:7]))
    assert load_tokenizer(None, 8, PAD_SD15)(["cat"]).tolist()[0][2:] == [END] * 6
    assert tokenize([]).shape == (0, 8)


def test_wrong_files(files: dict[str, Path]) -> None:
    with pytest.raises(AdcbenchError, match=r"the tokenizer needs tokenizer_merges\.txt"):
        load_tokenizer({VOCAB_FILE: files[VOCAB_FILE]})
    merges = files[MERGES_FILE].read_text()
    files[MERGES_FILE].write_text(merges.rstrip().rpartition("\n")[0])
    with pytest.raises(AdcbenchError, match=r"tokenizer_merges\.txt: not the merges"):
        load_tokenizer(files)
    files[MERGES_FILE].write_text(merges)
    files[VOCAB_FILE].write_text('{"cat": 1}')
    with pytest.raises(AdcbenchError, match="not CLIP's vocabulary of 49408 tokens"):
        load_tokenizer(files)
    files[VOCAB_FILE].write_text("#version: 0.2")
    with pytest.raises(AdcbenchError, match="not JSON"):
        load_tokenizer(files)
