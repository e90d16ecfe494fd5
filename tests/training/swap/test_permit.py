"""Whose faces may be learned from: records first, then who is in the faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likeness.consent import ConsentKey, check
from likeness.errors import ConsentMissing, ConsentScope, SubjectMismatch, TooFewFaces, UsageError
from likeness.facesets.faceset import FaceSet
from likeness.training.swap import faces as module
from likeness.training.swap.faces import Faces
from likeness.training.swap.permit import LEAST_FACES, check_records, drop_strangers, permit

from ...swap_people import embedding, make_corpus_record, make_faces, make_record, write_set

A, B = make_faces(1), make_faces(2)


def known_as(faces: Faces, rows: dict[int, int]) -> Faces:
    """The same faces; some of them are other people's."""
    assert faces.embeddings is not None
    vectors = faces.embeddings.copy()
    for row, person in rows.items():
        vectors[row] = embedding(person)
    return replace(faces, embeddings=vectors)


def test_whose_record_is_whose_is_seen(key: ConsentKey) -> None:
    of_a, of_b = (check(make_record(person, key), act="swap") for person in (1, 2))
    alone = permit([of_b], A, B)
    assert alone.a is None
    assert alone.b.record is of_b.record
    assert alone.b.compared[0].verdict == "match"
    for given in ([of_a, of_b], [of_b, of_a]):
        both = permit(given, A, B)
        assert (both.a and both.a.record, both.b.record) == (of_a.record, of_b.record)


def test_a_corpus_record_is_for_both(key: ConsentKey) -> None:
    found = permit([check(make_corpus_record(key), act="swap")], A, B)
    assert found.a is found.b
    assert found.b.compared == ()


def test_somebody_elses_record_is_refused(key: ConsentKey) -> None:
    of_a, of_3 = (check(make_record(person, key), act="swap") for person in (1, 3))
    with pytest.raises(SubjectMismatch, match="person2: the face is another person's"):
        permit([of_3], A, B)
    with pytest.raises(SubjectMismatch):
        permit([of_a], A, B)  # A agreed, and B is who is shown
    of_b = check(make_record(2, key), act="swap")
    with pytest.raises(SubjectMismatch):
        permit([of_b, of_3], A, B)  # a record too many is a mistake


def test_a_record_that_cannot_be_compared_will_not_do(key: ConsentKey) -> None:
    of_b = check(make_record(2, key), act="swap")
    without = replace(of_b, references=replace(of_b.references, face=None))
    with pytest.raises(SubjectMismatch, match="no face to compare"):
        permit([without], A, B)
    unknown = replace(B, embeddings=np.full((len(B), 128), np.nan, np.float32))
    with pytest.raises(SubjectMismatch):
        permit([of_b], A, unknown)
    # With a few that nobody measured, the others tell.
    few = np.array(B.embeddings)
    few[:5] = np.nan
    assert permit([of_b], A, replace(B, embeddings=few)).b


def test_strangers_are_left_out_or_refused(key: ConsentKey) -> None:
    of_b = check(make_record(2, key), act="swap")
    found = permit([of_b], A, known_as(B, {7: 3, 20: 4}))
    assert len(found.faces_b) == len(B) - 2
    assert np.array_equal(found.faces_b.pictures[7], B.pictures[8])
    assert "2 of 52 faces are another person's" in found.notes[0]
    assert found.faces_b.digest != B.digest
    with pytest.raises(SubjectMismatch, match="are another person's than the others"):
        drop_strangers(known_as(B, dict.fromkeys(range(20), 3)))
    assert drop_strangers(replace(B, embeddings=None))[0].embeddings is None


def test_one_person_on_both_sides_is_refused(key: ConsentKey) -> None:
    twins = known_as(A, dict.fromkeys(range(len(A)), 2))
    with pytest.raises(UsageError, match="show the same person"):
        permit([check(make_corpus_record(key), act="swap")], twins, B)


def test_too_few_faces_says_how_many_are_needed(key: ConsentKey) -> None:
    records = [check(make_corpus_record(key), act="swap")]
    with pytest.raises(TooFewFaces, match=f"holds 49 faces; training needs {LEAST_FACES}"):
        permit(records, A, B.take(range(49)))
    permit(records, A, B.take(range(50)))
    with pytest.raises(TooFewFaces):  # without the strangers it is too few
        permit(records, A, known_as(B.take(range(50)), {3: 4}))


def test_records_are_checked_one_by_one(key: ConsentKey, of_b: Path) -> None:
    for nothing in (None, [], ()):
        with pytest.raises(ConsentMissing):
            check_records(nothing)
    assert len(check_records([of_b, make_corpus_record(key)])) == 2
    assert check_records(str(of_b))[0].record == check_records(of_b.read_bytes())[0].record
    with pytest.raises(ConsentScope):
        check_records([of_b, make_record(1, key, acts=["animate"])])


def test_pictures_are_believed_and_not_what_a_file_says_of_them(
    key: ConsentKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alignments file says that these faces are person 2's; the pictures show somebody else."""
    of_b = check(make_record(2, key), act="swap")
    said, _ = Faces.read(write_set(B, tmp_path / "B"))
    assert permit([of_b], A, said).b
    monkeypatch.setattr(FaceSet, "embed", lambda faces, record: embedding(3))
    with pytest.raises(SubjectMismatch, match="another person's"):
        permit([of_b], A, said)
    monkeypatch.setattr(FaceSet, "embed", lambda faces, record: None)
    with pytest.raises(SubjectMismatch):
        permit([of_b], A, said)


def test_large_pictures_are_read_in_smaller_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that would fill the memory: what is read is bounded in bytes, spread over it, and noted."""
    place = write_set(B, tmp_path / "B")
    monkeypatch.setattr(module, "MOST_BYTES", 20 * B.pictures[0].nbytes + 1)
    found, notes = Faces.read(place)
    assert len(found) == len(found.points) == 20
    assert np.array_equal(found.pictures[0], B.pictures[0])
    assert np.array_equal(found.pictures[-1], B.pictures[-1])
    assert notes == ("B: of 52 faces, 20 that are spread over it are learned from.",)
