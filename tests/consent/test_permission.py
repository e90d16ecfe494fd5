"""What a record allows, and everything that it does not: another act, purpose, day, clock; taken back."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from likeness import consent
from likeness.consent import (
    ConsentKey,
    ConsentRecord,
    Revocation,
    Signature,
    clock,
    permission,
    reference,
    revocation,
)
from likeness.consent.canonical import canonical
from likeness.consent.keys import spell_fingerprint
from likeness.errors import (
    ConsentExpired,
    ConsentFormat,
    ConsentInvalid,
    ConsentMissing,
    ConsentRevoked,
    ConsentScope,
    NotWritable,
)

Draft = Callable[..., ConsentRecord]
TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


def at_time(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    """Let this computer's clock say this."""
    monkeypatch.setattr(clock, "_now", lambda: now)


def save(folder: Path, record: ConsentRecord) -> Path:
    path = folder / "anna.consent.json"
    path.write_bytes(record.to_bytes())
    return path


class TestScope:
    def test_what_it_allows(self, record: ConsentRecord, tmp_path: Path) -> None:
        for given in (record, record.to_bytes(), save(tmp_path, record), str(tmp_path / "anna.consent.json")):
            found = consent.check(given, act="animate", purpose="a short film")
            assert (found.record, found.act, found.notes) == (record, "animate", ())

    @pytest.mark.parametrize("act", ["swap", "voice"])
    def test_another_act(self, record: ConsentRecord, act: consent.Act) -> None:
        with pytest.raises(ConsentScope, match=f"covers animate, not {act}") as raised:
            consent.require(record, act)
        assert raised.value.exit_code == 5

    def test_what_was_built_in_python_is_held_to_the_same(
        self, record: ConsentRecord, key: ConsentKey
    ) -> None:
        """A record that no file could hold, signed by going around `sign`."""
        wide = replace(record, purposes=("a short film", "anything\u202e"), signature=None)
        head = Signature(key.public, dt.datetime.now(dt.UTC).replace(microsecond=0))
        value = key.sign(canonical(replace(wide, signature=head).to_json()))
        forged = replace(wide, signature=replace(head, value=value))
        assert consent.check_signature(forged)
        with pytest.raises(ConsentFormat):
            consent.check(forged)

    def test_another_purpose(self, record: ConsentRecord) -> None:
        consent.check(record, purpose=" A  Short FILM")
        with pytest.raises(ConsentScope, match="a short film, not for advertising"):
            consent.check(record, purpose="advertising")

    def test_a_corpus_is_for_benchmarks_and_tests(self, key: ConsentKey) -> None:
        made = consent.sign(consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada"), key)
        for purpose in ("benchmarks", "tests"):
            consent.check(made, act="voice", purpose=purpose)
        with pytest.raises(ConsentScope):
            consent.check(made, purpose="a short film")
        note = consent.require(made, "voice", media=["nobody-opens-this.wav"]).describe()
        assert note.kind == "corpus"
        assert not note.may_leave_out_label
        assert "“GRID” (CC BY 4.0)" in note.statement
        assert "benchmarks and tests only" in note.statement
        assert "whether the media are from it was not checked" in note.statement

    def test_under_a_corpus_record_nobody_is_compared(self, record: ConsentRecord, key: ConsentKey) -> None:
        """Not even where it holds a face; the media are not there, so looking at them would be an error."""
        request = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada")
        made = consent.sign(replace(request, references=record.references), key)
        assert consent.require(made, "animate", media=["absent.jpg"], must_match=True).compared == ()

    def test_none_at_all(self) -> None:
        with pytest.raises(ConsentMissing) as raised:
            consent.require(None, "voice")
        assert "likeness consent new" in raised.value.hint
        assert "likeness consent corpus" in raised.value.hint

    def test_the_record_comes_before_the_media(self, record: ConsentRecord) -> None:
        """A medium that is not there would be another error: nobody has looked for it yet."""
        with pytest.raises(ConsentScope):
            consent.require(record, "swap", media=["absent.jpg"])

    def test_model_files_hold_the_record_itself(self, record: ConsentRecord) -> None:
        kept = consent.require(record, "animate").to_bytes()
        assert consent.require(kept, "animate").record == record

    def test_what_the_credentials_say_names_nobody(self, record: ConsentRecord) -> None:
        note = consent.check(record, act="animate").describe()
        assert note.sha256 == record.sha256
        assert note.record_id == record.id
        assert "Anna" not in note.statement
        assert "Studio" not in note.statement
        assert str(record.valid_until) in note.statement


class TestDays:
    def test_first_and_last_day_count(self, draft: Draft, key: ConsentKey) -> None:
        first, last = dt.date(2030, 1, 1), dt.date(2030, 1, 3)
        record = consent.sign(draft(valid_from=first, valid_until=last), key)
        for day in (first, first + DAY, last):
            consent.check(record, when=day)
        with pytest.raises(ConsentExpired, match="begins on 2030-01-01"):
            consent.check(record, when=first - DAY)
        with pytest.raises(ConsentExpired, match="ended on 2030-01-03"):
            consent.check(record, when=last + DAY)

    def test_ended_and_not_begun(self, draft: Draft, key: ConsentKey) -> None:
        ended = consent.sign(draft(valid_from=TODAY - 9 * DAY, valid_until=TODAY - DAY), key)
        with pytest.raises(ConsentExpired, match="ended"):
            consent.require(ended, "animate")
        later = consent.sign(draft(valid_from=TODAY + 2 * DAY), key)
        with pytest.raises(ConsentExpired, match="begins"):
            consent.require(later, "animate")

    def test_signed_in_the_future(self, draft: Draft, key: ConsentKey) -> None:
        now = dt.datetime.now(dt.UTC)
        soon = consent.sign(draft(), key, now=now + dt.timedelta(hours=20))
        consent.check(soon)  # clocks differ
        later = consent.sign(draft(), key, now=now + dt.timedelta(hours=30))
        with pytest.raises(ConsentExpired, match=r"was signed on .* this computer's clock says"):
            consent.check(later)


class TestClock:
    def test_a_clock_that_was_set_back(
        self, own_home: Path, record: ConsentRecord, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = dt.datetime.now(dt.UTC)
        consent.check(record)
        with monkeypatch.context() as patch:
            at_time(patch, now - dt.timedelta(hours=23))
            clock.read_clock()  # somebody had the wrong time zone
        with monkeypatch.context() as patch:
            at_time(patch, now - dt.timedelta(hours=26))
            with pytest.raises(ConsentExpired, match="was set back") as raised:
                consent.check(record)
        assert str(clock.memory()) in raised.value.hint
        clock.memory().unlink()  # what the hint says
        with monkeypatch.context() as patch:
            at_time(patch, now - dt.timedelta(hours=26))
            clock.read_clock()

    def test_an_ended_record_does_not_come_back(
        self, own_home: Path, draft: Draft, key: ConsentKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = consent.sign(draft(valid_from=TODAY - 99 * DAY, valid_until=TODAY - 30 * DAY), key)
        with pytest.raises(ConsentExpired, match="ended"):
            consent.check(record)
        at_time(monkeypatch, dt.datetime.now(dt.UTC) - 40 * DAY)
        with pytest.raises(ConsentExpired, match="set back"):
            consent.check(record)

    def test_time_goes_on(self, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = clock.read_clock()
        first = clock.memory().read_bytes()
        clock.read_clock()
        assert clock.memory().read_bytes() == first, "not written on every check"
        at_time(monkeypatch, now + 3 * DAY)
        clock.read_clock()
        assert clock.memory().read_bytes() != first
        assert [path.name for path in clock.memory().parent.iterdir()] == ["clock.json"]

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"latest": 3}', b"[" * 999, b"x" * 9999])
    def test_a_damaged_note_is_made_anew(self, own_home: Path, content: bytes) -> None:
        clock.memory().parent.mkdir(parents=True)
        clock.memory().write_bytes(content)
        clock.read_clock()
        assert b"latest" in clock.memory().read_bytes()

    def test_notes_from_the_edges_of_time(self, own_home: Path) -> None:
        clock.memory().parent.mkdir(parents=True)
        clock.memory().write_bytes(b'{"latest": "0001-01-01T00:00:00Z"}')
        clock.read_clock()
        clock.memory().write_bytes(b'{"latest": "9999-12-31T23:59:59Z"}')
        with pytest.raises(ConsentExpired, match="9999-12-31"):
            clock.read_clock()

    def test_where_nothing_can_be_written(self, own_home: Path, record: ConsentRecord) -> None:
        own_home.write_bytes(b"a file where a folder is wanted")
        consent.check(record)


class TestRevocation:
    def test_from_the_users_folder(self, own_home: Path, record: ConsentRecord, key: ConsentKey) -> None:
        path = consent.store(consent.revoke(record, key, "I changed my mind"))
        assert path.parent == revocation.folder()
        with pytest.raises(ConsentRevoked, match=r"taken back on .*I changed my mind") as raised:
            consent.check(record, act="animate")
        assert raised.value.exit_code == 5

    def test_beside_the_record(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        path = save(tmp_path, record)
        revocation.beside(path).write_bytes(consent.revoke(record, key).to_bytes())
        assert revocation.beside(path).name == "anna.revocation.json"
        with pytest.raises(ConsentRevoked):
            consent.check(path)

    def test_given_as_a_file_or_folder(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        path = save(tmp_path, record)
        (tmp_path / "others").mkdir()
        given = tmp_path / "others" / "b.revocation.json"
        given.write_bytes(consent.revoke(record, key).to_bytes())
        (tmp_path / "others" / "readme.json").write_text("{}")
        consent.check(path)
        for place in (given, tmp_path / "others"):
            with pytest.raises(ConsentRevoked):
                consent.check(path, revocations=[place])

    def test_in_a_folder_under_any_name(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        folder = tmp_path / "mail"
        folder.mkdir()
        (folder / "large.json").write_bytes(b"[" * 2_000_000)
        (folder / "figures.json").write_text('{"format": 1.5}')
        (folder / "record.json").write_bytes(record.to_bytes())
        (folder / "folder.json").mkdir()
        consent.check(record, revocations=[folder])
        given = folder / "attachment (1).JSON"
        given.write_bytes(consent.revoke(record, key).to_bytes())
        with pytest.raises(ConsentRevoked):
            consent.check(record, revocations=[folder])
        given.write_bytes(given.read_bytes().replace(b'"reason": ""', b'"reason": "x"'))
        with pytest.raises(ConsentInvalid, match="altered"):
            consent.check(record, revocations=[folder])

    def test_it_covers_the_record_signed_again(
        self, own_home: Path, record: ConsentRecord, key: ConsentKey
    ) -> None:
        consent.store(consent.revoke(record, key))
        with pytest.raises(ConsentRevoked):
            consent.check(consent.sign(replace(record, evidence=()), key))

    def test_it_covers_no_other_record(
        self, own_home: Path, record: ConsentRecord, draft: Draft, key: ConsentKey
    ) -> None:
        consent.store(consent.revoke(record, key))
        consent.check(consent.sign(draft(), key))

    def test_another_key_cannot_revoke(self, record: ConsentRecord, other_key: ConsentKey) -> None:
        with pytest.raises(ConsentInvalid, match="another key"):
            consent.revoke(record, other_key)

    def test_nor_does_its_revocation_count(
        self, own_home: Path, record: ConsentRecord, other_key: ConsentKey
    ) -> None:
        """Somebody signs a record of the same id, and takes that back."""
        forged = consent.revoke(consent.sign(replace(record, signature=None), other_key), other_key)
        consent.store(forged)
        found = consent.check(record)
        assert len(found.notes) == 1
        assert "another key signed it" in found.notes[0]

    def test_it_is_read_back(self, record: ConsentRecord, key: ConsentKey) -> None:
        made = consent.revoke(record, key, "so")
        assert Revocation.from_bytes(made.to_bytes()) == made
        assert (made.id, made.sha256) == (record.id, record.sha256)

    def test_altered(self, record: ConsentRecord, key: ConsentKey) -> None:
        made = consent.revoke(record, key, "so")
        data = made.to_bytes()
        for at in range(len(data)):
            altered = bytearray(data)
            altered[at] ^= 1
            try:
                assert Revocation.from_bytes(bytes(altered)) == made
            except (ConsentFormat, ConsentInvalid) as error:
                assert error.hint

    def test_damaged_beside_the_record(self, tmp_path: Path, record: ConsentRecord) -> None:
        """Whether it was taken back is not known then, so it is not used."""
        path = save(tmp_path, record)
        revocation.beside(path).write_bytes(b"{}")
        with pytest.raises(ConsentFormat, match=r"anna\.revocation\.json"):
            consent.check(path)

    def test_a_newer_one(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        document = {**consent.revoke(record, key).to_json(), "version": 2}
        with pytest.raises(ConsentFormat, match="newer version"):
            Revocation.from_bytes(json.dumps(document).encode())

    @pytest.mark.parametrize("place", ["the user's", "a given one"])
    def test_folders_that_cannot_be_read(
        self,
        own_home: Path,
        record: ConsentRecord,
        key: ConsentKey,
        monkeypatch: pytest.MonkeyPatch,
        place: str,
    ) -> None:
        folder = consent.store(consent.revoke(record, key)).parent
        given = []
        if place == "a given one":
            given = [folder]
            monkeypatch.setattr(revocation, "folder", lambda: own_home / "none")

        def refuse(path: str | Path = ".") -> NoReturn:
            number = errno.EACCES if Path(path) == folder else errno.ENOENT
            raise OSError(number, "Permission denied")

        for reader in ("listdir", "scandir"):
            monkeypatch.setattr(os, reader, refuse)
        with pytest.raises(ConsentMissing, match="Permission denied"):
            consent.check(record, revocations=given)

    def test_a_folder_of_too_many(
        self, tmp_path: Path, record: ConsentRecord, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(revocation, "_MOST_FILES", 2)
        for number in range(3):
            (tmp_path / f"{number}.revocation.json").write_bytes(b"nobody opens these")
        with pytest.raises(ConsentFormat, match="more than 2 files"):
            consent.check(record, revocations=[tmp_path])

    def test_a_link_to_nothing_beside_the_record(self, tmp_path: Path, record: ConsentRecord) -> None:
        path = save(tmp_path, record)
        try:
            revocation.beside(path).symlink_to(tmp_path / "gone.json")
        except OSError:
            pytest.skip("this system makes no links")
        with pytest.raises(ConsentMissing, match="no such file"):
            consent.check(path)

    def test_no_room_to_keep_it(self, own_home: Path, record: ConsentRecord, key: ConsentKey) -> None:
        own_home.write_bytes(b"")
        with pytest.raises(NotWritable):
            consent.store(consent.revoke(record, key))

    def test_an_altered_record_cannot_be_revoked(self, record: ConsentRecord, key: ConsentKey) -> None:
        with pytest.raises(ConsentInvalid, match="altered"):
            consent.revoke(replace(record, language="de"), key)


class TestEmbeddingsApart:
    def test_the_record_holds_a_salted_hash(self, record: ConsentRecord, key: ConsentKey) -> None:
        bare, first = reference.take_apart(record)
        again, second = reference.take_apart(record)
        assert bare.references.face is None
        assert bare.references.voice is None
        assert bare.references.apart == first.sha256 != second.sha256 == again.references.apart
        signed = consent.sign(bare, key)
        assert first.face is not None
        for text in (first.face.to_json()["float32"], first.to_json()["salt"]):
            assert text.encode() not in signed.to_bytes()

    def test_found_beside_the_record(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        bare, parts = reference.take_apart(record)
        path = save(tmp_path, consent.sign(bare, key))
        found = consent.check(path)
        assert found.references.face is None
        assert "kept apart (“anna.reference.json” beside it)" in found.notes[0]
        reference.beside(path).write_bytes(parts.to_bytes())
        found = consent.check(path)
        assert found.notes == ()
        assert found.references == record.references

    def test_given(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        bare, parts = reference.take_apart(record)
        elsewhere = tmp_path / "elsewhere.json"
        elsewhere.write_bytes(parts.to_bytes())
        found = consent.check(consent.sign(bare, key), reference_file=elsewhere)
        assert found.references == record.references

    def test_exchanged(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey) -> None:
        bare, _ = reference.take_apart(record)
        _, others = reference.take_apart(record)
        path = save(tmp_path, consent.sign(bare, key))
        reference.beside(path).write_bytes(others.to_bytes())
        with pytest.raises(ConsentInvalid, match="not the reference file"):
            consent.check(path)

    @pytest.mark.parametrize(
        "content", [b"", b"{}", b'{"format": "likeness consent reference", "version": 2}']
    )
    def test_damaged(self, tmp_path: Path, record: ConsentRecord, key: ConsentKey, content: bytes) -> None:
        bare, _ = reference.take_apart(record)
        path = save(tmp_path, consent.sign(bare, key))
        reference.beside(path).write_bytes(content)
        with pytest.raises(ConsentFormat):
            consent.check(path)


class TestWords:
    def test_everything_is_read_out(self, record: ConsentRecord) -> None:
        text = "\n".join(consent.describe(record))
        signature = record.signature
        assert signature is not None
        for said in (
            "Anna Beispiel allows Studio Nord",
            "anna@example.org",
            "animate",
            "a short film",
            "the studio's web site",
            str(record.valid_from),
            str(record.valid_until),
            "stays on everything",
            "anna.jpg",
            "I agree. Four seven one one.",
            "0.9100",
            "evidence, not proof",
            "checked by likeness",
            spell_fingerprint(signature.fingerprint),
            record.sha256,
        ):
            assert said in text, said

    def test_a_sentence_that_nobody_spoke_is_read_out_too(self, record: ConsentRecord) -> None:
        """Otherwise more could be signed than was read."""
        assert record.challenge is not None
        assert "To be spoken" not in "\n".join(consent.describe(record)), "it was, and is read out there"
        other = replace(record, challenge=replace(record.challenge, sentence="I agree to all of it."))
        assert "To be spoken:     “I agree to all of it.”" in consent.describe(other)

    def test_a_request_does_not_sound_like_consent(self, draft: Draft) -> None:
        text = "\n".join(consent.describe(draft()))
        assert text.startswith("REQUEST")
        assert "Studio Nord asks Anna Beispiel to allow this" in text
        assert "by nobody yet" in text
        assert "nowhere" in text

    def test_mixed_scripts_are_pointed_out(self, draft: Draft, key: ConsentKey) -> None:
        record = consent.sign(draft(subject="Аnna Beispiel"), key)  # a Cyrillic А
        assert "mixes letters of several scripts" in consent.check(record).notes[0]
        assert any("mixes letters" in line for line in consent.describe(record))
        assert permission.name_notes(draft()) == ()

    def test_a_corpus(self) -> None:
        made = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada", url="https://example.org")
        text = "\n".join(consent.describe(made))
        assert "“GRID” (licence: CC BY 4.0, https://example.org)" in text
        assert "benchmarks and tests only" in text
