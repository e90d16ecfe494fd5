"""What becomes of other languages than English, as far as an English ear can tell.

    pip install espeakng-loader==0.2.4
    python benchmarks/voice_languages.py --work WORK

The same two sentences in nine languages, spoken by espeak-ng (two of its voices; it is the only one at hand
that speaks them all), and given the voices of two enrolled readers of English. WORK is a folder of
`voice.py`, whose voices are used; those that are missing are enrolled. Figures go to
`results/voice_languages.json`.

`changed` is how many of the sounds that the phoneme network hears in the source it hears otherwise
afterwards; sounds that it hears besides count, too, so it can be more than all. It is an English ear, and of
one family with the engine's: compare the rows with each other.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from likeness.pipelines.evaluate_voice import measure_similarity
from likeness.speech.english import english_sureness
from likeness.speech.phonemes import error_rate, hear
from likeness.types import Floats
from tts_voices import say_espeak
from voice import write_json
from voice_pairs import RATE_HZ, REPOSITORY, available, read, split_target
from voice_speed import write_sound
from voice_systems import LIKENESS, Studio

OUT = REPOSITORY / "benchmarks" / "results" / "voice_languages.json"
TARGETS = ("lj", "2609")
SPEAKERS = ("", "+f2")  # espeak's usual voice, and a higher one
FEWEST = 20  # sounds; of fewer nobody can say how many changed
# Universal Declaration of Human Rights, article 1.
TEXTS = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason"
    " and conscience and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und "
    "Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de "
    "raison et de conscience et doivent agir les uns envers les autres dans un esprit de "
    "fraternité.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están "
    "de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di "
    "ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met "
    "verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te "
    "gedragen.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni "
    "obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e"
    " de consciência, devem agir uns para com os outros em espírito de fraternidade.",
    "ru": "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и"
    " совестью и должны поступать в отношении друг друга в духе братства.",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if not available():
        raise SystemExit("The recordings of people are not at hand.")
    studio = Studio(options.work)
    for target in TARGETS:
        if not studio.voice_file(target).is_file():
            studio.enrol(target)
    report = {language: measure(studio, language) for language in TEXTS}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, report)
    for language, found in report.items():
        print(language, json.dumps({system: found[system] for system in LIKENESS}))


def measure(studio: Studio, language: str) -> dict[str, Any]:
    """Medians over two robots and two readers."""
    rows = []
    for speaker in SPEAKERS:
        source = speak(studio, language, speaker)
        sound = read(source)
        heard, sure = hear(sound, RATE_HZ), english_sureness(sound, RATE_HZ)
        row: dict[str, Any] = {"speaker": language + speaker, "sounds": len(heard), "sureness": sure}
        for system in LIKENESS:
            made = [studio.convert(source, target, system) for target in TARGETS]
            row[system] = {
                "changed": [error_rate(heard, hear(one, RATE_HZ)) for one in made] if heard else [],
                "likeness": [likeness(one, target) for one, target in zip(made, TARGETS, strict=True)],
            }
        rows.append(row)
    found: dict[str, Any] = {"sureness": [row["sureness"] for row in rows], "rows": rows}
    for system in LIKENESS:
        changed = [one for row in rows if row["sounds"] >= FEWEST for one in row[system]["changed"]]
        found[system] = {
            "changed": float(np.median(changed)) if changed else None,
            "likeness": float(np.median([one for row in rows for one in row[system]["likeness"]])),
        }
    return found


def speak(studio: Studio, language: str, speaker: str) -> Path:
    """A file of the sentences."""
    path = studio.work / "languages" / f"{language}{speaker}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_sound(path, say_espeak(language + speaker, TEXTS[language], 0))


def likeness(made: Floats, target: str) -> float:
    _, held_out = split_target(target)
    return measure_similarity(made, map(read, held_out)).to_target


if __name__ == "__main__":
    main()
