"""Whether media show, or let us hear, the person of a record: match, no match, or cannot tell.

Of a video several frames are looked at, spread over its length, and every face in them. Faces that are close
to each other count as one person; every person seen has to be the record's subject. How far these answers can
be trusted is measured in `docs/identity.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import numpy as np

from likeness.consent.gathering import MOST_FRAMES, Seen, gather_faces, look_into, read_sound
from likeness.consent.parts import Embedding, References
from likeness.errors import NoSpeech
from likeness.faces import identity
from likeness.faces.resnet import NUMBERS
from likeness.speech import speaker
from likeness.speech.speaker_weights import SIZE
from likeness.types import Floats, Verdict

What: TypeAlias = Literal["face", "voice"]
_MEASURED_WITH: dict[What, tuple[str, int]] = {
    "face": (identity.FACE_MODEL, NUMBERS),
    "voice": (speaker.VOICE_MODEL, SIZE),
}
_FLEETING = 4
"""In a video of so many faces or more, a person seen only once may be a face seen badly."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a file compares with a record's reference.

    Attributes:
        what: "face" or "voice".
        file: the name of the file.
        verdict: match, no match, or cannot tell.
        value: of faces the distance (small is alike), of voices the similarity (large is alike); of several
            persons, that of the least alike. None where there was nothing to compare.
        match, no_match: the thresholds: beyond the first it is a match, beyond the other it is none.
        persons: how many different persons were seen or heard.
        looked_at: how many faces were compared.
        why: where nothing could be compared or told, the reason, as the end of a sentence.
    """

    what: What
    file: str
    verdict: Verdict
    value: float | None
    match: float
    no_match: float
    persons: int = 0
    looked_at: int = 0
    why: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """From what `dataclasses.asdict` gave, out of a model's file.

        Raises:
            ValueError: it is no comparison.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names or values["what"] not in ("face", "voice"):
            raise ValueError("no comparison")
        if values["verdict"] not in ("match", "no match", "cannot tell"):
            raise ValueError("no verdict")
        figures = [values[name] for name in ("value", "match", "no_match")]
        if not all(one is None or isinstance(one, (int, float)) for one in figures):
            raise ValueError("no figure")
        return cls(**values)

    def describe(self) -> str:
        """One or two sentences."""
        if self.value is None:
            return f"{self.file}: the {self.what} could not be compared, since {self.why}."
        words = {
            "match": f"the {self.what} fits the record's reference",
            "no match": f"the {self.what} is another person's than the record's",
            "cannot tell": f"the {self.what} may or may not be that of the record's subject",
        }[self.verdict]
        if self.persons > 1 and self.verdict == "no match":
            words = f"{self.persons} different people are seen, and not all of them are the record's subject"
        since = f", since {self.why}" if self.why else ""
        return f"{self.file}: {words}{since} ({self._figures()})."

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "what": self.what,
            "file": self.file,
            "verdict": self.verdict,
            "measure": "distance" if self.what == "face" else "similarity",
            "value": None if self.value is None else round(self.value, 4),
            "match": self.match,
            "no_match": self.no_match,
            "persons": self.persons,
            "looked_at": self.looked_at,
            "why": self.why,
        }

    def _figures(self) -> str:
        if self.what == "face":
            rule = f"a match is below {self.match:.2f}, none above {self.no_match:.2f}"
            return f"distance {self.value:.3f}; {rule}"
        rule = f"a match is from {self.match:.2f}, none below {self.no_match:.2f}"
        return f"similarity {self.value:.3f}; {rule}"


def compare_media(
    path: Path, references: References, *, only: What | None = None, offline: bool | None = None
) -> tuple[Comparison, ...]:
    """Compares a picture, video or recording with a record's references.

    Args:
        only: compare the face or the voice alone; None = whatever the file holds and the record knows.
        offline: fetch no model; None = as the environment says.

    Returns:
        One comparison for the face, one for the voice.

    Raises:
        MediaError: the file cannot be read.
        ModelError: a network cannot be fetched.
    """
    found = []
    has_picture, has_sound = (True, True) if only else look_into(path)
    if only == "face" or (only is None and has_picture):
        # Without a reference there is nothing to look for.
        seen = gather_faces(path, offline=offline) if references.face is not None else []
        found.append(compare_faces(seen, references.face, path.name))
    knows_voice = references.voice is not None or not has_picture  # where sound is all there is, say why not
    if only == "voice" or (only is None and has_sound and knows_voice):
        found.append(_compare_voice(path, references.voice, offline))
    return tuple(found)


def compare_face(embedding: Floats, reference: Embedding | None, file: str) -> Comparison:
    """Compares one face, as `faces.identity.embed_face` gives it, with a record's reference."""
    if why := _why_not(reference, "face"):
        return _unknown("face", file, why)
    assert reference is not None  # `_why_not` would have said so
    return _face(file, [(identity.distance(embedding, reference.vector), 1)], 1)


