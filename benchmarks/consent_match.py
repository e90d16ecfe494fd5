"""Whether the film-level answer of `likeness identity-check` is right: every clip against every person.

    python benchmarks/consent_match.py ../shared/media benchmarks/results/consent_match.json

The reference is a single frame of a person's clip (a sixteenth of its length in), as of a picture somebody
signs with. Each clip is then looked at as `identity-check` does: eight frames, all faces. Who is in
which clip is known; two clips show one man, and one shows two people at once.

Then the same with every frame as the reference; and with clips into which some frames of a stranger were cut.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from likeness.consent.gathering import Seen, gather_faces
from likeness.consent.match import compare_faces, tell_apart
from likeness.consent.parts import Embedding
from likeness.faces import identity

SAME = {
    "grid__id2_vcd_swwp2s.mpg": {"GRID man"},
    "grid__pwij3p.mpg": {"GRID man"},
    "intel__head-pose-face-detection-female.gif": {"Intel woman"},
    "intel__head-pose-face-detection-male.gif": {"Intel man"},
    "intel__head-pose-face-detection-female-and-male.gif": {"Intel woman", "Intel man"},
}
CLIPS = (".mp4", ".mpg", ".gif")


def main() -> None:
    media, out = Path(sys.argv[1]), Path(sys.argv[2])
    clips = sorted(path for path in (media / "driving").iterdir() if path.suffix in CLIPS)
    people = {clip.name: SAME.get(clip.name, {clip.stem}) for clip in clips}
    seen = {clip.name: gather_faces(clip) for clip in clips}
    answers: dict[str, Counter[str]] = {
        "the same clip": Counter(),
        "another clip of the person": Counter(),
        "the person beside somebody else": Counter(),
        "somebody else": Counter(),
    }
    distances: dict[str, list[float]] = {name: [] for name in answers}
    for name, faces in seen.items():
        if len(people[name]) > 1:
            continue
        reference = Embedding.of(identity.FACE_MODEL, faces[0].embedding)
        for other in seen:
            found = compare_faces(without(seen[other], faces[0]), reference, other)
            case = case_of(name, other, people)
            answers[case][found.verdict] += 1
            distances[case].append(round(found.value or 0.0, 3))
    every: dict[str, Counter[str]] = {name: Counter() for name in answers}
    for name, faces in seen.items():
        for one in faces if len(people[name]) == 1 else []:
            reference = Embedding.of(identity.FACE_MODEL, one.embedding)
            for other in seen:
                found = compare_faces(without(seen[other], one), reference, other)
                every[case_of(name, other, people)][found.verdict] += 1
    cut = {f"a stranger in {count} of 7 frames": cut_in(seen, people, count) for count in range(1, 5)}
    right = sum(len(tell_apart(faces)) == len(people[name]) for name, faces in seen.items())
    results = {
        "clips": len(clips),
        "people": len(set().union(*people.values())),
        "frames of each": 8,
        "people counted rightly in clips": right,
        "answers": {case: dict(counts) for case, counts in answers.items()},
        "every frame as the reference": {case: dict(counts) for case, counts in every.items()},
        "strangers cut in": cut,
        "distances": {case: [min(d), max(d)] for case, d in distances.items() if d},
        "match": identity.MATCH,
        "no_match": identity.NO_MATCH,
    }
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


def cut_in(seen: dict[str, list[Seen]], people: dict[str, set[str]], count: int) -> dict[str, int]:
    """Every person's clip, with its 1st, 3rd, … frame replaced by one of somebody else's clip."""
    answers: Counter[str] = Counter()
    for name, (first, *faces) in seen.items():
        if len(people[name]) > 1:
            continue
        reference = Embedding.of(identity.FACE_MODEL, first.embedding)
        for other, strangers in seen.items():
            if not people[name] & people[other]:
                mixed = list(faces)
                mixed[: 2 * count : 2] = strangers[:count]
                answers[compare_faces(mixed, reference, other).verdict] += 1
    return dict(answers)


def without(faces: list[Seen], one: Seen) -> list[Seen]:
    """The frames that are not the reference itself."""
    return [face for face in faces if face is not one]


def case_of(name: str, other: str, people: dict[str, set[str]]) -> str:
    """What the answer ought to be about."""
    if other == name:
        return "the same clip"
    if not people[name] & people[other]:
        return "somebody else"
    return "another clip of the person" if len(people[other]) == 1 else "the person beside somebody else"


if __name__ == "__main__":
    main()
