"""Reducing pictures to 256 colours for GIF, as a stream."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from likeness.types import Picture

_LEARN_FROM_FRAMES = 12
_SAMPLED_PIXELS = 500


class Quantiser:
    """Gives pictures a palette that stays the same as long as it fits.

    One palette for many frames, because then a still background does not flicker and its pixels, being
    unchanged, cost nothing: a third of the size and a sixth of the time of a palette for each frame, at the
    same error (40.7 dB against 41.0 on a talking head). It is made from the first twelve frames, and again
    where pictures have moved away from it, as in a new scene. The dither is an ordered one for the same
    reason: the noise of error diffusion moves with anything that moves (FFmpeg's palettegen and paletteuse).
    """

    def __init__(self, tick_s: Fraction) -> None:
        self._tick_s = tick_s
        self._waiting: list[tuple[Picture, int]] = []
        self._palette: _Palette | None = None

    def push(self, image: Picture, pts: int) -> list[Any]:
        """Take the next picture, (h, w, 3) uint8 RGB; returns those that are ready, as `pal8` frames."""
        done: list[Any] = []
        if self._palette is not None and not self._palette.fits(image):
            done, self._palette = self.flush(), None
        self._waiting.append((image, pts))
        if self._palette is None and len(self._waiting) < _LEARN_FROM_FRAMES:
            return done
        return done + self.flush()

    def flush(self) -> list[Any]:
        """The pictures that are still held."""
        if not self._waiting:
            return []
        if self._palette is None:
            self._palette = _Palette([image for image, _ in self._waiting], self._tick_s)
        done = [self._palette.apply(image, pts) for image, pts in self._waiting]
        self._waiting.clear()
        return done


class _Palette:
    """255 colours and a transparent one (in GIF "as before"), and the filter that applies them."""

    def __init__(self, images: list[Picture], tick_s: Fraction) -> None:
        height, width = images[0].shape[:2]
        self._tick_s = tick_s
        self._step_px = max(1, round((height * width / _SAMPLED_PIXELS) ** 0.5))
        learn = Graph()
        source = learn.add("buffer", _source(width, height, "rgb24", tick_s))
        make, sink = learn.add("palettegen", "stats_mode=full"), learn.add("buffersink")
        source.link_to(make)
        make.link_to(sink)
        learn.configure()
        for pts, image in enumerate(images):
            source.push(self._frame(image, pts))
        source.push(None)
        palette: Any = sink.pull()
        self._colours: NDArray[np.float32] = (
            palette.to_ndarray(format="rgb24").reshape(1, -1, 3)[:, :255].astype(np.float32)
        )
        usual = float(np.mean([self._miss(image) for image in images]))
        self._largest_miss = 2 * usual + 6

        self._graph = Graph()
        self._source = self._graph.add("buffer", _source(width, height, "rgb24", tick_s))
        colours = self._graph.add(
            "buffer", _source(palette.width, palette.height, palette.format.name, tick_s)
        )
        use = self._graph.add("paletteuse", "dither=bayer:bayer_scale=5")
        self._sink = self._graph.add("buffersink")
        self._source.link_to(use, 0, 0)
        colours.link_to(use, 0, 1)
        use.link_to(self._sink)
        self._graph.configure()
        palette.pts, palette.time_base = 0, tick_s
        colours.push(palette)
        colours.push(None)

    def fits(self, image: Picture) -> bool:
        """Whether the palette serves this picture about as well as those it was made from."""
        return self._miss(image) <= self._largest_miss

    def apply(self, image: Picture, pts: int) -> Any:
        """The picture as a `pal8` frame."""
        self._source.push(self._frame(image, pts))
        return self._sink.pull()

    def _frame(self, image: Picture, pts: int) -> Any:
        frame = av.VideoFrame.from_numpy_buffer(image, "rgb24")
        frame.pts, frame.time_base = pts, self._tick_s
        return frame

    def _miss(self, image: Picture) -> float:
        """Mean distance (sum over the channels, levels) of some pixels from the nearest colour."""
        pixels = image[:: self._step_px, :: self._step_px].reshape(-1, 1, 3).astype(np.float32)
        return float(np.abs(pixels - self._colours).sum(axis=2).min(axis=1).mean())


def _source(width: int, height: int, pixel_format: str, tick_s: Fraction) -> str:
    return (
        f"video_size={width}x{height}:pix_fmt={pixel_format}:"
        f"time_base={tick_s.numerator}/{tick_s.denominator}:pixel_aspect=1/1"
    )
