"""What a recording of the sentence tells: the words, the code, whose voice, whether it is one, and our mark.

Each of them can be fooled, the voice above all by a good imitation; how often is measured in
`benchmarks/spoken_consent.py`. Together they are evidence, not proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from likeness.consent.challenge import DIGITS, spell_code
from likeness.consent.parts import Challenge
from likeness.disclosure.watermark.audio_search import FoundSound, find_in_sound
from likeness.errors import ConsentError, EvidenceRefused, SubjectMismatch
from likeness.media.mono import resample
from likeness.speech import phonemes, speaker, words
from likeness.types import Floats

MAX_PHONEME_ERROR: Final = 0.40
"""Of the whole sentence; off the script it is 0.8 and more."""
MIN_STRETCH: Final = 0.70
"""Similarity with the enrolment that every two seconds of a recording have to reach."""
_STRETCH = 2  # windows of 1.6 s, each 0.77 s after the one before
TOOL: Final = f"{speaker.VOICE_MODEL}, hama-1.3.13 phonemes, {words.MODEL}"
_REFUSALS = ("do not agree", "don't agree", "never agree", "may not", "may never")


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found in a recording.

    Attributes:
        said: the sentence of the grammar that fits best: the script, with any code, or one that says no.
        code: the digits in it.
        phoneme_error: of the whole sentence, 0 (perfect) and more.
        similarity: with the enrolled voice, 0…1.
        least_similarity: of the two seconds that are least like it.
        mark: our own watermark, or None.
    """

    said: str
    code: str
    phoneme_error: float
    similarity: float
    least_similarity: float
    mark: FoundSound | None

    @property
    def scores(self) -> dict[str, float]:
        """The figures, with what they are held against."""
        return {
            "phoneme error": self.phoneme_error,
            "phoneme error at most": MAX_PHONEME_ERROR,
            "voice similarity": self.similarity,
            "voice similarity at least": speaker.MATCH,
            "least similarity": self.least_similarity,
            "least similarity at least": MIN_STRETCH,
        }


def listen(
    samples: Floats, rate_hz: int, challenge: Challenge, voice: Floats, *, offline: bool | None = None
) -> Heard:
    """Examine a recording; judges nothing.

    Args:
        samples: (n,) float32, one channel.
        rate_hz: their sampling rate.
        challenge: what was to be said.
        voice: (256,) float32, the embedding of the enrolled voice.
        offline: as for `likeness.models.fetch`.

    Raises:
        NoSpeech: too little of it is louder than silence.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    sound = resample(samples, rate_hz, speaker.RATE_HZ)
    windows, _ = speaker.embed_windows(sound, speaker.RATE_HZ, offline=offline)
    audible = only_audible(sound)
    said = words.recognise(audible, speaker.RATE_HZ, write_rule(challenge))
    heard = phonemes.hear(audible, speaker.RATE_HZ, offline=offline)
    return Heard(
        said=said,
        code=read_code(said),
        phoneme_error=phonemes.error_rate(phonemes.expect(challenge.sentence), heard),
        similarity=speaker.similarity(windows.mean(0), voice),
        least_similarity=least_similarity(windows, voice),
        mark=find_in_sound(samples[None], rate_hz),
    )


def find_fault(heard: Heard, challenge: Challenge) -> ConsentError | None:
    """Why a recording is refused, as an error with the next step; None where nothing speaks against it."""
    again = "Ask for a new sentence (`likeness consent record-voice`), and say it in a quiet room."
    if heard.mark is not None:
        return EvidenceRefused(
            "The recording carries the watermark of likeness: it, or a part of it, was synthesised.",
            "Let the person say the sentence themselves.",
        )
    if heard.phoneme_error > MAX_PHONEME_ERROR:
        return EvidenceRefused(
            f"Something else was said than the sentence ({heard.phoneme_error:.0%} of its sounds differ).",
            again,
        )
    if any(f" {refusal} " in f" {heard.said} " for refusal in _REFUSALS):
        return EvidenceRefused("The person seems to say that they do not agree.", again)
    if heard.code != challenge.code:
        found = spell_code(heard.code) if heard.code else "no code"
        return EvidenceRefused(f"The code is not the one that was asked for: heard was {found}.", again)
    if speaker.judge(heard.similarity) != "match":
        return SubjectMismatch(
            f"The voice is not surely the enrolled one (similarity {heard.similarity:.2f}, needed "
            f"{speaker.MATCH:.2f}).",
            "Use the same microphone for both, in a quiet room; not a telephone.",
        )
    if heard.least_similarity < MIN_STRETCH:
        return SubjectMismatch(
            "A part of the recording is in another voice, or in loud noise "
            f"(similarity {heard.least_similarity:.2f}, needed {MIN_STRETCH:.2f}).",
            "Let one person say all of the sentence, in a quiet room.",
        )
    return None


def only_audible(sound: Floats) -> Floats:
    """Sound at 16 kHz with silence where the speaker encoder hears none.

    So that no code can be whispered, by somebody else, into a pause that is not looked at.
    """
    voiced, places = speaker.cut_silence(sound)
    audible = np.zeros_like(sound)
    audible[places] = voiced
    return audible


def least_similarity(windows: Floats, voice: Floats) -> float:
    """That of the two seconds in which a recording is least like a voice.

    Args:
        windows: (k, 256) embeddings, as `speaker.embed_windows` gives them.
        voice: (256,).
    """
    length = min(_STRETCH, len(windows))
    stretches = np.lib.stride_tricks.sliding_window_view(windows, length, axis=0).mean(2)
    return min(speaker.similarity(stretch, voice) for stretch in stretches)


def write_rule(challenge: Challenge) -> str:
    """The grammar: the sentence with any code, and ways to say no."""
    script = " ".join(words.split(challenge.sentence.split(" My code is ")[0]))
    script = script.replace("i agree", "i (agree | do not agree | don't agree | never agree)", 1)
    script = script.replace(" may ", " (may | may not | may never) ", 1)
    digit = f"({' | '.join((*DIGITS, 'oh'))})"
    return f"{script} my code is {' '.join([digit] * len(challenge.code))}"


def read_code(said: str) -> str:
    """The digits at the end of a sentence of the grammar, "" where there are none."""
    found = re.search(r"my code is ([a-z ]+)$", said.strip())
    spoken = found[1].split() if found else []
    return "".join(str(DIGITS.index("zero" if word == "oh" else word)) for word in spoken)
