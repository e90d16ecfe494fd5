"""Whose faces are kept: people are told apart by identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.faces.identity import NO_MATCH
from likeness.types import Floats

NOBODY: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face, as far as it matters here.

    Attributes:
        source, face: where it was seen, and what it was followed as.
        embedding: (128,) float32, or None where the face is too small to be known.
    """

    source: int
    face: int
    embedding: Floats | None


def tell_apart(sightings: Sequence[Sighting]) -> NDArray[np.int64]:
    """Whose face each of them is: 0 is who was seen most often, and so on.

    A face that is followed stays one person's until it suddenly looks like another's, as at a cut. So a face
    that is turned far away is known by what came before, and people are compared by the mean of many faces.

    Args:
        sightings: those of a face in the order of time.

    Returns:
        (n,) int64; `NOBODY` where a face was too small to be known for as long as it was followed.
    """
    people: list[tuple[Floats, list[int]]] = []  # embeddings that are known, and which sightings
    for piece in sorted(_pieces(sightings), key=len, reverse=True):
        known = _known(sightings, piece)
        if not len(known):
            continue
        mean = known.mean(0)
        far = [float(np.linalg.norm(mean - others.mean(0))) for others, _ in people]
        if far and min(far) < NO_MATCH:
            others, own = people[at := int(np.argmin(far))]
            people[at] = np.concatenate([others, known]), own + piece
        else:
            people.append((known, piece))
    answer = np.full(len(sightings), NOBODY, np.int64)
    for number, (_, own) in enumerate(sorted(people, key=lambda person: -len(person[1]))):
        answer[own] = number
    return answer


def _known(sightings: Sequence[Sighting], which: list[int]) -> Floats:
    known = [one for index in which if (one := sightings[index].embedding) is not None]
    return np.array(known, np.float32).reshape(len(known), -1)


def _pieces(sightings: Sequence[Sighting]) -> Iterator[list[int]]:
    """Sightings of a followed face, broken where it suddenly looks like somebody else's."""
    open_pieces: dict[tuple[int, int], list[int]] = {}
    last: dict[tuple[int, int], Floats] = {}
    for index, one in enumerate(sightings):
        key = one.source, one.face
        before, now = last.get(key), one.embedding
        jumps = before is not None and now is not None and np.linalg.norm(now - before) > NO_MATCH
        if jumps:
            yield open_pieces.pop(key)
        open_pieces.setdefault(key, []).append(index)
        if now is not None:
            last[key] = now
    yield from open_pieces.values()
