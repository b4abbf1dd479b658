"""CLIP's tokenizer: texts to token ids, for the text encoders of Stable Diffusion. No torch at module level.

transformers' CLIPTokenizer on Stable Diffusion's own two files; without them (tests, timing) a stand-in that
hashes words, which gives ids that mean nothing but follow the same rules at both ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_text
from adcbench.systems.layers.sd21 import base_file

if TYPE_CHECKING:
    from torch import Tensor

VOCAB_FILE, MERGES_FILE = "tokenizer_vocab.json", "tokenizer_merges.txt"
BEGIN, END = 49406, 49407
_LARGEST = 8 << 20  # bytes of either file
PAD = 0  # "!": what SD2.1 pads with
PAD_SD15 = END  # what SD1.x pads with

# MIT (OpenAI's CLIP), here as Stable Diffusion 2.1-base carries them; SD2.x, SD-turbo and SD1.5 have the same words.
TOKENIZER_FILES = (
    base_file(VOCAB_FILE, "tokenizer/vocab.json", 1_060_000),
    base_file(MERGES_FILE, "tokenizer/merges.txt", 525_000),
)

Tokenizer = Callable[[Sequence[str]], "Tensor"]


def load_tokenizer(weights: Mapping[str, Path] | None, length: int = 77, pad: int = PAD) -> Tokenizer:
    """A function from texts to ids (B, length) int64: begin, the text, end, padding; long texts are cut.

    Args:
        weights: paths by the names of ``TOKENIZER_FILES``; None for the stand-in.
        length: of every row, begin and end included.
        pad: ``PAD`` for SD2.x, ``PAD_SD15`` for SD1.x.

    Raises:
        AdcbenchError: a file that is absent or not a tokenizer's.
    """
    encode = _words_hashed if weights is None else _clip(weights, pad)

    def tokenize(texts: Sequence[str]) -> Tensor:
        import torch

        bodies = [encode(text)[: length - 2] for text in texts]
        rows = [[BEGIN, *body, END] + [pad] * (length - 2 - len(body)) for body in bodies]
        return torch.tensor(rows, dtype=torch.int64).reshape(len(rows), length)

    return tokenize


def _words_hashed(text: str) -> list[int]:
    words = re.findall(r"\w+|[^\w\s]", text.lower())
    return [1 + int(sha256(word.encode()).hexdigest(), 16) % (BEGIN - 1) for word in words]


def _clip(weights: Mapping[str, Path], pad: int) -> Callable[[str], list[int]]:
    absent = [name for name in (VOCAB_FILE, MERGES_FILE) if name not in weights or not weights[name].is_file()]
    if absent:
        raise AdcbenchError(f"the tokenizer needs {' and '.join(absent)}: fetch the system's files again")
    vocabulary = _vocabulary(weights[VOCAB_FILE])
    merges = _merges(weights[MERGES_FILE], vocabulary)
    from transformers import CLIPTokenizer  # seconds

    words = {number: word for word, number in vocabulary.items()}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=words[pad])

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    return encode


def _vocabulary(path: Path) -> dict[str, int]:
    try:
        vocabulary = json.loads(read_text(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        raise AdcbenchError(f"{path}: not JSON ({error}). Fetch it again") from error
    right = isinstance(vocabulary, dict) and all(type(number) is int for number in vocabulary.values())
    right = right and (vocabulary.get("<|startoftext|>"), vocabulary.get("<|endoftext|>")) == (BEGIN, END)
    if not right or sorted(vocabulary.values()) != list(range(END + 1)):
        raise AdcbenchError(f"{path}: not CLIP's vocabulary of {END + 1} tokens. Fetch it again")
    return dict(vocabulary)


def _merges(path: Path, vocabulary: Mapping[str, int]) -> list[tuple[str, str]]:
    lines = [line for line in read_text(path, _LARGEST).split("\n") if line and not line.startswith("#version")]
    pairs = [tuple(line.split()) for line in lines]
    merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2 and "".join(pair) in vocabulary]
    if len(merges) != len(lines) or len(merges) + 2 * 256 + 2 != len(vocabulary):
        raise AdcbenchError(f"{path}: not the merges of CLIP's vocabulary. Fetch it again")
    return merges
