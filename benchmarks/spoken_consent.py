"""What spoken consent accepts and refuses: the checks of `likeness.consent.listening`, kind of trial by kind.

    python benchmarks/spoken_consent.py [--out FILE.json]

Nobody has read our sentences aloud, so the people of the trials with the right words are synthetic: two
neural voices (hibari, Piper) and twelve of espeak-ng, which sound like machines and are harder to understand
than people. So "right words, right speaker" shows that the checks fit together and let through what they
should, and at the same time that they do not notice synthetic speech by itself: every one of those
recordings is synthetic. What is refused is refused whoever speaks. Real people (LibriSpeech,
../shared/media/speech) are enrolled and heard where that needs no sentence of ours: off the script, and as
somebody else than the speaker.

Needs the extra "speech" and what `tts_voices.py` names.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likeness.consent.challenge import spell_code, spell_sentence
from likeness.consent.listening import (
    MAX_PHONEME_ERROR,
    MIN_STRETCH,
    TOOL,
    find_fault,
    least_similarity,
    listen,
)
from likeness.consent.parts import Challenge
from likeness.consent.record import Act
from likeness.disclosure.watermark.audio import AudioMark
from likeness.media.mono import read_mono
from likeness.speech import speaker
from likeness.types import Floats
from speaker_identity import SPEECH, add_noise, mp3
from tts_voices import RATE_HZ, Say, voices

ACTS: tuple[tuple[Act, ...], ...] = (("voice",), ("animate",), ("animate", "swap", "voice"))
ENROLMENT = (
    "The quick brown fox jumps over the lazy dog, and then it rests under the old oak tree near the river. "
    "Nobody knows why it comes here every evening, but the children of the village like to watch it."
)
OFF_SCRIPT = (
    "Please remember to buy some bread, two bottles of milk and a newspaper on your way home tonight."
)
REAL_PEOPLE = 24


@dataclass(frozen=True)
class Trial:
    """A recording, the sentence that was asked for, and the voice that was enrolled."""

    kind: str
    voice: str
    sound: Floats
    challenge: Challenge
    enrolled: Floats


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--most", type=int, default=10**9, help="stop after so many trials")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for number, trial in enumerate(make_trials()):
        if number == options.most:
            break
        rows.append(judge(trial))
        if options.out and number % 20 == 0:
            save(rows, options.out)
    save(rows, options.out, one_voice())


def one_voice() -> dict[str, Any]:
    """Of real people, whatever they say: how often a recording passes for one voice, that of its speaker.

    6 s are enrolled, and 7 s are tried: as they are, with noise, and with the end of another speaker.
    """
    sounds = [
        read_mono(path, rate_hz=RATE_HZ, max_s=60)
        for path in sorted((SPEECH / "libri_train_clean_100").glob("*.flac"))[::3]
    ]
    sounds = [sound for sound in sounds if len(sound) >= 13.5 * RATE_HZ]
    least, whole = collections.defaultdict(list), collections.defaultdict(list)
    for number, sound in enumerate(sounds):
        own, tried = speaker.embed_voice(sound[: 6 * RATE_HZ], RATE_HZ), sound[6 * RATE_HZ : 13 * RATE_HZ]
        stranger = sounds[(number + 7) % len(sounds)][6 * RATE_HZ :]
        cases = {"one voice": tried, "one voice, noise at 20 dB": add_noise(tried, 20)} | {
            f"the last {length} s by another": np.concatenate(
                [tried[: (7 - length) * RATE_HZ], stranger[: length * RATE_HZ]]
            )
            for length in (2, 3, 4)
        }
        for name, case in cases.items():
            windows, _ = speaker.embed_windows(case, RATE_HZ)
            least[name].append(least_similarity(windows, own))
            whole[name].append(speaker.similarity(windows.mean(0), own))
    return {
        name: {
            "recordings": len(least[name]),
            "accepted": sum(
                a >= MIN_STRETCH and b >= speaker.MATCH for a, b in zip(least[name], whole[name], strict=True)
            ),
            "least_similarity": [round(float(np.percentile(least[name], q)), 3) for q in (0, 50, 100)],
            "similarity": [round(float(np.percentile(whole[name], q)), 3) for q in (0, 50, 100)],
        }
        for name in least
    }


def judge(trial: Trial) -> dict[str, Any]:
    heard = listen(trial.sound, RATE_HZ, trial.challenge, trial.enrolled)
    fault = find_fault(heard, trial.challenge)
    return {
        "kind": trial.kind,
        "voice": trial.voice.split()[0],
        "answer": "accepted" if fault is None else name_fault(fault.what),
        "phoneme_error": round(heard.phoneme_error, 3),
        "similarity": round(heard.similarity, 3),
        "least_similarity": round(heard.least_similarity, 3),
        "code_fits": heard.code == trial.challenge.code,
    }


def name_fault(what: str) -> str:
    names = {
        "watermark": "marked",
        "not agree": "says no",
        "Something else": "other words",
        "The code": "other code",
        "The voice": "other voice",
        "A part": "part in another voice",
    }
    return next(name for part, name in names.items() if part in what)


def make_trials() -> Iterator[Trial]:
    random = np.random.default_rng(7)
    speakers = voices()
    names = list(speakers)
    people = real_people(REAL_PEOPLE)
    enrolled = {name: speaker.embed_voice(say(ENROLMENT, 1), RATE_HZ) for name, say in speakers.items()}
    for number, (name, say) in enumerate(speakers.items()):
        own = enrolled[name]
        for turn, acts in enumerate(ACTS):
            asked = draw(random, acts)
            sound = say(asked.sentence, turn)
            yield Trial("right words, right speaker", name, sound, asked, own)
            if turn == number % len(ACTS):
                yield from degraded(name, sound, asked, own)
                yield from wrong_words(name, say, asked, own, random)
                other = names[(number + len(names) // 2) % len(names)]
                yield from other_voices(name, sound, asked, speakers[other], other, people, number)
    for person in people:
        asked = draw(random, ACTS[0])
        yield Trial("off the script, real person", "real", person[1], asked, person[0])


def degraded(name: str, sound: Floats, asked: Challenge, own: Floats) -> Iterator[Trial]:
    """Right, but a bad recording; and right, but with our watermark."""
    yield Trial("right, noise at 20 dB", name, add_noise(sound, 20), asked, own)
    yield Trial("right, MP3 of 32 kbit/s", name, mp3(sound), asked, own)
    marked = mark(sound)
    yield Trial("right, but with our watermark", name, marked, asked, own)
    yield Trial("right, with our watermark, MP3 of 32 kbit/s", name, mp3(marked), asked, own)


def wrong_words(
    name: str, say: Say, asked: Challenge, own: Floats, random: np.random.Generator
) -> Iterator[Trial]:
    sentence, code = asked.sentence, asked.code
    at = int(random.integers(len(code)))
    digit = str((int(code[at]) + int(random.integers(1, 10))) % 10)
    changed = code[:at] + digit + code[at + 1 :]
    yield Trial("one wrong digit", name, say(with_code(sentence, code, changed), 3), asked, own)
    replayed = draw(random, ("voice",))
    yield Trial("replay of another request", name, say(replayed.sentence, 3), asked, own)
    no = sentence.replace("I agree", "I do not agree")
    yield Trial("the sentence, but with a no", name, say(no, 3), asked, own)
    yield Trial("off the script", name, say(OFF_SCRIPT, 3), asked, own)
    code_only = f"{OFF_SCRIPT} My code is {spell_code(code)}."
    yield Trial("off the script, right code", name, say(code_only, 3), asked, own)
    framed = f"This is only a joke and none of it is meant in earnest. {sentence}"
    yield Trial("the sentence, and something before it", name, say(framed, 3), asked, own)


def other_voices(
    name: str,
    sound: Floats,
    asked: Challenge,
    other: Say,
    other_name: str,
    people: list[tuple[Floats, Floats]],
    number: int,
) -> Iterator[Trial]:
    """Right words, but not all of them by the person who was enrolled."""
    stranger = speaker.embed_voice(other(ENROLMENT, 1), RATE_HZ)
    yield Trial(f"other speaker ({relate(name, other_name)})", name, sound, asked, stranger)
    for turn in range(2):
        person = people[(2 * number + turn) % len(people)]
        yield Trial("other speaker (a real person is enrolled)", name, sound, asked, person[0])
    agreed, code = asked.sentence.split(" My ")
    own = speaker.embed_voice(voices()[name](ENROLMENT, 1), RATE_HZ)
    begin, end = voices()[name](agreed, 2), other(f"My {code}", 2)
    spliced, quiet = np.concatenate([begin, end]), np.concatenate([begin, end * np.float32(0.01)])
    yield Trial(f"code in another voice ({relate(name, other_name)})", name, spliced, asked, own)
    yield Trial("code in another voice, 40 dB lower", name, quiet, asked, own)


def relate(one: str, other: str) -> str:
    return "both espeak" if one.startswith("espeak") and other.startswith("espeak") else "different synthesis"


def draw(random: np.random.Generator, acts: tuple[Act, ...]) -> Challenge:
    code = "".join(str(digit) for digit in random.integers(0, 10, 6))
    return Challenge(spell_sentence(acts, code), code, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def with_code(sentence: str, code: str, other: str) -> str:
    return sentence.replace(spell_code(code), spell_code(other))


def real_people(most: int) -> list[tuple[Floats, Floats]]:
    """Of each: the embedding of one half of an utterance, and the other half."""
    found = []
    for path in sorted((SPEECH / "libri_train_clean_100").glob("*.flac"))[:: 251 // most]:
        sound = read_mono(path, rate_hz=RATE_HZ, max_s=60)
        if len(sound) > 12 * RATE_HZ:
            half = len(sound) // 2
            found.append((speaker.embed_voice(sound[:half], RATE_HZ), sound[half:]))
    return found[:most]


def mark(sound: Floats) -> Floats:
    """With the watermark that `likeness` puts into sound."""
    marker = AudioMark(RATE_HZ, 1, 0x1234ABCD)
    return np.concatenate([marker.process(sound[None]), marker.flush()], axis=1)[0]


def save(rows: list[dict[str, Any]], path: Path | None, people: dict[str, Any] | None = None) -> None:
    kinds: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    table = {kind: summarise(found) for kind, found in kinds.items()}
    limits = {
        "phoneme_error": MAX_PHONEME_ERROR,
        "similarity": speaker.MATCH,
        "least_similarity": MIN_STRETCH,
    }
    answer = {"tool": TOOL, "limits": limits, "trials": len(rows), "kinds": table}
    answer |= {"one_voice_of_real_people": people or {}, "rows": rows}
    text = json.dumps(answer, indent=1)
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    answers = collections.Counter(row["answer"] for row in rows)
    figures = {
        name: [round(float(np.percentile([row[name] for row in rows], q)), 3) for q in (0, 50, 100)]
        for name in ("phoneme_error", "similarity", "least_similarity")
    }
    by_voice = collections.Counter(row["voice"] for row in rows if row["answer"] == "accepted")
    return {
        "trials": len(rows),
        "accepted": answers["accepted"],
        "accepted_by_voice": dict(by_voice),
        "answers": dict(answers),
        "min_median_max": figures,
    }


if __name__ == "__main__":
    main()
