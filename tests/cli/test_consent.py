"""`likeness consent …`, `identity-check` and `animate --consent`: the whole way, and every refusal."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness import consent
from likeness.consent import clock, reference, revocation
from likeness.verification import verify

from .conftest import Outcome

Cli = Callable[..., Outcome]
NEW = ("consent", "new", "--subject", "Grace", "--requester", "Studio Nord", "--purpose", "a short film")
SHORT = ("--crop", "--size", "256", "--end", "0.3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and a home of this test's own."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def record(folder: Path, cli: Cli) -> Path:
    """A signed record without references, for animate."""
    path = folder / "grace.consent.json"
    assert cli(*NEW, "--act", "animate", "-o", path).code == 0
    assert cli("consent", "sign", path, "--yes").code == 0
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestAskAndSign:
    def test_the_whole_way(self, folder: Path, cli: Cli) -> None:
        asked = cli(
            *NEW, "--act", "animate", "--act", "voice", "--until", "2099-12-31", "-o", "g.consent.json"
        )
        assert asked.code == 0
        assert "Studio Nord asks Grace to allow this" in asked.out
        assert "likeness consent sign g.consent.json" in asked.out
        assert cli("consent", "check", "g.consent.json").is_refusal(5)
        signed = cli("consent", "sign", "g.consent.json", "--yes")
        assert signed.code == 0
        assert "signed with the key" in signed.out
        checked = cli("consent", "check", "g.consent.json", "--act", "voice", "--purpose", "a short film")
        assert checked.code == 0
        assert "holds. Grace: voice, until 2099-12-31" in checked.out
        assert "Grace allows Studio Nord this" in cli("consent", "show", "g.consent.json").out
        assert names(folder) == {"g.consent.json"}

    def test_nobody_signs_by_accident(self, folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        cli(*NEW, "--act", "animate", "-o", "g.json")
        before = (folder / "g.json").read_bytes()
        monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
        refused = cli("consent", "sign", "g.json")
        assert refused.is_refusal(2)
        assert "--yes" in refused.err
        assert (folder / "g.json").read_bytes() == before

    def test_with_a_key_of_ones_own(self, folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET", "open sesame")
        made = cli("consent", "key", "--new", "k.pem", "--password-env", "SECRET")
        assert made.code == 0
        cli(*NEW, "--act", "swap", "-o", "g.json")
        for wrong in ((), ("--password-env", "UNSET")):
            assert cli("consent", "sign", "g.json", "--key", "k.pem", *wrong, "--yes").code in {2, 5}
        signed = cli("consent", "sign", "g.json", "--key", "k.pem", "--password-env", "SECRET", "--yes")
        assert signed.code == 0
        fingerprint = made.out.split("\n")[0].removeprefix("key").strip()
        assert fingerprint in signed.out
        assert not (folder.parent / "home" / "config" / "consent" / "key.pem").exists()
        assert cli("consent", "sign", "g.json", "--yes").is_refusal(5), "another key"

    def test_the_own_key(self, record: Path, cli: Cli) -> None:
        shown = cli("consent", "key")
        assert shown.code == 0
        assert shown.out.split("\n")[0].removeprefix("key").strip() in cli("consent", "check", record).out

    def test_before_there_is_a_key(self, folder: Path, cli: Cli) -> None:
        assert "made with the first signature" in cli("consent", "key").out

    def test_references(self, folder: Path, cli: Cli, hopper_path: Path) -> None:
        cli(*NEW, "--act", "animate", "-o", "g.consent.json")
        signed = cli(
            "consent", "sign", "g.consent.json", "--face", hopper_path, "--embeddings-apart", "--yes",
            "--file", hopper_path,
        )  # fmt: skip
        assert signed.code == 0, signed
        assert "personal data" not in signed.out, "they are not in the record"
        assert names(folder) == {"g.consent.json", "g.reference.json"}
        found = consent.check(folder / "g.consent.json")
        assert found.record.references.face is None
        assert found.references.face is not None
        assert [one.role for one in found.record.references.files] == ["face", "other"]

    @pytest.mark.parametrize(
        "options",
        [
            ("--act", "dance"),
            ("--act", "animate", "--until", "tomorrow"),
            ("--act", "animate", "--until", "2027-02-30"),
            ("--act", "animate", "--from", "2027-01-02", "--until", "2027-01-01"),
            ("--act", "animate", "--subject", "Anna\u202eleipsieB"),
            ("--act", "animate", "--subject", ""),
            (),
        ],
    )
    def test_what_no_request_is_made_of(self, folder: Path, cli: Cli, options: tuple[str, ...]) -> None:
        refused = cli(*NEW, "-o", "g.json", *options)
        assert refused.is_refusal(2) or refused.is_refusal(5), refused
        assert names(folder) == set()

    def test_nothing_is_written_over(self, record: Path, cli: Cli) -> None:
        before = record.read_bytes()
        assert cli(*NEW, "--act", "animate", "-o", record).is_refusal(9)
        assert cli("consent", "corpus", "G", "--licence", "L", "--evaluator", "E", "-o", record).is_refusal(9)
        for verb in ("check", "show"):
            assert cli("consent", verb, record, "--json", record).is_refusal(9)
        other = Path(shutil.copy(record, "other.json"))
        words = ("identity-check", "absent.jpg", "--consent", record, "--reference", other)
        assert cli(*words, "--json", other).is_refusal(9)
        assert other.read_bytes() == before
        assert record.read_bytes() == before

    def test_keeping_nothing_apart(self, record: Path, cli: Cli) -> None:
        assert cli("consent", "sign", record, "--embeddings-apart", "--yes").is_refusal(2)

    def test_evidence_is_named_and_its_voice_kept_apart(self, folder: Path, cli: Cli) -> None:
        cli(*NEW, "--act", "voice", "-o", "g.consent.json")
        request = consent.ConsentRecord.load("g.consent.json")
        said = consent.Evidence(
            "spoken", request.requested, "ab" * 32, "Yes, 1.", "1", "yes one", (), "a test"
        )
        voice = consent.Embedding.of("some-network/1", np.linspace(0, 1, 256))
        request = replace(request, evidence=(said,), references=consent.References(voice=voice))
        request.save("g.consent.json", overwrite=True)
        assert cli("consent", "sign", "g.consent.json", "--embeddings-apart", "--yes").code == 0
        assert names(folder) == {"g.consent.json", "g.reference.json"}
        assert "evidence, not proof" in cli("consent", "check", "g.consent.json").out
        assert "“yes one”" in cli("consent", "show", "g.consent.json").out

    def test_what_was_altered_is_not_signed_again(self, record: Path, cli: Cli) -> None:
        """Somebody sends a record back with other terms in it, under the same signature."""
        assert "signed again" in cli("consent", "sign", record, "--yes").out
        record.write_bytes(record.read_bytes().replace(b"Studio Nord", b"Studio West"))
        before = record.read_bytes()
        refused = cli("consent", "sign", record, "--yes")
        assert refused.is_refusal(5)
        assert "altered" in refused.err
        assert record.read_bytes() == before

    def test_what_has_ended_already(self, folder: Path, cli: Cli) -> None:
        made = cli(*NEW, "--act", "animate", "--from", "2020-01-01", "--until", "2020-12-31", "-o", "g.json")
        assert "ended already, on 2020-12-31" in made.out
        assert "ended already" in cli("consent", "sign", "g.json", "--yes").out
        backwards = cli(*NEW, "--act", "animate", "--until", "2020-12-31", "-o", "h.json")
        assert backwards.is_refusal(5)
        assert "--until" in backwards.err

    def test_showing_is_not_checking(self, record: Path, cli: Cli) -> None:
        assert f"likeness consent check {record}" in cli("consent", "show", record).out

    def test_json(self, record: Path, cli: Cli) -> None:
        checked = json.loads(cli("consent", "check", record, "--json", "-").out)
        shown = json.loads(cli("consent", "show", record, "--json", "-").out)
        assert checked["holds"] is True
        assert checked["sha256"] == shown["sha256"] == consent.ConsentRecord.load(record).sha256
        assert checked["record"] == shown["record"] == json.loads(record.read_bytes())

    def test_json_of_what_does_not_hold(self, record: Path, cli: Cli) -> None:
        refused = cli("consent", "check", record, "--act", "voice", "--json", "-")
        assert refused.is_refusal(5)
        answer = json.loads(refused.out)
        assert (answer["holds"], answer["error"]) == (False, "ConsentScope")
        assert "covers animate, not voice" in answer["what"]

    def test_where_the_record_cannot_be_written_nothing_is(
        self, folder: Path, cli: Cli, hopper_path: Path
    ) -> None:
        cli(*NEW, "--act", "animate", "-o", "g.json")
        words = ("consent", "sign", "g.json", "--face", hopper_path, "--embeddings-apart", "--yes")
        assert cli(*words, "-o", "nowhere/signed.json").is_refusal(9)
        (folder / "g.reference.json").write_text("mine")
        assert cli(*words).is_refusal(9)
        assert names(folder) == {"g.json", "g.reference.json"}
        assert (folder / "g.reference.json").read_text() == "mine"

    def test_corpus(self, folder: Path, cli: Cli) -> None:
        words = ("consent", "corpus", "GRID", "--licence", "CC BY 4.0", "--evaluator", "Ada")
        made = cli(*words, "-o", "grid.consent.json")
        assert made.code == 0
        assert "benchmarks and tests only" in made.out
        assert cli("consent", "check", "grid.consent.json", "--purpose", "benchmarks").code == 0
        assert cli("consent", "check", "grid.consent.json", "--purpose", "a film").is_refusal(5)


class TestTakingBack:
    def test_the_whole_way(self, record: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        done = cli("consent", "revoke", record, "--reason", "I changed my mind", "--yes")
        assert done.code == 0
        given = record.with_name("grace.revocation.json")
        assert given.exists()
        refused = cli("consent", "check", record)
        assert refused.is_refusal(5)
        assert "I changed my mind" in refused.err
        # Now on the requester's machine, who gets both files in different places.
        elsewhere = record.parent / "elsewhere"
        elsewhere.mkdir()
        copy = shutil.copy(record, elsewhere / "copy.json")
        monkeypatch.setenv("LIKENESS_HOME", str(elsewhere / "home"))
        assert cli("consent", "check", copy).code == 0
        assert cli("consent", "check", copy, "--revocations", given).is_refusal(5)
        assert cli("consent", "check", copy, "--revocations", record.parent).is_refusal(5)
        assert cli("consent", "honour", given).code == 0
        assert cli("consent", "check", copy).is_refusal(5)

    def test_a_second_time_changes_nothing(self, record: Path, cli: Cli) -> None:
        given = record.with_name("grace.revocation.json")
        cli("consent", "revoke", record, "--reason", "enough", "--yes")
        first = given.read_bytes()
        again = cli("consent", "revoke", record, "--reason", "another one")  # and nobody is asked
        assert again.code == 0, again
        assert "taken back already" in again.out
        assert given.read_bytes() == first
        given.unlink()  # lost
        again = cli("consent", "revoke", record)
        assert again.code == 0
        assert f"written to {given}" in again.out
        assert given.read_bytes() == first

    def test_where_the_copy_cannot_be_written_it_counts_all_the_same(self, record: Path, cli: Cli) -> None:
        failed = cli("consent", "revoke", record, "--yes", "-o", "nowhere/r.json")
        assert failed.is_refusal(9)
        assert "taken back: the consent of Grace" in failed.out
        assert "taken back on" in cli("consent", "check", record).err
        assert cli("consent", "revoke", record, "-o", "r.json").code == 0
        assert names(record.parent) == {record.name, "r.json"}

    def test_a_damaged_file_beside_it_keeps_nobody_from_it(self, record: Path, cli: Cli) -> None:
        given = record.with_name("grace.revocation.json")
        given.write_bytes(b"{}")
        assert cli("consent", "revoke", record, "--yes").is_refusal(9), "what is there stays"
        assert given.read_bytes() == b"{}"
        assert "taken back on" in cli("consent", "check", record).err
        assert cli("consent", "revoke", record, "--overwrite").code == 0
        assert cli("consent", "honour", given).code == 0

    def test_another_key(self, record: Path, cli: Cli) -> None:
        cli("consent", "key", "--new", "k.pem")
        assert cli("consent", "revoke", record, "--key", "k.pem", "--yes").is_refusal(5)
        assert names(record.parent) == {record.name, "k.pem"}
        assert cli("consent", "check", record).code == 0

    def test_where_there_is_no_key(self, record: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        home = record.with_name("home")
        monkeypatch.setenv("LIKENESS_HOME", str(home))
        refused = cli("consent", "revoke", record, "--yes")
        assert refused.is_refusal(5)
        assert "the computer where it was made" in refused.err
        assert not home.exists(), "no key is made that could not take it back"

    @pytest.mark.parametrize("content", [b"", b"{}", b"[" * 10_000, b'{"format": "likeness consent"}'])
    def test_what_is_no_revocation(self, record: Path, cli: Cli, content: bytes) -> None:
        (record.parent / "r.json").write_bytes(content)
        assert cli("consent", "honour", "r.json").is_refusal(5)
        assert cli("consent", "check", record, "--revocations", "r.json").is_refusal(5)
        assert not revocation.folder().exists()


class TestAnimate:
    @pytest.fixture(autouse=True)
    def media(self, folder: Path, hopper_path: Path, carphone_path: Path) -> None:
        shutil.copy(hopper_path, folder / "hopper.jpg")
        shutil.copy(carphone_path, folder / "talk.mp4")

    def test_the_record_enters_the_credentials(self, record: Path, cli: Cli) -> None:
        made = cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", record, *SHORT)
        assert made.code == 0, made
        assert "the record holds no face to compare with" in made.out
        found = verify(Path("out.mp4"))
        assert found.consent is not None
        assert found.consent.kind == "subject"
        assert found.consent.sha256 == consent.ConsentRecord.load(record).sha256
        assert found.consent.statement.startswith("Made under a consent record for: animate")
        assert "Grace" not in found.manifest_json
        said = cli("verify", "out.mp4")
        assert "consent: Made under a consent record for: animate" in said.out
        stated = json.loads(cli("verify", "out.mp4", "--json", "-").out)["stated"]
        assert stated["consent"]["sha256"] == found.consent.sha256

    def test_a_file_belongs_to_one_record(self, record: Path, cli: Cli) -> None:
        words = ("consent", "check", record, "--made", "out.mp4")
        assert cli(*words).is_refusal(3), "there is no such file"
        cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", record, *SHORT)
        assert "name this record; that is their signer's word" in cli(*words).out
        cli(*NEW, "--act", "animate", "-o", "other.json")
        cli("consent", "sign", "other.json", "--yes")
        assert cli("consent", "check", "other.json", "--made", "out.mp4").is_refusal(5)
        assert cli("consent", "check", record, "--made", "hopper.jpg").is_refusal(5)
        data = bytearray(Path("out.mp4").read_bytes())
        data[-100] ^= 1
        Path("out.mp4").write_bytes(data)
        assert cli(*words).is_refusal(5), "somebody changed it"

    def test_the_link_is_shown_of_a_record_that_was_taken_back(self, record: Path, cli: Cli) -> None:
        cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", record, *SHORT)
        words = ("consent", "check", record, "--made", "out.mp4")
        ended = cli(*words, "--when", "2199-01-01")
        assert ended.code == 5
        assert "name this record" in ended.out
        cli("consent", "revoke", record, "--yes")
        refused = cli(*words)
        assert refused.code == 5
        assert "name this record" in refused.out
        assert "was taken back" in refused.err
        answer = json.loads(cli(*words, "--json", "-").out)
        assert (answer["holds"], answer["error"], answer["made"]) == (False, "ConsentRevoked", "out.mp4")
        record.write_bytes(record.read_bytes().replace(b"Studio Nord", b"Studio West"))
        altered = cli(*words)
        assert altered.code == 5
        assert "name this record" not in altered.out
        assert "altered" in altered.err

    def test_the_face_is_compared(self, folder: Path, cli: Cli) -> None:
        cli(*NEW, "--act", "animate", "-o", "g.json")
        signed = cli("consent", "sign", "g.json", "--face", "hopper.jpg", "--yes")
        assert signed.code == 0
        assert "their face, as 128 numbers" in signed.out
        assert "personal data" in signed.out
        assert "--embeddings-apart" in signed.out
        made = cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", "g.json", *SHORT)
        assert made.code == 0, made
        assert "note:" not in made.out
        found = verify(Path("out.mp4"))
        assert found.consent is not None
        assert "the face fitted its reference" in found.consent.statement
        assert cli("identity-check", "hopper.jpg", "--consent", "g.json").code == 0

    def test_somebody_else(self, folder: Path, cli: Cli) -> None:
        cli(*NEW, "--act", "animate", "-o", "g.json")
        cli("consent", "sign", "g.json", "--face", "talk.mp4", "--yes")
        before = names(folder)
        refused = cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", "g.json", *SHORT)
        assert refused.is_refusal(5), refused
        assert "another person's" in refused.err
        assert names(folder) == before
        answer = cli("identity-check", "hopper.jpg", "--consent", "g.json", "--json", "-")
        assert answer.code == 13
        assert json.loads(answer.out)["verdict"] == "no match"
        Image.new("RGB", (320, 240)).save("nobody.png")
        assert cli("identity-check", "nobody.png", "--consent", "g.json").code == 14

    def test_the_label_may_be_left_out_if_the_record_says_so(self, record: Path, cli: Cli) -> None:
        cli(*NEW, "--act", "animate", "--label-may-be-left-out", "-o", "free.json")
        cli("consent", "sign", "free.json", "--yes")
        words = ("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--label", "none", *SHORT)
        rights = ("--rights", "self", "--note", "mine")
        assert cli(*words).is_refusal(5)
        assert cli(*words, "--consent", record).is_refusal(5)
        assert cli(*words, "--consent", record, *rights).is_refusal(5), "the record decides"
        assert not Path("out.mp4").exists()
        made = cli(*words, "--consent", "free.json")
        assert made.code == 0, made
        assert verify(Path("out.mp4")).label == "none"

    def test_under_a_corpus_record(self, folder: Path, cli: Cli) -> None:
        words = ("consent", "corpus", "GRID", "--licence", "CC BY 4.0", "--evaluator", "Ada")
        assert cli(*words, "-o", "grid.json").code == 0
        animate = ("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", "--consent", "grid.json", *SHORT)
        assert cli(*animate, "--label", "none", "--rights", "self", "--note", "x").is_refusal(5)
        assert cli(*animate).code == 0
        found = verify(Path("out.mp4"))
        assert found.consent is not None
        assert found.consent.kind == "corpus"
        assert "“GRID” (CC BY 4.0)" in found.consent.describe()
        assert "benchmarks and tests only" in found.consent.describe()

    def test_without_any_the_file_says_so(self, folder: Path, cli: Cli) -> None:
        assert cli("animate", "hopper.jpg", "talk.mp4", "-o", "out.mp4", *SHORT).code == 0
        found = verify(Path("out.mp4"))
        assert (found.consent, found.rights) == (None, "not stated")
        assert "consent" not in cli("verify", "out.mp4").out


def spoil(path: Path, what: str) -> None:
    """Make the record one of those that have to be refused."""
    document = json.loads(path.read_bytes())
    today = dt.datetime.now(dt.UTC).date()
    key = consent.load_or_create_key()
    record = consent.ConsentRecord.load(path)
    day = dt.timedelta(days=1)
    drafts = {"acts": ["animate"], "subject": "Grace", "requester": "S", "purposes": ["p"]}
    match what:
        case "another act":
            record = consent.sign(consent.draft(**{**drafts, "acts": ["voice"]}), key)  # type: ignore[arg-type]
        case "ended":
            record = consent.sign(
                consent.draft(**drafts, valid_from=today - 9 * day, valid_until=today - day),  # type: ignore[arg-type]
                key,
            )
        case "not begun":
            record = consent.sign(consent.draft(**drafts, valid_from=today + 3 * day), key)  # type: ignore[arg-type]
        case "signed in the future":
            later = dt.datetime.now(dt.UTC) + 3 * day
            record = consent.sign(consent.draft(**drafts), key, now=later)  # type: ignore[arg-type]
        case "revoked":
            consent.store(consent.revoke(record, key))
        case "clock set back":
            clock.memory().write_bytes(
                json.dumps({"latest": (today + 5 * day).strftime("%Y-%m-%dT00:00:00Z")}).encode()
            )
    path.write_bytes(record.to_bytes())
    match what:
        case "one altered byte":
            path.write_bytes(path.read_bytes().replace(b"Studio Nord", b"Studio Word"))
        case "wrong key":
            other = consent.create_key(path.with_name("other.pem"))
            document["signature"]["key"] = consent.sign(
                consent.draft(**drafts),  # type: ignore[arg-type]
                other,
            ).to_json()["signature"]["key"]
            path.write_bytes(json.dumps(document).encode())
            other.path.unlink()
        case "unsigned":
            path.write_bytes(json.dumps({**document, "signature": None}).encode())
        case "newer":
            path.write_bytes(json.dumps({**document, "version": 2}).encode())
        case "100 MB":
            with path.open("r+b") as file:
                file.truncate(100_000_000)
        case "deep":
            path.write_bytes(b'{"format": ' + b"[" * 400_000)
        case "turned around":
            document["subject"]["name"] = "Anna\u202eleipsieB"
            path.write_bytes(json.dumps(document).encode())
        case "a picture":
            Image.new("RGB", (64, 64)).save(path.with_suffix(".png"))
            path.with_suffix(".png").replace(path)
        case "empty":
            path.write_bytes(b"")
        case "absent":
            path.unlink()


@pytest.mark.parametrize(
    "what",
    [
        "another act", "ended", "not begun", "signed in the future", "revoked", "clock set back",
        "one altered byte", "wrong key", "unsigned", "newer", "100 MB", "deep", "turned around", "a picture",
        "empty", "absent",
    ],
)  # fmt: skip
def test_every_refusal(what: str, record: Path, cli: Cli) -> None:
    """A clear error, exit code 5, and nothing written; before any media are looked at (there are none)."""
    spoil(record, what)
    before = names(record.parent)
    refused = cli("animate", "absent.jpg", "absent.mp4", "-o", "out.mp4", "--consent", record)
    assert refused.is_refusal(5), refused
    assert names(record.parent) == before
    if what != "another act":
        assert cli("consent", "check", record).is_refusal(5)
        assert cli("identity-check", "absent.jpg", "--consent", record).is_refusal(5)


def test_a_sound_record_reaches_the_media(record: Path, cli: Cli) -> None:
    """So that the refusals above are the record's doing."""
    assert cli("animate", "absent.jpg", "absent.mp4", "-o", "out.mp4", "--consent", record).is_refusal(3)
    assert cli("identity-check", "absent.jpg", "--consent", record).is_refusal(3)


def test_an_exchanged_reference_file(record: Path, cli: Cli, hopper_path: Path) -> None:
    cli(*NEW, "--act", "animate", "-o", "g.consent.json")
    cli("consent", "sign", "g.consent.json", "--face", hopper_path, "--embeddings-apart", "--yes")
    reference.beside(Path("g.consent.json")).write_bytes(b"{}")
    assert cli("identity-check", hopper_path, "--consent", "g.consent.json").is_refusal(5)
