"""From all faces on disk to the face set of one person: who is kept, the files beside the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likeness.errors import FaceIndex, NoFace, UsageError
from likeness.faces.resnet import NUMBERS
from likeness.facesets.alignments import FILE_NAME, MAX_FACES, ZOOM, Alignments, DistanceTo, write_alignments
from likeness.facesets.collect import Collector
from likeness.facesets.keep import NOBODY, People, Reason, References, nearest, tell_apart
from likeness.facesets.records import SourceFile
from likeness.facesets.sheet import (
    COLUMNS,
    PEOPLE_NAME,
    SHEET_NAME,
    Section,
    Tile,
    draw_sheet,
    identity_sheet,
    spread,
)
from likeness.media.image import encode_jpeg
from likeness.types import Floats

Who: TypeAlias = Literal["all"] | int | None
"""Which of the people to keep: one by number from 1, all, or (None) the one who was seen most often."""

DROPPED_NAME: Final = "dropped.json"
_MOST_PEOPLE = 24  # on a sheet
_MOST_FOR_MEDIAN = 2000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was seen.

    Attributes:
        faces: how many faces of this person were large enough.
        kept: how many of them were kept.
    """

    faces: int
    kept: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was seen, the most seen first, and how many faces were kept."""

    people: tuple[Person, ...]
    kept: int


_NEXT: Final[dict[Reason, str]] = {
    "too small": "Lower --min-size (min_size_px in Python), or use a larger picture of them.",
    "another person": "Choose another --person (person in Python).",
    "not the reference": "Give a --keep that shows the person in these files (keep in Python).",
    "like the dropped": "Leave that --drop out (drop in Python), or use files that show somebody else, too.",
    "cannot tell": "Give more --keep: pictures from the front, well lit (keep in Python).",
}
"""What to do where this is why most faces were left out."""


def finish(
    collector: Collector, sources: tuple[SourceFile, ...], references: References, who: Who
) -> Outcome:
    """Decides whose faces are kept, deletes the others, and writes the files beside them.

    Args:
        who: among those whom `references` leaves; with references to keep, None keeps all that are left.

    Raises:
        NoFace: none is left.
        FaceIndex: there is no person of that number.
        UsageError: there are more faces than a set can hold.
        OSError: the disk takes no more.
    """
    people = tell_apart(collector.sightings)
    reasons = _judge(collector, people, references, who)
    is_kept = np.array([reason is None for reason in reasons], bool)
    if not (kept := int(is_kept.sum())):
        raise _nobody(reasons, collector)
    if kept > MAX_FACES:
        raise UsageError(
            f"These are {kept} faces, and a set holds {MAX_FACES} at most.",
            "Take fewer frames, with a larger --every (every in Python).",
        )
    seen = tuple(
        Person(count, int(is_kept[people.person == number].sum()))
        for number, count in enumerate(people.faces)
    )
    if len(seen) > 1:
        _write_people(collector, people, seen)
    distances = _distances(collector, references.keep, is_kept)
    compared_with: DistanceTo = "keep" if len(references.keep) else "median"
    header = Alignments(sources, (), collector.size_px, ZOOM, compared_with)
    write_alignments(collector.folder / FILE_NAME, header, _sift(collector, reasons, distances))
    faces = [
        (collector.folder / one.file, None if np.isnan(distance) else distance)
        for one, distance, own in zip(collector.sightings, distances.tolist(), is_kept, strict=True)
        if own
    ]
    sheet = identity_sheet(faces, compared_with, zoom=ZOOM)
    (collector.folder / SHEET_NAME).write_bytes(sheet)
    _write_dropped(collector, sources, seen, kept)
    return Outcome(seen, kept)


def _judge(collector: Collector, people: People, references: References, who: Who) -> list[Reason | None]:
    reasons = references.judge(collector.sightings, people)
    if who == "all" or (who is None and len(references.keep)):
        return reasons
    left = {int(person) for person, reason in zip(people.person, reasons, strict=True) if reason is None}
    if isinstance(who, int):
        if not 1 <= who <= len(people.faces):
            count = len(people.faces)
            raise FaceIndex(
                f"There is no person {who}: {count} {'was' if count == 1 else 'were'} seen.",
                f"Look at {PEOPLE_NAME} of a set that was extracted without --person (person in Python).",
            )
        chosen = who - 1
    else:
        # Whoever is too small to be known comes last.
        chosen = min((person for person in left if person != NOBODY), default=NOBODY)
    return [
        reason or (None if person == chosen else "cannot tell" if person == NOBODY else "another person")
        for person, reason in zip(people.person.tolist(), reasons, strict=True)
    ]


def _distances(collector: Collector, keep: Floats, is_kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each sighting from the references, or from the median of those that are kept; NaN where unknown."""
    known = np.array(
        [np.full(NUMBERS, np.nan) if one.embedding is None else one.embedding for one in collector.sightings],
        np.float32,
    )
    if not len(keep):
        own = known[is_kept & ~np.isnan(known[:, 0])]
        if not len(own):
            return np.full(len(known), np.nan)
        keep = np.median(own[spread(len(own), _MOST_FOR_MEDIAN)], axis=0, keepdims=True)
    return nearest(known, keep)


