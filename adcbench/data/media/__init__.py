"""Files with pixels in them: images, pictures as people have them, clips and videos; joined by name.

A sample is a clip, and an image is a clip of one frame: ``pair`` joins folders of either, ``open_clip`` opens either.
"""

from __future__ import annotations

from adcbench.data.media.clips import Clip, Part, open_clip
from adcbench.data.media.pairs import Sample, pair

__all__ = ["Clip", "Part", "Sample", "open_clip", "pair"]
