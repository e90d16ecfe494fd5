"""A voice by the decoder alone: harmonics and noise, in the envelopes that the person would have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load

from likeness.engines.voice.disguise import Centre, Disguise
from likeness.errors import ModelFormat
from likeness.nn.threads import spare_a_core
from likeness.nn.voice_decoder import DecoderConfig, VoiceDecoder
from likeness.speech.content import SIZE
from likeness.types import Floats

WEIGHTS: Final = "decoder.safetensors"
SPEAKER: Final = "speaker"
"""The one array of a voice that is no weight of the decoder."""

# How surely a frame is voiced, made surer: pulses that sound where nobody is sure are heard as a buzz.
_HEARD, _BELIEVED = (0.0, 0.49, 0.51, 1.0), (0.0, 0.1, 0.6, 1.0)


class Pretrained(NamedTuple):
    """What travels in the package: `weights/README.md` says how it was made.

    Attributes:
        decoder: weights of a decoder that knows many speakers.
        usual: (144,) mean content of their speech.
        disguise: others' content.
    """

    decoder: dict[str, Floats]
    usual: Floats
    disguise: Disguise


class Envelopes(NamedTuple):
    """What the vocoder takes: (n, 80) for the harmonics and (n, 48) for the noise."""

    harmonic: Floats
    noise: Floats


@cache
def pretrained() -> Pretrained:
    """The weights that travel in the package, read once."""
    data = (files("likeness.engines.voice") / "weights" / WEIGHTS).read_bytes()
    arrays = {name: array.astype(np.float32) for name, array in load(data).items()}
    decoder = {name.removeprefix("decoder."): a for name, a in arrays.items() if name.startswith("decoder.")}
    return Pretrained(decoder, arrays["usual"], Disguise(arrays["pool"]))


def build_decoder(weights: Mapping[str, NDArray[Any]]) -> VoiceDecoder:
    """A decoder with these weights.

    Raises:
        ModelFormat: they do not fit, or are no numbers.
    """
    decoder = VoiceDecoder(DecoderConfig())
    tensors = {name: torch.tensor(np.asarray(array, np.float32)) for name, array in weights.items()}
    try:
        decoder.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelFormat(
            "The weights in this voice do not fit the decoder.",
            "Make the voice again with `likeness voice enroll`.",
        ) from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ModelFormat(
            "The weights in this voice are no numbers.", "Make the voice again with `likeness voice enroll`."
        )
    return decoder.eval()


class ClearVoice:
    """A decoder, tuned to a person.

    Args:
        arrays: of the voice: the decoder's weights, and the person's embedding.

    Raises:
        ModelFormat: they do not fit together.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        weights = {name: array for name, array in arrays.items() if name != SPEAKER}
        speaker = np.asarray(arrays.get(SPEAKER, np.zeros(0)), np.float32)
        if speaker.shape != (256,):
            raise ModelFormat(
                "This voice does not say whose it is.", "Make the voice again with `likeness voice enroll`."
            )
        self._decoder, self._speaker = build_decoder(weights), torch.from_numpy(speaker)[None]

    def shape(self, said: Floats, f0_hz: Floats, voiced: Floats, energy: Floats) -> Envelopes:
        """The envelopes the person would have, saying this at this pitch.

        Args:
            said: (n / 2, 144) content without its speaker (`Source.say`).
            f0_hz: (n,) pitch that is wanted, > 0.
            voiced, energy: (n,), as in `Features`.
        """
        surer = np.interp(voiced, _HEARD, _BELIEVED)
        courses = (np.asarray(course, np.float32) for course in (at_frames(said), f0_hz, surer, energy))
        with torch.inference_mode(), spare_a_core():
            tensors = (torch.from_numpy(course)[None] for course in courses)
            harmonic, noise = self._decoder(*tensors, self._speaker)
        return Envelopes(harmonic[0].numpy(), noise[0].numpy())


class Source:
    """Whoever speaks in the source, as far as was heard."""

    def __init__(self) -> None:
        self._centre = Centre(pretrained().usual)

    def hear(self, content: Floats, energy: Floats) -> None:
        """The next (n, 144) content that was not heard yet, and the (n,) energies of the same frames."""
        self._centre.hear(content, energy)

    def say(self, content: Floats, amount: float = 1.0) -> Floats:
        """(n, 144) content without its speaker; `amount` as for `Disguise`."""
        return pretrained().disguise(content - self._centre.mean, amount)


def at_frames(content: Floats) -> Floats:
    """(2 n, 144) a hundred times a second from (n, 144) fifty times a second, by straight lines."""
    after = np.concatenate((content[1:], content[-1:]))
    return np.stack((content, 0.5 * (content + after)), axis=1).reshape(-1, SIZE).astype(np.float32)
