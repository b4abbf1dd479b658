"""Encoded pictures to Pillow's: what the strict reader, the command line, training and AdcSRPipeline share.

Whatever a decoder raises becomes one kind of error, and the size that a file declares is looked at before its pixels
take memory. A PNG is checked here chunk by chunk; Pillow checks neither all checksums nor that all rows are there.
Metadata that Pillow can't read make no picture unreadable.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from adcbench.core.errors import AdcbenchError
from adcbench.core.memory import physical_memory

# Not through Image.open: it refuses pictures over 179 megapixels, which outputs can have, and takes the second
# picture in a JPEG, as phones write them, for a second frame
_READERS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile, "JPEG": JpegImageFile, "WEBP": WebPImageFile,
    "BMP": BmpImageFile, "TIFF": TiffImageFile, "PPM": PpmImageFile,
}  # fmt: skip
MOST_PIXELS = 1 << 28  # 16384 x 16384: of a picture to upscale or to train on
MOST_BYTES = 8 * MOST_PIXELS  # of its file
_PER_PIXEL = 4 + 3  # bytes: Pillow's and ours
_STRIP = 1 << 22  # pixels copied at a time
PNG_START = b"\x89PNG\r\n\x1a\n"
# what pixels depend on, and whether there are more frames; all the rest is metadata
_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_DEFLATE = 1032  # bytes that a compressed byte can stand for, at most


class Undecodable(AdcbenchError):
    """A picture that is there but is damaged, or none of those that are read."""


@contextmanager
def one_error(name: str) -> Iterator[None]:
    """Around decoding: what goes wrong is an ``AdcbenchError`` that names the picture.

    Raises:
        Undecodable: whatever a decoder raised.
        AdcbenchError: as it was; or there is too little memory, where the picture may well be whole.
    """
    try:
        yield
    except AdcbenchError:
        raise
    except MemoryError as error:
        raise AdcbenchError(f"{name}: there is not enough memory for its pixels; free some, or cut it up") from error
    except Image.DecompressionBombError as error:  # of WebP's decoder
        raise Undecodable(f"{name}: it is too large to be read ({error}); cut it up") from error
    except Exception as error:  # decoders fail in many ways
        raise Undecodable(
            f"{name}: truncated or damaged ({str(error) or type(error).__name__}); make it again"
        ) from error


def kind_of(start: bytes) -> str:
    """The format that a file's first 16 bytes or more begin: PNG, JPEG, WEBP, BMP, TIFF, PPM; empty if none of them."""
    head = start[:16].ljust(16, b"\0")
    kinds = (kind for kind in _READERS if (accepts := Image.OPEN[kind][1]) and accepts(head))
    return next(kinds, "")


def opened(data: bytes, name: str, kinds: Collection[str], most_pixels: int = MOST_PIXELS) -> Image.Image:
    """A picture, decoded; of several frames or pictures the first.

    Args:
        name: of the file, for errors.
        kinds: formats that are read, see ``kind_of``.
        most_pixels: more are refused.

    Raises:
        Undecodable: empty, truncated, damaged, too large or of another format.
        AdcbenchError: more memory is needed than there is.
    """
    kind = kind_of(data)
    if kind not in kinds:
        raise Undecodable(f"{name}: {'no known image format' if data else 'the file is empty'}")
    with one_error(name):
        if kind == "PNG":
            return _opened_png(data, name, most_pixels)
        image = _READERS[kind](io.BytesIO(data))
        check_size(*image.size, name, most_pixels)
        image.load()
        return image


def check_size(width: int, height: int, name: str, most_pixels: int) -> None:
    """Raise ``AdcbenchError`` where a picture's size is more than is read, or more than fits into memory."""
    pixels, memory = width * height, physical_memory()
    if pixels > most_pixels:
        raise Undecodable(
            f"{name}: it has {width}x{height} pixels, and at most {most_pixels / 1e6:.0f} million are read; cut it up"
        )
    if memory and pixels * _PER_PIXEL > memory:
        need = f"{pixels * _PER_PIXEL / 1e9:.1f} GB to read"
        raise AdcbenchError(
            f"{name}: its {width}x{height} pixels take {need}, and this machine has {memory / 1e9:.1f} GB; cut it up"
        )


