"""The trust list: what goes in, what is refused, what comes out."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.disclosure.seal import seal_image
from likeness.disclosure.signer import identity, trust
from likeness.errors import IdentityError
from likeness.verification import verify

from .authority import issue
from .conftest import MakeMaking, moving_picture

ROOT = issue("The Daily Test: Root", authority=True)
OTHER = issue("Other Root", authority=True)
SIGNER = issue("Reporter", ROOT)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def pem(folder: Path, data: bytes, name: str = "given.pem") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_added_listed_removed(tmp_path: Path) -> None:
    assert trust.entries() == ((), ())
    (added,), notes = trust.add(pem(tmp_path, ROOT.pem))
    assert notes == ()
    assert added.certificate.name == "The Daily Test: Root"
    assert added.path.name == f"the-daily-test-root-{added.certificate.fingerprint[:12]}.pem"
    assert trust.entries() == ((added,), ())
    assert trust.add(tmp_path / "given.pem")[0] == (added,), "twice is once"
    assert [path.name for path in trust.folder().iterdir()] == [added.path.name]
    assert trust.remove(added.path.name) == (added,)
    assert trust.entries() == ((), ())


@pytest.mark.parametrize("how", ["digits", "colons", "file"])
def test_ways_to_name_one(tmp_path: Path, how: str) -> None:
    (added,), _ = trust.add(pem(tmp_path, ROOT.pem))
    trust.add(pem(tmp_path, OTHER.pem, "other.pem"))
    digits = added.certificate.fingerprint
    colons = ":".join(digits[i : i + 2] for i in range(0, 64, 2)).upper()
    which = {"digits": digits[:8], "colons": colons, "file": str(tmp_path / "given.pem")}[how]
    assert trust.remove(which) == (added,)
    assert [entry.certificate.name for entry in trust.entries()[0]] == ["Other Root"]


@pytest.mark.parametrize("which", ["", "abc", "../../identity.pem", "0" * 64, "nobody.pem"])
def test_who_is_not_in_it_cannot_be_removed(tmp_path: Path, which: str) -> None:
    trust.add(pem(tmp_path, ROOT.pem))
    with pytest.raises(IdentityError, match="not in the trust list"):
        trust.remove(which)
    assert len(trust.entries()[0]) == 1


def test_signers_are_no_authorities(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="of a signer"):
        trust.add(pem(tmp_path, SIGNER.pem))
    added, (note,) = trust.add(pem(tmp_path, SIGNER.pem + ROOT.pem))
    assert [one.certificate.name for one in added] == ["The Daily Test: Root"]
    assert "Reporter" in note


def test_keys_are_never_copied(tmp_path: Path) -> None:
    own = identity.load_or_create()
    trust.add(own.path)
    assert all(b"PRIVATE" not in path.read_bytes() for path in trust.folder().iterdir())


def test_bad_files_change_nothing(tmp_path: Path, own_home: Path) -> None:
    huge = tmp_path / "huge.pem"
    with huge.open("wb") as file:
        file.truncate(1 << 34)
    cases = {
        "folder": tmp_path,
        "larger than 1 MB": huge,
        "no certificate": pem(tmp_path, b"hello", "text.pem"),
        "cannot be read": tmp_path / "gone.pem",
        "PEM": pem(tmp_path, ROOT.pem[:300] + ROOT.pem[320:], "damaged.pem"),
    }
    for words, path in cases.items():
        with pytest.raises(IdentityError, match=words) as raised:
            trust.add(path)
        assert raised.value.hint
    assert not own_home.exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("likeness.disclosure.signer.trust.os.fsync", full)
    with pytest.raises(IdentityError, match="No space left"):
        trust.add(pem(tmp_path, ROOT.pem))
    assert list(trust.folder().iterdir()) == []


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    trust.add(pem(tmp_path, ROOT.pem))
    (trust.folder() / "bad.pem").write_text("hello")
    (trust.folder() / "folder.pem").mkdir()
    found, notes = trust.entries()
    assert len(found) == 1
    assert [name in note for name, note in zip(("bad.pem", "folder.pem"), notes, strict=True)] == [True, True]


def test_one_of_a_file_put_there_by_hand(tmp_path: Path) -> None:
    trust.folder().mkdir(parents=True)
    (trust.folder() / "both.pem").write_bytes(ROOT.pem + OTHER.pem)
    trust.remove(str(pem(tmp_path, ROOT.pem)))
    assert [entry.certificate.name for entry in trust.entries()[0]] == ["Other Root"]


def test_an_ended_certificate_is_shown_as_such(tmp_path: Path) -> None:
    old = issue("Old", authority=True, ends=dt.timedelta(days=-1))
    (added,), _ = trust.add(pem(tmp_path, old.pem))
    assert added.certificate.has_ended


def test_own_identity_is_trusted_only_when_it_was_added(
    tmp_path: Path, folder: Path, making: MakeMaking
) -> None:
    seal_image(moving_picture(0), folder / "a.png", making())
    seen = verify(folder / "a.png")
    assert (seen.credentials_state, seen.own) == ("untrusted", True)
    trust.add(pem(tmp_path, identity.load_or_create().authority))
    seen = verify(folder / "a.png")
    assert (seen.credentials_state, seen.own) == ("valid", True)
    assert "you chose to trust" in seen.answer


def test_a_certificate_of_a_version_that_does_not_exist_is_left_out(tmp_path: Path) -> None:
    """Found by fuzzing: its error is of a kind of its own."""
    der = ROOT.certificate.public_bytes(Encoding.DER)
    odd = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x0a", 1)
    assert odd != der
    body = base64.encodebytes(odd)
    trust.folder().mkdir(parents=True)
    (trust.folder() / "odd.pem").write_bytes(
        b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    )
    found, notes = trust.entries()
    assert found == ()
    assert "damaged" in notes[0]
    with pytest.raises(IdentityError, match="no PEM file of certificates"):
        trust.add(trust.folder() / "odd.pem")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_in_the_list_are_left_out(data: bytes, framed: bool) -> None:
    trust.folder().mkdir(parents=True, exist_ok=True)
    if framed:
        data = b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n"
    (trust.folder() / "any.pem").write_bytes(data)
    found, notes = trust.entries()
    assert (len(found), len(notes)) == (0, 1)
    assert notes[0].isprintable()
