"""Bringing sound into a file that is being written, in step with its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av

from likeness.media.audio import AudioReader, AudioSource, origin_s, sound_of
from likeness.media.containers import READ_ERRORS, open_container
from likeness.types import Floats

# Codecs that need no transcoding in each container, and what is made of all others.
_COPIED = {"mp4": ("aac",), "webm": ("opus", "libopus")}
_ENCODERS = {"mp4": "aac", "webm": "libopus"}
_OPUS_RATE_HZ = 48000
_AAC_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_BITS_PER_CHANNEL = {"mp4": 96_000, "webm": 64_000}
# Sound before the first picture is left to the player to skip, as encoders' run-in is; more is cut off here.
_LONGEST_RUN_IN_S = Fraction(1, 10)


class Sound(Protocol):
    """The sound of a file being written."""

    def advance(self, until_s: Fraction) -> None:
        """Write everything that sounds before this moment of the video."""

    def finish(self, end_s: Fraction) -> None:
        """Write the rest up to the end of the video."""

    def close(self) -> None:
        """Let go of the source."""


class SoundLayer(Protocol):
    """Something that is done to sound on its way, such as `watermark.audio.AudioMark`.

    It may hold samples back, but gives as many in all as it took, each in its place.
    """

    def process(self, block: Floats) -> Floats:
        """Take in (channels, n) float32; what is ready comes out, (channels, m) float32."""

    def flush(self) -> Floats:
        """The rest, when nothing more comes."""


MakeSoundLayer: TypeAlias = Callable[[int, int], SoundLayer]
"""Makes a layer for a sampling rate, Hz, and a number of channels, which are known once the sound is open."""


def add_sound(
    output: Any, source: AudioSource, container_format: str, make_layer: MakeSoundLayer | None = None
) -> Sound:
    """Add a sound stream to an output container whose header is not yet written.

    Sound is copied as it is where the container can hold it and nothing has to be cut from its beginning,
    since every encoding costs quality; else, and where it gets a layer, it is encoded anew.
    """
    if source.start_s == 0 and make_layer is None:
        copied = _copied(output, source, container_format)
        if copied is not None:
            return copied
    return EncodedSound(output, source, container_format, make_layer)


def _copied(output: Any, source: AudioSource, container_format: str) -> CopiedSound | None:
    zero_s = origin_s(source.path)
    container = open_container(source.path)
    stream = sound_of(container, source.path)
    start_s = Fraction((stream.start_time or 0) * stream.time_base)
    is_fit = (
        stream.codec_context.name in _COPIED[container_format]
        and stream.codec_context.extradata is not None  # bare AAC (ADTS) has its headers in the packets
        and start_s - zero_s > -_LONGEST_RUN_IN_S
    )
    if not is_fit:
        container.close()
        return None
    return CopiedSound(output, source, container, stream, zero_s)


class CopiedSound:
    """Packets moved from one container to the other, with their times counted from the first picture."""

    def __init__(
        self, output: Any, source: AudioSource, container: Any, stream: Any, zero_s: Fraction
    ) -> None:
        self._output, self._container = output, container
        self._stream = output.add_stream_from_template(stream)
        self._time_base = Fraction(stream.time_base)
        self._shift = round(zero_s / self._time_base)
        self._limit_s = source.duration_s
        self._packets: Iterator[Any] = container.demux(stream)
        self._next: Any = None
        self._is_over = False

    def advance(self, until_s: Fraction) -> None:
        if self._limit_s is not None:
            until_s = min(until_s, self._limit_s)
        while not self._is_over:
            if self._next is None and not self._read():
                return
            if self._next.pts * self._time_base >= until_s:
                return
            self._output.mux(self._next)
            self._next = None

    def finish(self, end_s: Fraction) -> None:
        self.advance(end_s)
        self.close()

    def close(self) -> None:
        self._is_over = True
        self._container.close()

    def _read(self) -> bool:
        try:
            packet = next(
                (p for p in self._packets if p.size and p.pts is not None and not p.is_corrupt), None
            )
        except READ_ERRORS:
            packet = None  # the sound ends where its file is damaged
        if packet is None:
            self._is_over = True
            return False
        packet.pts -= self._shift
        packet.dts = packet.pts
        packet.stream = self._stream
        self._next = packet
        return True


class EncodedSound:
    """Sound decoded, cut and resampled as needed, put through a layer if there is one, and encoded."""

    def __init__(
        self, output: Any, source: AudioSource, container_format: str, make_layer: MakeSoundLayer | None
    ) -> None:
        reader = AudioReader(source.path, start_s=source.start_s, duration_s=source.duration_s)
        rate_hz = (
            reader.rate_hz if container_format == "mp4" and reader.rate_hz in _AAC_RATES_HZ else _OPUS_RATE_HZ
        )
        if rate_hz != reader.rate_hz:
            reader.close()
            reader = AudioReader(
                source.path, start_s=source.start_s, duration_s=source.duration_s, rate_hz=rate_hz
            )
        self._reader, self._rate_hz = reader, rate_hz
        self._layout = "mono" if reader.channels == 1 else "stereo"
        self._output = output
        self._stream: Any = output.add_stream(_ENCODERS[container_format], rate=rate_hz)
        self._stream.codec_context.layout = self._layout
        self._stream.bit_rate = _BITS_PER_CHANNEL[container_format] * reader.channels
        self._blocks: Iterator[Floats] = iter(reader)
        if make_layer is not None:
            self._blocks = _through(make_layer(rate_hz, reader.channels), reader)
        self._written = 0
        self._held: Any = None
        self._is_over = False

    def advance(self, until_s: Fraction) -> None:
        wanted = round(until_s * self._rate_hz)
        while not self._is_over and self._written < wanted:
            block = self._held if self._held is not None else next(self._blocks, None)
            if block is None:
                self._is_over = True
                return
            now, rest = block[:, : wanted - self._written], block[:, wanted - self._written :]
            self._held = rest if rest.shape[1] else None
            self._encode(now)

    def finish(self, end_s: Fraction) -> None:
        self.advance(end_s)
        self._output.mux(self._stream.encode(None))
        self.close()

    def close(self) -> None:
        self._is_over = True
        self._reader.close()

    def _encode(self, samples: Any) -> None:
        frame = av.AudioFrame.from_ndarray(samples.copy(), "fltp", self._layout)
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self._written
        self._written += samples.shape[1]
        self._output.mux(self._stream.encode(frame))


def _through(layer: SoundLayer, blocks: Iterable[Floats]) -> Iterator[Floats]:
    """What a layer makes of the blocks: as long in all, so that it stays in step, only read further ahead."""
    for block in blocks:
        if (ready := layer.process(block)).shape[1]:
            yield ready
    if (rest := layer.flush()).shape[1]:
        yield rest