def pixels_of(image: Image.Image) -> np.ndarray:
    """(h, w, 3) uint8 of an RGB picture, copied in strips: at once it would be in memory three times."""
    width, height = image.size
    rows = max(1, _STRIP // width)
    if height <= rows:
        return np.array(image)
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        pixels[top : top + rows] = np.asarray(image.crop((0, top, width, min(top + rows, height))))
    return pixels


class _Png(NamedTuple):
    """A checked PNG: bytes of all rows with their filters, whether in passes, compressed data, needed chunks."""

    size: int
    interlaced: bool
    compressed: list[memoryview]
    needed: list[bytes | memoryview]


def _opened_png(data: bytes, name: str, most_pixels: int) -> Image.Image:
    png = _checked(data, name, most_pixels)
    try:
        image = PngImageFile(io.BytesIO(data))
        image.load()
    except MemoryError:
        raise
    except Exception:  # most likely for its metadata: once more without
        image = PngImageFile(io.BytesIO(b"".join(png.needed)))
        image.load()
    # where rows are missing Pillow leaves them black
    last = image.crop((0, image.height - 1, image.width, image.height))
    if (png.interlaced or not np.asarray(last).any()) and _inflated(png) < png.size:
        raise ValueError("rows are missing")
    return image


def _checked(data: bytes, name: str, most_pixels: int) -> _Png:
    """Look at all chunks of a PNG.

    Raises:
        ValueError: a chunk is missing, cut off or damaged, or there is too little data for the size.
    """
    view, place = memoryview(data), len(PNG_START)
    kinds: list[bytes] = []
    compressed: list[memoryview] = []
    needed: list[bytes | memoryview] = [PNG_START]
    while not kinds or kinds[-1] != b"IEND":
        length, kind = int.from_bytes(view[place : place + 4]), bytes(view[place + 4 : place + 8])
        end = place + 12 + length
        if end > len(data):
            raise ValueError("it ends early")
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise ValueError(f"wrong checksum of its {kind.decode() if kind.isalpha() else 'nameless'} chunk")
        kinds.append(kind)
        if kind == b"IDAT":
            compressed.append(view[place + 8 : end - 4])
        if kind in _NEEDED:
            needed.append(view[place:end])
        place = end
    head = bytes(view[16:29])
    if kinds[0] != b"IHDR" or int.from_bytes(view[8:12]) != len(head):
        raise ValueError("its header is not the first chunk")
    if not compressed:
        raise ValueError("it has no image data")
    width, height, interlaced = int.from_bytes(head[:4]), int.from_bytes(head[4:8]), head[12] != 0
    check_size(width, height, name, most_pixels)
    bits = head[8] * _CHANNELS[head[9]]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(height - top) // down), -(-(width - left) // right)) for top, left, down, right in passes]
    size = sum(rows * (1 + -(-columns * bits // 8)) for rows, columns in sizes if rows > 0 and columns > 0)
    if size > _DEFLATE * sum(map(len, compressed)):
        raise ValueError(f"it has too little data for {width}x{height} pixels")
    return _Png(size, interlaced, compressed, needed)


def _inflated(png: _Png) -> int:
    """Bytes that the compressed data stand for, counted up to the size of the picture."""
    inflate, count = zlib.decompressobj(), 0
    for part in png.compressed:
        rest: bytes | memoryview = part
        while count < png.size and not inflate.eof:
            got = len(inflate.decompress(rest, 1 << 20))
            count, rest = count + got, inflate.unconsumed_tail
            if not got and not rest:
                break
    return count
