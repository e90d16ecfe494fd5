"""Small clips made on the spot with FFmpeg alone, each frame of which carries its own number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

BITS = 8


class Clips:
    """Makes clips, and measures in files what was put into them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counter = itertools.count()

    def path(self, name: str) -> Path:
        """A path in a folder of its own, which no other clip has."""
        folder = self._folder / str(next(self._counter))
        folder.mkdir()
        return folder / name

    @staticmethod
    def picture(number: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
        """(h, w, 3): grey, red at the top left, and `number` as black and white blocks in the lower half."""
        width, height = size
        image = np.full((height, width, 3), 128, np.uint8)
        image[: height // 4, : width // 4] = (255, 0, 0)
        edges = np.arange(BITS + 1) * width // BITS
        for bit, (left, right) in enumerate(itertools.pairwise(edges)):
            image[height // 2 :, left:right] = 255 * (number >> bit & 1)
        return image

    @staticmethod
    def number_of(image: NDArray[np.uint8]) -> int:
        """What `picture` wrote, from a decoded frame of any size."""
        height, width = image.shape[:2]
        centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
        return int(np.sum((image[height * 3 // 4, centres, 1] > 128) << np.arange(BITS)))

    @staticmethod
    def clicks(duration_s: float, rate_hz: int, at_s: Iterable[float]) -> NDArray[np.float32]:
        """(n,): a burst of 2 kHz, 20 ms long, that begins sharply at each of the times."""
        sound = np.zeros(round(duration_s * rate_hz), np.float32)
        burst = 0.8 * np.cos(2 * np.pi * 2000 * np.arange(rate_hz // 50) / rate_hz)
        for time_s in at_s:
            begin = round(time_s * rate_hz)
            sound[begin : begin + len(burst)] = burst[: len(sound) - begin]
        return sound

    @staticmethod
    def onsets_s(sound: NDArray[np.float32], rate_hz: int) -> list[float]:
        """When bursts begin: where half the loudest is passed after a tenth of a second without it."""
        loud = np.flatnonzero(np.abs(sound) > np.abs(sound).max() / 2)
        return list(loud[np.diff(loud, prepend=-rate_hz) > 0.1 * rate_hz] / rate_hz)

    @staticmethod
    def sound_of(path: Path) -> tuple[NDArray[np.float32], int]:
        """The sound of a file as players place it, (n,) from time 0 on, and its rate."""
        with av.open(str(path)) as container:
            rate_hz = container.streams.audio[0].codec_context.sample_rate
            resampler = av.AudioResampler("fltp", "mono", rate_hz)
            pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        ends = [round(piece.pts * piece.time_base * rate_hz) + piece.samples for piece in pieces]
        sound = np.zeros(max(ends, default=0), np.float32)
        for end, piece in zip(ends, pieces, strict=True):
            samples = piece.to_ndarray()[0][-end:] if end < piece.samples else piece.to_ndarray()[0]
            sound[end - len(samples) : end] = samples
        return sound, rate_hz

    def make(
        self,
        name: str,
        pictures: int | Sequence[NDArray[np.uint8]] = 10,
        *,
        rate: Fraction | int = 25,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        pts: Sequence[int] | None = None,
        time_base: Fraction | None = None,
        start_s: Fraction | int = 0,
        rotation: float = 0,
        hflip: bool = False,
        aspect: Fraction | None = None,
        colour: tuple[Colorspace, ColorRange] = (Colorspace.ITU601, ColorRange.MPEG),
        is_tagged: bool = True,
        sound: NDArray[np.float32] | None = None,
        sound_codec: str = "aac",
        sound_rate_hz: int = 44100,
        sound_start_s: float = 0,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
    ) -> Path:
        """Write a clip; `pictures` are arrays, or how many numbered ones there shall be."""
        images = [self.picture(n) for n in range(pictures)] if isinstance(pictures, int) else pictures
        path, base = self.path(name), time_base or 1 / Fraction(rate)
        with av.open(str(path), "w", container_options=container_options) as output:
            video = output.add_stream(codec, rate=Fraction(rate), options=options or {})
            video.height, video.width = images[0].shape[:2] if images else (48, 64)
            video.pix_fmt, video.codec_context.time_base = pix_fmt, base
            if aspect is not None:
                video.codec_context.sample_aspect_ratio = aspect
            if is_tagged:
                video.codec_context.colorspace, video.codec_context.color_range = map(int, colour)
            if rotation or hflip:
                video.set_display_rotation(rotation, hflip=hflip)
            packets = []
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24").reformat(
                    format=pix_fmt, dst_colorspace=colour[0], dst_color_range=colour[1]
                )
                frame.pts = (pts[number] if pts else number) + round(start_s / base)
                frame.time_base = base
                packets += video.encode(frame)
            packets += video.encode(None)
            if sound is not None:
                packets += self._encode_sound(output, sound, sound_codec, sound_rate_hz, sound_start_s)
            output.start_encoding()
            for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
                output.mux(packet)
        return path

    def make_sound(
        self, name: str, sound: NDArray[np.float32], *, codec: str, rate_hz: int, start_s: float = 0
    ) -> Path:
        """Write a file without pictures."""
        path = self.path(name)
        with av.open(str(path), "w") as output:
            output.mux(self._encode_sound(output, sound, codec, rate_hz, start_s))
        return path

    @staticmethod
    def _encode_sound(
        output: av.container.OutputContainer,
        sound: NDArray[np.float32],
        codec: str,
        rate_hz: int,
        start_s: float,
    ) -> list[av.Packet]:
        stream = output.add_stream(codec, rate=rate_hz)
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        frame.pts = round(start_s * rate_hz)
        return [*stream.encode(frame), *stream.encode(None)]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Makes clips; see `Clips.make`."""
    return Clips(tmp_path_factory.mktemp("clips"))
