"""What a record may hold, and that nothing else is read."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Corpus, Embedding, Party, References
from likeness.consent.record import CORPUS_PURPOSES, VERSION
from likeness.consent.text import find_fault
from likeness.errors import ConsentFormat, ConsentInvalid, ConsentMissing, NotWritable, OutputExists

Draft = Callable[..., ConsentRecord]
LINES = st.text(min_size=1, max_size=20).filter(lambda text: not find_fault(text))
DATES = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))


@st.composite
def records(draw: st.DrawFn) -> ConsentRecord:
    days = sorted([draw(DATES), draw(DATES)])
    is_person = draw(st.booleans())
    numbers = draw(st.lists(st.floats(-9, 9, width=32), min_size=16, max_size=20))
    face = Embedding.of("network/1", np.array(numbers, np.float32))
    return ConsentRecord(
        kind="subject" if is_person else "corpus",
        id=draw(st.binary(min_size=16, max_size=16)).hex(),
        language="de",
        subject=Party(draw(LINES)) if is_person else None,
        corpus=None if is_person else Corpus(draw(LINES), draw(LINES)),
        requester=Party(draw(LINES), draw(LINES)),
        acts=tuple(draw(st.lists(st.sampled_from(consent.ACTS), min_size=1, unique=True))),
        purposes=tuple(
            draw(
                st.lists(
                    LINES if is_person else st.sampled_from(CORPUS_PURPOSES),
                    min_size=1,
                    max_size=3,
                    unique=True,
                )
            )
        ),
        publish=tuple(draw(st.lists(LINES, max_size=3, unique=True))),
        valid_from=days[0],
        valid_until=days[1],
        may_leave_out_label=is_person and draw(st.booleans()),
        requested=draw(st.datetimes(dt.datetime(1, 1, 1), timezones=st.just(dt.UTC))).replace(microsecond=0),
        references=References(face=draw(st.none() | st.just(face))),
    )


@given(records())
def test_a_record_is_read_back_as_it_was(record: ConsentRecord) -> None:
    again = ConsentRecord.from_bytes(record.to_bytes())
    assert again == record
    assert again.sha256 == record.sha256
    assert again.to_bytes() == record.to_bytes()


def test_everything_in_it_is_read_back(record: ConsentRecord) -> None:
    again = ConsentRecord.from_bytes(record.to_bytes())
    assert again == record
    assert again.references.face is not None
    np.testing.assert_array_equal(again.references.face.vector, np.linspace(-0.2, 0.2, 128, dtype=np.float32))
    assert again.evidence[0].scores == (("phoneme errors", "0.1250"), ("speaker similarity", "0.9100"))


def every_place(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in every_place(one, (*path, key)))]


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize("odd", [None, True, 3, "", "odd\u202e", "x" * 5000, [], {}, [[]], {"a": 1}, [{}]])
def test_no_field_takes_just_anything(record: ConsentRecord, odd: Any) -> None:
    """Whatever a field is replaced by, the record is refused, or is a sound one that says just that."""
    document = json.loads(record.to_bytes())
    for path in every_place(document)[1:]:
        changed = put(document, path, odd)
        try:
            read = ConsentRecord.from_bytes(json.dumps(changed).encode())
        except ConsentFormat as error:
            assert error.hint
            assert error.what.isprintable()
        else:
            assert read.to_json() == changed
            if changed != document:
                with pytest.raises(ConsentInvalid):
                    consent.check_signature(read)


def test_a_corpus_is_for_nothing_else(key: ConsentKey) -> None:
    request = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada")
    ConsentRecord.from_bytes(replace(request, purposes=("tests",)).to_bytes())
    with pytest.raises(ConsentFormat, match="benchmarks and tests only"):
        consent.sign(replace(request, purposes=("benchmarks", "a feature film")), key)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valid_until": "2020-01-01"}, "ends before it begins"),
        ({"corpus": {"name": "GRID", "licence": "CC BY 4.0", "url": ""}}, "a subject or a corpus"),
        ({"subject": None}, "a subject or a corpus"),
        ({"kind": "corpus"}, "a subject or a corpus"),
        ({"acts": []}, "acts"),
        ({"acts": ["animate", "animate"]}, "acts"),
        ({"references": {"apart": "ab" * 32}}, "kept apart"),
    ],
)
def test_fields_that_contradict_each_other(record: ConsentRecord, changes: dict[str, Any], why: str) -> None:
    document = json.loads(record.to_bytes())
    changed = {
        key: {**document[key], **value}
        if isinstance(document[key], dict) and isinstance(value, dict)
        else value
        for key, value in changes.items()
    }
    with pytest.raises(ConsentFormat, match=why):
        ConsentRecord.from_bytes(json.dumps({**document, **changed}).encode())


@pytest.mark.parametrize("language", ["e", "en_US", "en-", "and I agree to more", "English: all of it"])
def test_a_language_is_no_place_for_words(draft: Draft, language: str) -> None:
    for sound in ("en", "pt-BR", "zh-Hant-TW"):
        draft(language=sound)
    with pytest.raises(ConsentFormat):
        draft(language=language)


def test_unknown_and_missing_fields_are_refused(record: ConsentRecord) -> None:
    document = json.loads(record.to_bytes())
    objects = [path for path in every_place(document) if isinstance(at(document, path), dict)]
    for path in objects:
        if path[-1:] == ("scores",):
            continue
        with pytest.raises(ConsentFormat, match="unknown"):
            ConsentRecord.from_bytes(json.dumps(put(document, (*path, "extra"), 1)).encode())
        for name in at(document, path):
            changed = copy.deepcopy(document)
            del at(changed, path)[name]
            with pytest.raises(ConsentFormat):
                ConsentRecord.from_bytes(json.dumps(changed).encode())


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def test_a_newer_version_is_named_before_anything_else(record: ConsentRecord) -> None:
    newer = {"format": "likeness consent", "version": VERSION + 1, "quite": "different"}
    with pytest.raises(ConsentFormat, match="newer version of likeness") as raised:
        ConsentRecord.from_bytes(json.dumps(newer).encode())
    assert "Update" in raised.value.hint


@pytest.mark.parametrize("version", [0, -1, True, "1", None, 1.0])
def test_odd_versions(record: ConsentRecord, version: object) -> None:
    with pytest.raises(ConsentFormat):
        ConsentRecord.from_bytes(json.dumps({**record.to_json(), "version": version}).encode())


def test_other_json_is_no_record() -> None:
    with pytest.raises(ConsentFormat, match="no consent record of likeness"):
        ConsentRecord.from_bytes(b'{"name": "package.json"}')


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": ""},
        {"subject": "x" * 201},
        {"subject": "Anna\u202e"},
        {"acts": []},
        {"acts": ["dance"]},
        {"purposes": []},
        {"subject": "Anna\udcff"},  # a byte that is no UTF-8, as the command line hands it on
        {"purposes": [f"purpose {number}" for number in range(21)]},
        {"valid_from": dt.date(2027, 1, 2), "valid_until": dt.date(2027, 1, 1)},
    ],
)
def test_no_request_is_made_that_could_not_be_read(draft: Draft, changes: dict[str, object]) -> None:
    with pytest.raises(ConsentFormat):
        draft(**changes)


def test_the_last_year_there_is(draft: Draft) -> None:
    assert draft(valid_from=dt.date(9999, 6, 1)).valid_until == dt.date.max


def test_records_are_saved_whole_or_not_at_all(record: ConsentRecord, tmp_path: Path) -> None:
    record.save(tmp_path / "a.json")
    assert ConsentRecord.load(tmp_path / "a.json") == record
    with pytest.raises(OutputExists):
        record.save(tmp_path / "a.json")
    with pytest.raises(NotWritable):
        record.save(tmp_path / "nowhere" / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_names_are_brought_into_one_form(draft: Draft) -> None:
    assert draft(subject="  Zoe\u0308   Beispiel ").name == "Zoë Beispiel"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_embeddings_are_finite(record: ConsentRecord, bad: float) -> None:
    face = Embedding.of("network/1", np.full(128, bad))
    with pytest.raises(ConsentFormat, match="finite"):
        ConsentRecord.from_bytes(replace(record, references=References(face=face)).to_bytes())


def test_under_a_corpus_record_the_label_stays() -> None:
    made = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada")
    assert (made.kind, made.name, made.may_leave_out_label) == ("corpus", "GRID", False)
    assert made.purposes == ("benchmarks", "tests")
    with pytest.raises(ConsentFormat, match="label"):
        ConsentRecord.from_bytes(replace(made, may_leave_out_label=True).to_bytes())


@pytest.mark.parametrize("name", ["absent.json", "folder", "nul\0.json"])
def test_files_that_are_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises((ConsentMissing, ConsentFormat)) as raised:
        ConsentRecord.load(tmp_path / name)
    assert raised.value.exit_code == 5
    assert raised.value.hint
