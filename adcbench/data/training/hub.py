"""Datasets of the Hugging Face hub by name, through the ``datasets`` library: in its cache, at any place, by number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import read_whole
from adcbench.core.keys import digest
from adcbench.core.offline import need_network, stay_offline
from adcbench.data.training.contents import content_hashes, file_state, remembered
from adcbench.data.training.decode import Undecodable, decode


@dataclass(frozen=True)
class Known:
    """A training set of the papers, as far as public sources say where it is (2026).

    Args:
        hub: dataset on the hub; empty where no dataset there holds its images.
        split, column: where its images are.
        images: how many.
        size: of the download.
        licence: its terms.
        remedy: shell command that brings it; for the sets without images on the hub, to a folder or shards.
        used: by what.
        sure: what was confirmed, and how.
    """

    hub: str
    split: str
    column: str
    images: str
    size: str
    licence: str
    remedy: str
    used: str
    sure: str


KNOWN = {
    "LSDIR": Known(
        "danjacobellis/LSDIR", "train", "image", "84,991", "98 GB (195 parquet files)",
        "research only (authors' terms)", "hf download --repo-type dataset danjacobellis/LSDIR",
        "AdcSR stage 2, OSEDiff, SeeSR, S3Diff",
        "a third party's copy, seen in several public scripts; whether it was compressed again is not stated. The "
        "authors' own is ofsoundof/LSDIR, a gated model repository of 17 shard-NN.tar.gz: unpack, use the folder",
    ),
    "OpenImages": Known(
        "", "", "", "1,743,042 (train with boxes); 9 M in all", "513 GB (train with boxes)",
        "CC BY 2.0 as listed; each image's own terms to be verified by the user",
        "aws s3 cp --no-sign-request s3://open-images-dataset/tar/train_0.tar.gz . (train_0 ... train_f), unpack",
        "AdcSR stage 1, first 250K steps (second-hand)",
        "no official copy on the hub: those there are lists of addresses (dalle-mini/open-images) or of third parties",
    ),
    "LAION-Aesthetic": Known(
        "", "", "", "52 M (v1); 600 M of score 5 and more (v2)", "addresses only",
        "metadata CC BY 4.0; images under their owners' terms",
        "img2dataset --input_format parquet --output_format webdataset on laion/laion2B-en-aesthetic (gated)",
        "AdcSR stage 1, last 250K steps (second-hand)",
        "addresses, no images; which subset the authors took is not stated",
    ),
    "LAION-Face": Known(
        "", "", "", "50 M", "addresses only", "metadata CC BY 4.0; images under their owners' terms",
        "github.com/FacePerceiver/LAION-Face: ids of LAION-400M, then img2dataset --output_format webdataset",
        "AdcSR stage 1, last 250K steps (second-hand)",
        "FacePerceiver/laion-face on the hub holds detections and sample ids, no images",
    ),
}  # fmt: skip


class HubImages:
    """One image column of a dataset of the hub.

    Args:
        text: ``NAME[:SPLIT[:COLUMN]]``; split ``train`` and the first image column unless given or known.

    Raises:
        Blocked: the library ``datasets``, or the dataset, is not here and can't be got.
        AdcbenchError: it has no such split or column.
    """

    def __init__(self, text: str) -> None:
        name, _, rest = text.partition(":")
        split, _, column = rest.partition(":")
        known = KNOWN.get(name)
        if known and not known.hub:
            raise Blocked(f"{name} ({known.size}: {known.sure})", known.remedy)
        self.title = known.hub if known else name
        remedy = known.remedy if known else f"hf download --repo-type dataset {name}"
        data = _load(self.title, split or (known.split if known else "train"), remedy)
        self.column = column or (known.column if known else _image_column(self.title, data.features))
        if not _holds_images(data.features.get(self.column)):
            raise AdcbenchError(f"{self.title}: no column {self.column!r} of images; it has {', '.join(data.features)}")
        self.data = data.select_columns([self.column]).cast_column(self.column, _bytes())

    def __len__(self) -> int:
        return len(self.data)

    def name(self, index: int) -> str:
        return f"{self.title} row {index}"

    def read(self, index: int) -> np.ndarray:
        item = self.data[index][self.column]
        if item is None:
            raise Undecodable(f"{self.name(index)}: empty")
        if item["bytes"] is not None:
            return decode(item["bytes"], self.name(index))
        return decode(read_whole(Path(item["path"])), item["path"])

    def contents(self) -> str:
        """Of the rows, not of the library's files: another version of it may write those in another way."""
        stored = [file_state(Path(file["filename"])) for file in self.data.cache_files]
        rows = remembered(f"hub {self.title}", [self.column, len(self), stored], self._rows) if stored else self._rows()
        files = [Path(path) for path in self._paths()]
        return digest(rows, content_hashes(files, f"files of hub {self.title}"))

    def _rows(self) -> str:
        rows = tqdm(self.data, "looking at the training images", delay=2, leave=False)
        return digest([hashlib.sha256(_stored(row[self.column])).hexdigest() for row in rows])

    def _paths(self) -> Iterator[str]:
        """The files that a data set of paths names; none where it holds the images themselves."""
        first = self.data[0][self.column] if len(self) else None
        if first is not None and first["bytes"] is None:
            for row in self.data:
                item = row[self.column]
                if item is not None and item["bytes"] is None:
                    yield item["path"]


def _load(title: str, split: str, remedy: str) -> Any:
    stay_offline()  # before the library reads its own switches
    try:
        import datasets
    except ImportError as error:
        raise Blocked("the library datasets", "pip install 'adcbench[train]'") from error
    if Path(title).is_dir():
        remedy = ""  # the user's own
    try:
        return datasets.load_dataset(title, split=split)
    except (ConnectionError, FileNotFoundError, OSError) as error:
        if not Path(title).is_dir():
            need_network(f"the dataset {title}, which is not in the cache of the library datasets")
        raise Blocked(f"the dataset {title} ({_first_line(error)})", remedy) from error
    except Exception as error:  # the library's many ways: no such split, a damaged file, a script
        raise AdcbenchError(f"{title}, split {split}: {_first_line(error)}") from error


def _image_column(title: str, features: Any) -> str:
    for name in features:
        if _holds_images(features[name]):
            return str(name)
    raise AdcbenchError(f"{title}: has no image column, but {', '.join(features)}; name one: hub:NAME:SPLIT:COLUMN")


def _holds_images(feature: Any) -> bool:
    import datasets

    encoded = isinstance(feature, datasets.Value) and feature.dtype in ("binary", "large_binary")
    return encoded or isinstance(feature, datasets.Image)


def _bytes() -> Any:
    """An image column that gives files as they are, so that ``decode`` is the only decoder."""
    import datasets

    return datasets.Image(decode=False)


def _stored(item: dict[str, Any] | None) -> bytes:
    """What a row holds of an image: its bytes, or nothing but its file's name."""
    return b"" if item is None else item["bytes"] if item["bytes"] is not None else b"file"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
