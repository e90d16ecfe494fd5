"""Whether these faces may be learned from: consent first, then who is in them.

Nothing is read before the records are checked. Then the faces are compared with the records, which also says
whose record is whose; strangers are left out or refused; and both sides must be different people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.consent import Permission, check
from likeness.consent.gathering import Seen
from likeness.consent.match import Comparison, compare_faces
from likeness.consent.permission import Consent
from likeness.errors import ConsentMissing, SubjectMismatch, TooFewFaces, UsageError
from likeness.faces import identity
from likeness.training.swap.faces import Faces
from likeness.types import Floats

LEAST_FACES = 50
"""Of each person. Fewer show too little of how a face moves."""
MOST_STRANGERS = 0.1
"""A larger share of strangers is no accident: whoever chose the faces should look at them."""
_COMPARED = 64
"""Faces spread over a set that are compared with a record. The others were found to be the same person's."""


@dataclass(frozen=True, slots=True)
class Permits:
    """What was allowed, and what is learned from.

    Attributes:
        a: under which A's face may be shown; None where only B's may.
        b: under which B's face may be shown.
        faces_a, faces_b: without strangers.
        notes: one sentence each.
    """

    a: Permission | None
    b: Permission
    faces_a: Faces
    faces_b: Faces
    notes: tuple[str, ...]


def check_records(
    consent: Consent | Sequence[Consent] | None, revocations: Iterable[Path | str] = ()
) -> tuple[Permission, ...]:
    """The permissions of all records given; opens nothing else.

    Raises:
        ConsentError: there is none, or one of them does not allow a swap now.
    """
    given: tuple[Consent | None, ...]
    if isinstance(consent, Sequence) and not isinstance(consent, (str, bytes)):
        given = tuple(consent) or (None,)
    else:
        given = (consent,)
    revocations = tuple(revocations)
    return tuple(check(one, act="swap", revocations=revocations) for one in given)


def permit(records: Sequence[Permission], a: Faces, b: Faces) -> Permits:
    """Who is on which side, and whether the records allow it.

    Raises:
        TooFewFaces: a side has fewer than `LEAST_FACES`.
        UsageError: one person is on both sides.
        SubjectMismatch: B, or whoever a record is for, is not surely its subject; or a set shows strangers.
        ConsentMissing: no record is for B.
    """
    for faces in (a, b):
        _count(faces)
    (a, notes_a), (b, notes_b) = drop_strangers(a), drop_strangers(b)
    for faces in (a, b):
        _count(faces)
    refuse_twins(a, b)
    notes = [*notes_a, *notes_b]
    for_b = _find(records, b)
    if for_b is None:
        raise _no_record(records, b)
    for_a = _find([one for one in records if one.record.kind == "corpus" or one is not for_b[0]], a)
    used = [found[0] for found in (for_b, for_a) if found]
    for one in records:
        if one.record.kind == "subject" and not any(one is other for other in used):
            raise _no_record([one], b)
    return Permits(
        None if for_a is None else for_a[1],
        for_b[1],
        a,
        b,
        tuple(dict.fromkeys((*notes, *(note for one in records for note in one.notes)))),
    )


def drop_strangers(faces: Faces) -> tuple[Faces, tuple[str, ...]]:
    """The faces without those that are surely another person's than most, and what is to be noted.

    Raises:
        SubjectMismatch: there are too many of them.
    """
    centre, known = middle(faces), _known(faces)
    if centre is None or faces.embeddings is None:
        return faces, ()
    far = np.linalg.norm(faces.embeddings - centre, axis=1)
    strangers = known & (far > identity.NO_MATCH)
    count = int(strangers.sum())
    if not count:
        return faces, ()
    if count > MOST_STRANGERS * known.sum():
        raise SubjectMismatch(
            f"{count} of {len(faces)} faces in {faces.name} are another person's than the others.",
            "Extract them again with --keep and a picture of the person.",
        )
    note = f"{faces.name}: {count} of {len(faces)} faces are another person's, and were left out."
    return faces.take(np.flatnonzero(~strangers)), (note,)


def refuse_twins(a: Faces, b: Faces) -> None:
    """Raise where both sets show one person.

    Raises:
        UsageError
    """
    one, other = middle(a), middle(b)
    if one is None or other is None:
        return
    apart = identity.distance(one, other)
    if apart < identity.MATCH:
        raise UsageError(
            f"{a.name} and {b.name} show the same person (their faces are {apart:.2f} apart; of two people "
            f"they are more than {identity.MATCH:.2f}).",
            "Give faces of two people: first of the one who performs, then of the one who is to be seen.",
        )


def compare(faces: Faces, permission: Permission) -> Comparison:
    """How faces that are spread over the set compare with the reference of a record."""
    chosen: list[int] = np.unique(np.linspace(0, len(faces) - 1, _COMPARED).round().astype(int)).tolist()
    vectors = faces.measure(chosen)
    if len(vectors) < len(chosen) / 2:
        vectors = vectors[:0]  # of most of them nobody can tell whose they are
    return compare_faces([Seen(one, 0.0) for one in vectors], permission.references.face, faces.name)


def _find(records: Sequence[Permission], faces: Faces) -> tuple[Permission, Permission] | None:
    """The record that is for the person in these faces, as given and as compared; or None."""
    for one in records:
        if one.record.kind == "corpus":
            return one, one
        found = compare(faces, one)
        if found.verdict == "match":
            return one, one.compare(found, must_match=True)
    return None


def _no_record(records: Sequence[Permission], b: Faces) -> SubjectMismatch | ConsentMissing:
    """Why none of the records will do: the nearest one says it."""
    found = [(compare(b, one), one) for one in records]
    found.sort(key=lambda pair: np.inf if pair[0].value is None else pair[0].value)
    comparison, permission = found[0]
    try:
        permission.compare(comparison, must_match=True)
    except SubjectMismatch as error:
        return error
    return ConsentMissing(f"No consent record is for the person in {b.name}.", "Give that person's record.")


def _count(faces: Faces) -> None:
    if len(faces) < LEAST_FACES:
        raise TooFewFaces(
            f"{faces.name} holds {len(faces)} faces; training needs {LEAST_FACES} of each person at least.",
            "Extract more: a longer clip, several clips, or a smaller --every. Some hundreds are better.",
        )


def _known(faces: Faces) -> NDArray[np.bool_]:
    if faces.embeddings is None:
        return np.zeros(len(faces), bool)
    return np.asarray(np.isfinite(faces.embeddings).all(1))


def middle(faces: Faces) -> Floats | None:
    """The median face, (128,) float32: strangers, if few, do not move it. None where nobody is known."""
    known = _known(faces)
    if faces.embeddings is None or not known.any():
        return None
    return np.asarray(np.median(faces.embeddings[known], axis=0), np.float32)
