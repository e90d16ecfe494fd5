"""Draws the picture of the docs: synthetic speech, before and after it got another synthetic voice.

    python benchmarks/voice_picture.py [--out docs/voice.jpg] [--work out/voice-picture]

Both voices are Hibari's; for the target it is played more slowly, which makes another person of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from likeness import consent, voice
from likeness.media.mono import resample
from likeness.types import Floats
from voice_pairs import RATE_HZ, REPOSITORY
from voice_sheets import write_sheet
from voice_speed import write_sound
from voice_systems import listen

SLOWER = 0.78
SAID = "Nobody has ever said this, and yet it can be heard."
SENTENCES = """
The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell
the depth of a well. These days a chicken leg is a rare dish. Rice is often served in round bowls. The juice
of lemons makes fine punch. The box was thrown beside the parked truck. The hogs were fed chopped corn and
garbage. Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when
the sun rose. A rod is used to catch pink salmon. The source of the huge river is the clear spring. Kick the
ball straight and follow through. Help the woman get back to her feet. A pot of tea helps to pass the evening.
"""
"""The first two lists of Harvard's, and so balanced in their sounds (IEEE, 1969)."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "voice.jpg")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "out" / "voice-picture")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    key_file = options.work / "evaluator.pem"
    key = consent.load_key(key_file) if key_file.exists() else consent.create_key(key_file)
    record = consent.sign(
        consent.draft_corpus("hibari-tts", licence="Apache-2.0", evaluator="likeness docs", acts=("voice",)),
        key,
    )
    samples = write_sound(options.work / "samples.wav", speak(SENTENCES, SLOWER))
    source = write_sound(options.work / "source.wav", speak(SAID))
    voice.enroll(samples, options.work / "b.voice", consent=record, overwrite=True)
    sounds = {"A speaks": speak(SAID)}
    for title, place in (("in B's voice: clear", 0.0), ("in B's voice: close", 1.0)):
        out = options.work / f"{place:.0f}.wav"
        voice.convert(source, to=options.work / "b.voice", out=out, likeness=place, overwrite=True)
        sounds[title] = listen(out)
    sounds["B speaks, something else"] = speak(SENTENCES, SLOWER)[: len(sounds["A speaks"])]
    write_sheet(options.out, sounds, RATE_HZ)


def speak(text: str, slower: float = 1.0) -> Floats:
    """(n,) float32 at 16 kHz, Hibari's voice; below 1 it is played so much slower."""
    from hibari import Hibari

    return np.asarray(
        resample(Hibari()(" ".join(text.split()), seed=0), 24_000, round(RATE_HZ / slower)), np.float32
    )


if __name__ == "__main__":
    main()