def _sift(
    collector: Collector, reasons: list[Reason | None], distances: NDArray[np.float64]
) -> Iterator[str]:
    """The lines of the faces that are kept; the others go."""
    for record, reason, distance in zip(collector.records(), reasons, distances.tolist(), strict=True):
        if reason is None:
            yield replace(record, identity_distance=None if np.isnan(distance) else distance).to_line()
            continue
        (collector.folder / record.file).unlink()
        collector.drop(reason, record.source, record.frame, record.face, record.box)


def _write_people(collector: Collector, people: People, seen: tuple[Person, ...]) -> None:
    """A row of faces of everybody, by which a person's number is found."""
    sections = []
    for number, person in enumerate(seen[:_MOST_PEOPLE]):
        own = np.flatnonzero(people.person == number).tolist()
        some = [collector.sightings[own[index]].file for index in spread(len(own), COLUMNS)]
        title = f"person {number + 1}: {person.faces} face{'s'[: person.faces != 1]}, {person.kept} kept"
        sections.append(Section(title, [Tile(collector.folder / file) for file in some]))
    sheet = encode_jpeg(draw_sheet(sections, zoom=ZOOM), 85)
    (collector.folder / PEOPLE_NAME).write_bytes(sheet)


def _write_dropped(
    collector: Collector, sources: tuple[SourceFile, ...], seen: tuple[Person, ...], kept: int
) -> None:
    head = {
        "format": "likeness-dropped",
        "version": 1,
        "sources": [source.name for source in sources],
        "frames": collector.frames,
        "frames_without_face": collector.empty_frames,
        "kept": kept,
        "dropped": dict(collector.dropped),
        "people": [{"faces": person.faces, "kept": person.kept} for person in seen],
        "gaps": [{"source": gap[0], "first": gap[1], "last": gap[2]} for gap in collector.gaps],
    }
    with (collector.folder / DROPPED_NAME).open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head)[:-1] + ',\n"faces": [')
        for number, line in enumerate(collector.reasons()):
            file.write((",\n" if number else "\n") + line)
        file.write("\n]}\n")


def _nobody(reasons: list[Reason | None], collector: Collector) -> NoFace:
    """Says what was seen instead."""
    counts = collector.dropped.copy()
    counts.update(reason for reason in reasons if reason)
    if not counts:
        return NoFace(
            f"No face was found in {collector.frames} frames.",
            "Use a clip that shows a face from the front, large enough and well lit.",
        )
    what = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    return NoFace(f"No face is left: of {counts.total()}, {what}.", _NEXT[counts.most_common(1)[0][0]])