def compare_voice(embedding: Floats, reference: Embedding | None, file: str) -> Comparison:
    """Compares one voice, as `speech.speaker.embed_voice` gives it, with a record's reference."""
    if why := _why_not(reference, "voice"):
        return _unknown("voice", file, why)
    assert reference is not None
    alike = speaker.similarity(embedding, reference.vector)
    return Comparison(
        "voice", file, speaker.judge(alike), alike, speaker.MATCH, speaker.NO_MATCH, persons=1, looked_at=1
    )


def worst(comparisons: Iterable[Comparison]) -> Verdict:
    """The answer for all of them: one stranger is enough for "no match"; nothing is "cannot tell"."""
    return _worst([one.verdict for one in comparisons])


def _worst(verdicts: list[Verdict]) -> Verdict:
    order: tuple[Verdict, ...] = ("no match", "cannot tell", "match")
    return min(verdicts, key=order.index, default="cannot tell")


def unknown_face(file: str, why: str) -> Comparison:
    """The answer where a face cannot be compared; `why` completes "since …"."""
    return _unknown("face", file, why)


def unknown_voice(file: str, why: str) -> Comparison:
    """The answer where a voice cannot be compared; `why` completes "since …"."""
    return _unknown("voice", file, why)


def compare_faces(seen: list[Seen], reference: Embedding | None, file: str) -> Comparison:
    """Compares faces that were found in one file, or in a set of files, with a record's reference.

    Faces close to each other count as one person, whose distance is the median of theirs. Those among them
    that are surely none of the subject count as another: a stranger who resembles the subject may be close to
    both, and is not to vanish in their median.

    Args:
        seen: as `gathering.gather_faces` gives them.
        file: what to call it.
    """
    if why := _why_not(reference, "face"):
        return _unknown("face", file, why)
    assert reference is not None
    if not seen:
        return _unknown("face", file, "no face was found that is large enough")
    known = reference.vector
    persons = [
        (float(np.median(part)), len(part))
        for person in tell_apart(seen)
        for part in _part([identity.distance(one.embedding, known) for one in person])
    ]
    return _face(file, persons, len(seen))


def _part(distances: list[float]) -> list[list[float]]:
    """The distances of faces that look like one person's: those that may be the subject's, and the others."""
    own = [far for far in distances if identity.verdict(far) != "no match"]
    others = [far for far in distances if identity.verdict(far) == "no match"]
    return [part for part in (own, others) if part]


def tell_apart(seen: list[Seen]) -> list[list[Seen]]:
    """Faces grouped by person: each joins the group whose mean is nearest, if that may be the same person."""
    persons: list[list[Seen]] = []
    for one in seen:
        far = [
            identity.distance(one.embedding, np.mean([other.embedding for other in person], axis=0))
            for person in persons
        ]
        if far and min(far) < identity.NO_MATCH:
            persons[int(np.argmin(far))].append(one)
        else:
            persons.append([one])
    return persons


def _face(file: str, persons: list[tuple[float, int]], looked_at: int) -> Comparison:
    """The answer for all persons seen: (distance, in how many faces)."""
    verdicts: list[Verdict] = []
    for far, count in persons:
        verdict = identity.verdict(far)
        is_fleeting = count == 1 and looked_at >= _FLEETING
        verdicts.append("cannot tell" if verdict == "no match" and is_fleeting else verdict)
    return Comparison(
        "face",
        file,
        _worst(verdicts),
        max(far for far, _ in persons),
        identity.MATCH,
        identity.NO_MATCH,
        len(persons),
        looked_at,
    )


def _compare_voice(path: Path, reference: Embedding | None, offline: bool | None) -> Comparison:
    if why := _why_not(reference, "voice"):
        return _unknown("voice", path.name, why)
    assert reference is not None
    try:
        samples = read_sound(path)
        heard = speaker.embed_voice(samples, speaker.RATE_HZ, offline=offline)
    except NoSpeech:
        return _unknown("voice", path.name, "there is too little speech in it")
    found = compare_voice(heard, reference, path.name)
    if found.verdict == "no match" and speaker.is_narrow_band(samples, speaker.RATE_HZ):
        return replace(found, verdict="cannot tell", why="a voice through a telephone is too unlike itself")
    return found


def _why_not(reference: Embedding | None, what: What) -> str:
    model, numbers = _MEASURED_WITH[what]
    if reference is None:
        return f"the record holds no {what} to compare with"
    if reference.model != model:
        return f"the record's was measured with another network ({reference.model}; here it is {model})"
    if len(reference.vector) != numbers:
        return f"the record's has {len(reference.vector)} numbers, and {model} measures {numbers}"
    return ""


def _unknown(what: What, file: str, why: str) -> Comparison:
    place = identity if what == "face" else speaker
    return Comparison(what, file, "cannot tell", None, place.MATCH, place.NO_MATCH, why=why)


__all__ = [
    "MOST_FRAMES",
    "Comparison",
    "compare_face",
    "compare_media",
    "compare_voice",
    "tell_apart",
    "unknown_face",
    "unknown_voice",
    "worst",
]
