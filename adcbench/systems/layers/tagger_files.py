"""Sizes and files of the prompt extractor, RAM with DAPE's LoRA. No torch here: keys can be made without it."""

from __future__ import annotations

from dataclasses import dataclass

from adcbench.core.weight_files import WeightFile

RAM_FILE, DAPE_FILE = "ram_swin_large_14m.pth", "DAPE.pth"
WORDS_FILE, THRESHOLDS_FILE = "ram_tag_list.txt", "ram_tag_list_threshold.txt"

_HUB = "https://huggingface.co"
_ADCSR = f"{_HUB}/Guaishou74851/AdcSR/resolve/main/weight/pretrained"
_TEXTS = "https://github.com/cswry/OSEDiff/raw/fcc4f09c7ed66a9bc0ba9433940d76b343142426/ram/data"
_LICENCE, _FOLDER = "Apache-2.0", "dape"

# The hashes of the two checkpoints are not their authors': several users of theirs published the same ones.
TAGGER_FILES = (
    WeightFile(
        RAM_FILE,
        f"{_HUB}/spaces/xinyu1205/recognize-anything/resolve/main/{RAM_FILE}",
        (f"{_HUB}/xinyu1205/recognize_anything_model/resolve/main/{RAM_FILE}", f"{_ADCSR}/{RAM_FILE}"),
        sha256="15c729c793af28b9d107c69f85836a1356d76ea830d4714699fb62e55fcc08ed",
        size=5_630_000_000,
        licence=_LICENCE,
        folder=_FOLDER,
    ),
    WeightFile(
        DAPE_FILE,
        f"{_ADCSR}/{DAPE_FILE}",
        sha256="a7028be2edcbe9ab0bd1c4ab6f2a2a86f4b44d32261a4faa50ae10fdd9b2feba",
        size=7_190_000,
        licence=_LICENCE,
        folder=_FOLDER,
        by_hand="https://drive.google.com/file/d/1KIV6VewwO2eDC9g4Gcvgm-a0LDI7Lmwm (OSEDiff's link)",
    ),
    WeightFile(
        WORDS_FILE,
        f"{_TEXTS}/{WORDS_FILE}",
        sha256="5d96d2f7225527480ad773aaac76b6e5c08a18adf6eae9ca7d2ab923d5e7bd8b",
        size=41_904,
        licence=_LICENCE,
        folder=_FOLDER,
    ),
    WeightFile(
        THRESHOLDS_FILE,
        f"{_TEXTS}/{THRESHOLDS_FILE}",
        sha256="b6f81d0de1bc7f9c251af512c413eae976c77dbfbadf700d4e3d90510f4c6447",
        size=22_016,
        licence=_LICENCE,
        folder=_FOLDER,
    ),
)


@dataclass(frozen=True)
class RamConfig:
    """Sizes of the tagger; the defaults are RAM Swin-L 384 (``config_swinL_384.json``, ``q2l_config.json``).

    Args:
        image: pixels, height and width, that the network sees.
        antialias: of the resizing to ``image``. torchvision 0.15, which OSEDiff and SeeSR pin, does not
            smooth tensors that it makes smaller; from 0.17 on it does. Enlarging is the same either way.
        hidden, mlp, vocabulary, positions, text_layers: of the BERT parts.
        rank: of DAPE's LoRA.
    """

    image: int = 384
    antialias: bool = False
    width: int = 192
    depths: tuple[int, ...] = (2, 2, 18, 2)
    heads: tuple[int, ...] = (6, 12, 24, 48)
    window: int = 12
    embed: int = 512
    hidden: int = 768
    mlp: int = 3072
    tag_layers: int = 2
    tag_heads: int = 4
    tags: int = 4585
    text_layers: int = 12
    vocabulary: int = 30524
    positions: int = 512
    rank: int = 8


RAM = RamConfig()
RAM_MINI = RamConfig(
    image=64, width=16, depths=(2, 2), heads=(2, 4), window=4, embed=24, hidden=32, mlp=64, tag_heads=2,
    tags=20, text_layers=2, vocabulary=50, positions=16, rank=2,
)  # fmt: skip
