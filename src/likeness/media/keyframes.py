"""The key frames of a video: pictures that stand for themselves, which codecs keep better than the others."""

from __future__ import annotations

import math
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from likeness.media.containers import READ_ERRORS, open_container, seek_before, video_stream
from likeness.media.pictures import PictureMaker
from likeness.media.video import survey
from likeness.types import Picture

_USUAL_GAP_S = 1  # between key frames, at least: more moments than that would find the same ones


def read_keyframes(path: str | Path, most: int = 48) -> Generator[Picture]:
    """Key frames spread over the length of a video, (h, w, 3) uint8 RGB, upright, `most` of them at most.

    The file is entered at evenly spread moments, so the time this takes hardly grows with its length. What is
    damaged is left out.

    Raises:
        MediaError: as from `video.probe`.
    """
    known = survey(path)
    maker = PictureMaker(known.info.width, known.info.height, known.orientation)
    duration_s = known.info.duration_s or 0
    moments_s = np.linspace(0, duration_s, min(most, math.ceil(duration_s / _USUAL_GAP_S) + 1))
    seen: set[int | None] = set()
    with open_container(path) as container:
        stream: Any = video_stream(container)
        stream.codec_context.skip_frame = "NONKEY"
        for moment_s in moments_s:
            try:
                seek_before(container, stream, known.origin_s + Fraction(float(moment_s)))
                frame = next(container.decode(stream), None)
                if frame is not None and frame.pts not in seen:
                    seen.add(frame.pts)
                    yield maker.make(frame)
            except READ_ERRORS:
                continue
