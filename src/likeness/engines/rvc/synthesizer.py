"""A voice model, ready to speak: arrays in, a wave out."""

from __future__ import annotations

import operator
from typing import NamedTuple, SupportsIndex

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from likeness.engines.rvc.pitch import STEPS, coarse_pitch
from likeness.errors import UsageError
from likeness.nn.rvc import RvcNet
from likeness.types import Floats, ModelRef

LONGEST_FRAMES = 6000
"""60 s. What frames hear of each other grows with the square of that: a few arrays of 0.3 GB each."""

_CONTENT_HINT = (
    "Version 1 takes 256 numbers of HuBERT or ContentVec (layer 9), version 2 takes 768 (layer 12)."
)


class Draws(NamedTuple):
    """The random part of a wave, of the normal distribution.

    Attributes:
        latent: (latent_channels, frames) float32.
        source: (frames * samples_per_frame,) float32; None for models without pitch.
    """

    latent: Floats
    source: Floats | None = None


class Synthesizer:
    """A voice model of RVC. Frames are 10 ms.

    Attributes:
        name: of its file.
        version: "v1" or "v2".
        sha256: of the file that it came from.
        licence: as stated when it was imported; "not stated" otherwise.
        content_channels: numbers that tell what is said in a frame: 256 or 768.
        has_pitch: it takes a pitch for each frame.
        speakers: how many it knows; `sid` counts from 0.
        sample_rate_hz: of the wave.
        samples_per_frame: of the wave.
        latent_channels: of the draws.
    """

    def __init__(self, net: RvcNet, *, name: str, version: str, sha256: str, licence: str) -> None:
        self._net, config = net, net.config
        self.name, self.version, self.sha256, self.licence = name, version, sha256, licence
        self.content_channels, self.has_pitch = config.content_channels, config.has_pitch
        self.speakers, self.sample_rate_hz = config.speakers, config.sample_rate_hz
        self.samples_per_frame, self.latent_channels = config.samples_per_frame, config.inter_channels

    @property
    def ref(self) -> ModelRef:
        """What credentials say of it."""
        return ModelRef(self.name, self.sha256)

    def infer(
        self,
        phone: ArrayLike,
        pitch: ArrayLike | None = None,
        pitchf: ArrayLike | None = None,
        sid: SupportsIndex = 0,
        noise: float | Draws = 0.0,
        *,
        seed: int = 0,
        skip_head: SupportsIndex = 0,
        return_length: SupportsIndex | None = None,
        phase: float = 0.0,
    ) -> Floats:
        """What was said, in this voice. The wave is bare, **not sealed**: nothing in it says it is synthetic.

        Do not publish it without such marks, and do not make it without the consent of whose voice it is.

        Args:
            phone: (frames, content_channels) float: what is said, as HuBERT or ContentVec hears it, each
                frame given twice to make 100 a second. At most 6000 frames.
            pitch: (frames,) integers 1 … 255, as `coarse_pitch` makes them; None takes them from `pitchf`.
            pitchf: (frames,) float, Hz; 0 = unvoiced. Models without pitch take neither, and ignore both.
            sid: which of its speakers, from 0.
            noise: how much of the random part of breath and variation, 0 (none) … 1 (as it was trained); or
                the draws themselves.
            seed: of the draws; the same seed gives the same wave.
            skip_head: frames that are only listened to, as what came before; see `return_length`.
            return_length: frames that are made, from `skip_head` on; the rest is only listened to. None makes
                all that follow. The tone begins at `skip_head`.
            phase: of the tone at its beginning, cycles. So pieces fit together.

        Returns:
            (return_length * samples_per_frame,) float32, -1 … 1, at `sample_rate_hz`.

        Raises:
            UsageError: an array has another shape or type than that, or holds what is no number; or a number
                is out of its range.
        """
        content = self._content(phone)
        frames = len(content)
        coarse, hz = self._pitches(pitch, pitchf, frames) if self.has_pitch else (None, None)
        speaker = _whole("sid", sid, 0, self.speakers - 1)
        head = _whole("skip_head", skip_head, 0, frames - 1)
        length = frames - head
        if return_length is not None:
            length = _whole("return_length", return_length, 1, frames - head)
        if not isinstance(phase, int | float | np.number) or not np.isfinite(phase):
            raise UsageError(f"phase is {phase!r}.", "Give a number of cycles.")
        latent_noise, source_noise = self._draws(noise, seed, frames)
        with torch.inference_mode():
            wave: Tensor = self._net(
                _tensor(content),
                _tensor(coarse),
                _tensor(hz),
                torch.tensor([speaker]),
                latent_noise=_tensor(latent_noise),
                source_noise=_tensor(source_noise),
                head=head,
                length=length,
                phase=float(phase) % 1,
            )
        return np.ascontiguousarray(wave[0].numpy(), np.float32)

    def _content(self, phone: ArrayLike) -> Floats:
        content = _floats("content (phone)", phone)
        if content.ndim != 2 or content.shape[1] != self.content_channels:
            raise UsageError(
                f"The content (phone) is of shape {content.shape}; {self.name} ({self.version}) listens to "
                f"(frames, {self.content_channels}).",
                _CONTENT_HINT,
            )
        if not 1 <= len(content) <= LONGEST_FRAMES:
            raise UsageError(
                f"The content (phone) has {len(content)} frames; 1 to {LONGEST_FRAMES} can be made at once.",
                "Give longer sound in parts that overlap; skip_head and return_length are made for that.",
            )
        return content

    def _pitches(
        self, pitch: ArrayLike | None, pitchf: ArrayLike | None, frames: int
    ) -> tuple[NDArray[np.int64], Floats]:
        if pitchf is None:
            raise UsageError(
                f"{self.name} needs the pitch of every frame.",
                "Give pitchf, in Hz; 0 where there is no voice.",
            )
        hz = _floats("pitch (pitchf)", pitchf)
        _check_length("pitchf", hz, frames)
        if hz.min() < 0 or hz.max() > self.sample_rate_hz / 2:
            raise UsageError(
                f"The pitch (pitchf) reaches from {hz.min():g} to {hz.max():g} Hz.",
                f"Give 0 to {self.sample_rate_hz // 2} Hz; 0 where there is no voice.",
            )
        if pitch is None:
            return coarse_pitch(hz), hz
        steps = np.asarray(pitch)
        if steps.dtype.kind not in "iu":
            raise UsageError(
                f"The coarse pitch (pitch) is of type {steps.dtype}, not of whole numbers.",
                "Give what coarse_pitch makes of pitchf, or leave it out.",
            )
        _check_length("pitch", steps, frames)
        if steps.min() < 1 or steps.max() > STEPS:
            raise UsageError(
                f"The coarse pitch (pitch) reaches from {steps.min()} to {steps.max()}.",
                f"Give 1 to {STEPS}, as coarse_pitch does, or leave it out.",
            )
        return steps.astype(np.int64), hz

    def _draws(self, noise: float | Draws, seed: int, frames: int) -> tuple[Floats | None, Floats | None]:
        shape = (self.latent_channels, frames)
        samples = frames * self.samples_per_frame
        if isinstance(noise, Draws):
            latent = _floats("latent draws", noise.latent)
            source = None if noise.source is None else _floats("source draws", noise.source)
            if latent.shape != shape or (source is not None and source.shape != (samples,)):
                raise UsageError(
                    f"The draws are of shape {latent.shape}, and {None if source is None else source.shape}.",
                    f"Give {shape} and {(samples,)}.",
                )
            return latent, source
        if not isinstance(noise, int | float | np.number) or not 0 <= noise <= 1:
            raise UsageError(f"noise is {noise!r}.", "Give a number from 0 to 1.")
        if noise == 0:
            return None, None
        draw = np.random.default_rng(_whole("seed", seed, 0, 2**63))
        level = np.float32(noise)
        latent = level * draw.standard_normal(shape, np.float32)
        return latent, level * draw.standard_normal(samples, np.float32) if self.has_pitch else None


def _floats(what: str, values: ArrayLike) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        raise UsageError(f"The {what} is of type {array.dtype}, not of floats.", "Give an array of float32.")
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise UsageError(f"The {what} holds what is no number.", "Look at what made it.")
    return narrow


def _check_length(what: str, array: NDArray[np.generic], frames: int) -> None:
    if array.shape != (frames,):
        raise UsageError(
            f"{what} is of shape {array.shape}, and the content (phone) has {frames} frames.",
            f"Give one number for each frame: ({frames},).",
        )


def _whole(what: str, value: SupportsIndex, least: int, most: int) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise UsageError(f"{what} is {value!r}.", "Give a whole number.") from error
    if isinstance(value, bool) or not least <= number <= most:
        raise UsageError(f"{what} is {value!r}.", f"Give a whole number from {least} to {most}.")
    return number


def _tensor(array: NDArray[np.generic] | None) -> Tensor | None:
    """With a batch of one."""
    return None if array is None else torch.from_numpy(np.ascontiguousarray(array))[None]
