"""What somebody says, said by a voice model of RVC: a stream of sound in, a stream of sound out.

The sound goes through in pieces of up to 10 s, cut where it is quiet, with a second around each. Their tone
goes on where that of the piece before ended, their random part is the same, and they are laid over each other
for 40 ms: no seam is heard, and memory does not grow with length.

What index, protect, loudness and pitch do follows infer/modules/vc/pipeline.py of RVC (RVC-Project, MIT; read
at commit 034b7dd).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from likeness.engines.rvc.content import HOP, RATE_HZ, ContentModel
from likeness.engines.rvc.hearing import FRAME_S, follow_f0, remove_rumble
from likeness.engines.rvc.index import VoiceIndex
from likeness.engines.rvc.loudness import WINDOW, follow_loudness, limit
from likeness.engines.rvc.noise import Noise
from likeness.engines.rvc.pieces import CONTEXT, FRAME, Piece, cut
from likeness.engines.rvc.settings import RvcSettings
from likeness.engines.rvc.synthesizer import Synthesizer
from likeness.errors import ModelFormat, UsageError
from likeness.media.resampling import resample_stream
from likeness.types import Floats, ModelRef

VERSION: Final = "1"
_TWICE = HOP // FRAME  # frames of RVC to one of content
_FADE = 2  # frames on either side of a cut in which both pieces are heard
_MARGIN = WINDOW // 2 + _FADE  # frames on either side that are made, so that loudness is known at the cut


class RvcConverter:
    """A voice model with all that it needs to convert; a `VoiceConverter`.

    Args:
        voice: the voice model.
        content: what hears what is said, of the size that the voice listens to.
        index: frames of that voice, or None.
        settings: all choices.
        offline: as for `likeness.models.fetch`.

    Raises:
        UsageError: the speaker is not in the model, or the pitch of one that has none shall be moved.
        ModelFormat: content model or index do not fit the voice.
    """

    name: Final = "rvc"
    version: Final = VERSION

    def __init__(
        self,
        voice: Synthesizer,
        content: ContentModel,
        index: VoiceIndex | None = None,
        settings: RvcSettings | None = None,
        *,
        offline: bool | None = None,
    ) -> None:
        self._voice, self._content, self._index, self._offline = voice, content, index, offline
        self._settings = settings or RvcSettings()
        self._noise = Noise(voice, self._settings.noise, self._settings.seed)
        self._check()

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """What takes part, for the credentials."""
        index = () if self._index is None else (self._index.ref,)
        return (self._voice.ref, self._content.ref, *index)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How it converts, for the credentials."""
        about = {"voice_version": self._voice.version, "licence": self._voice.licence}
        return {**about, **asdict(self._settings)}

    def rate_for(self, rate_hz: int) -> int:
        """The sampling rate that comes out: that of the voice model, whatever goes in."""
        return self._voice.sample_rate_hz

    def notes(self) -> tuple[str, ...]:
        """What a person should know of the result: nothing yet."""
        return ()

    def convert_stream(self, blocks: Iterable[Floats], rate_hz: int) -> Iterator[Floats]:
        """Convert a sound as it comes; see `VoiceConverter`. The wave is bare, **not sealed**.

        Raises:
            ModelFormat: the content model fails on this sound.
            MissingExtra, ModelMissing, ChecksumMismatch: what follows the pitch is not here.
        """
        counted, given = _Counted(blocks), 0
        for wave, is_last in self._join(cut(resample_stream(counted, rate_hz, RATE_HZ))):
            if is_last:
                wanted = round(counted.count * self._voice.sample_rate_hz / rate_hz) - given
                wave = np.pad(wave[:wanted], (0, max(0, wanted - len(wave))))
            given += len(wave)
            yield wave

    def _join(self, pieces: Iterable[Piece]) -> Iterator[tuple[Floats, bool]]:
        """The waves of the pieces, each laid over the end of the one before; and whether it is the last."""
        fade = _FADE * self._voice.samples_per_frame
        rise = ((np.arange(2 * fade) + 0.5) / (2 * fade)).astype(np.float32)
        tail: Floats | None = None
        turned = 0.0
        for piece in pieces:
            wave, turned = self._speak(piece, turned)
            if tail is None:
                wave = wave[fade:]
            else:
                wave[: 2 * fade] = rise * wave[: 2 * fade] + (1 - rise) * tail
            kept = len(wave) - (fade if piece.is_last else 2 * fade)
            tail = wave[kept:]
            yield wave[:kept], piece.is_last

    def _speak(self, piece: Piece, turned: float) -> tuple[Floats, float]:
        """The wave of a piece, with `_FADE` frames more on either side, and how far its tone has turned.

        Args:
            turned: how far the tone has turned before the piece, cycles.
        """
        sound = remove_rumble(piece.sound)
        head, phase = CONTEXT - _MARGIN, 0.0
        f0_hz = self._follow(sound)
        if f0_hz is not None:
            cycles = f0_hz.astype(np.float64) * FRAME_S
            phase = turned - float(cycles[head:CONTEXT].sum())
            turned = (turned + float(cycles[CONTEXT : CONTEXT + piece.frames].sum())) % 1
        content = self._hear(sound, f0_hz)
        count = len(content)
        length = min(piece.frames + 2 * _MARGIN, count - head)
        wave = self._voice.infer(
            content,
            None,
            None if f0_hz is None else f0_hz[:count],
            self._settings.speaker,
            self._noise.draw(piece.start, count) if self._settings.noise else 0.0,
            skip_head=head,
            return_length=length,
            phase=phase,
        ).reshape(length, -1)
        source = sound.reshape(-1, FRAME)[head : head + length]
        wave = limit(follow_loudness(wave, source, self._settings.rms_mix))
        return wave[_MARGIN - _FADE :][: piece.frames + 2 * _FADE].flatten(), turned

    def _follow(self, sound: Floats) -> Floats | None:
        """The pitch that is wanted of each frame, Hz; 0 = unvoiced. None for models that take none."""
        if not self._voice.has_pitch:
            return None
        f0_hz = follow_f0(sound, len(sound) // FRAME, self._settings.pitch, offline=self._offline)
        moved = f0_hz * np.float32(2 ** (self._settings.transpose / 12))
        return np.asarray(np.minimum(moved, self._voice.sample_rate_hz / 2), np.float32)

    def _hear(self, sound: Floats, f0_hz: Floats | None) -> Floats:
        """What is to be said, (frames, channels): what is heard, drawn towards the index."""
        settings, most = self._settings, len(sound) // FRAME
        heard = self._content.listen(sound)
        plain = np.repeat(heard, _TWICE, 0)[:most]
        if self._index is None or not settings.index_rate:
            return plain
        rate = np.float32(settings.index_rate)
        drawn = np.repeat(rate * self._index.draw_near(heard) + (1 - rate) * heard, _TWICE, 0)[:most]
        if f0_hz is None or settings.protect >= 0.5:
            return drawn
        share = np.where(f0_hz[: len(drawn)] > 0, 1, settings.protect).astype(np.float32)[:, None]
        return np.asarray(share * drawn + (1 - share) * plain, np.float32)

    def _check(self) -> None:
        voice = self._voice
        for part in (self._content, self._index):
            if part is not None and part.channels != voice.content_channels:
                raise ModelFormat(
                    f"{part.name} has {part.channels} numbers a frame, and {voice.name} listens to "
                    f"{voice.content_channels}.",
                    "Use what was made for this version of RVC.",
                )
        if self._settings.speaker >= voice.speakers:
            raise UsageError(
                f"There is no speaker {self._settings.speaker} in {voice.name}.",
                f"Give a number from 0 to {voice.speakers - 1}.",
            )
        if self._settings.transpose and not voice.has_pitch:
            raise UsageError(
                f"{voice.name} was trained without pitch, so it cannot be transposed.",
                "Leave out the transposition, or use a model with pitch.",
            )


class _Counted:
    """Counts the samples that go through."""

    def __init__(self, blocks: Iterable[Floats]) -> None:
        self._blocks, self.count = blocks, 0

    def __iter__(self) -> Iterator[Floats]:
        for block in self._blocks:
            self.count += len(block)
            yield block
